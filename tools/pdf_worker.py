"""Reads a PDF in a process of its own, which its parent can end: pages out as lines of JSON.

A PDF is a program of sorts, and some keep a reader busy for hours. Run as a script, so it imports nothing of ours:
`python -I pdf_worker.py FILE FIRST_PAGE MEMORY_BYTES CPU_S`. It writes what the file is, or {"error", "message"},
then {"page", "text"} for each page from FIRST_PAGE (from 1) on; a page that cannot be read has an empty text.
"""

import contextlib
import json
import logging
import struct
import sys
from typing import Any

LONGEST_PAGE = 100_000
# What pypdf lets through where objects are not what they should be.
_BROKEN = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)


def main(path: str, first: int) -> None:
    """Write what the file is and its pages from `first` on."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    # It warns of every oddity of a file; what matters is said in the answer.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            _write(error="locked", message="")
            return
        pages = len(reader.pages)
        title = reader.metadata.title if reader.metadata else None
        _write(pages=pages, title=title and str(title)[:300], labels=reader.page_labels)
    except DependencyError as error:
        _write(error="unsupported", message=str(error))
        return
    except MemoryError:
        _write(error="memory", message="")
        return
    except (PyPdfError, struct.error, *_BROKEN) as error:
        _write(error="damaged", message=str(error)[:300])
        return
    for index in range(first - 1, pages):
        _write(page=index + 1, text=_text(reader, index))


def _text(reader: Any, index: int) -> str:
    """Return a page's text; none where the page is a picture, blank, broken, or needs too much memory."""
    from pypdf.errors import PyPdfError

    try:
        return str(reader.pages[index].extract_text())[:LONGEST_PAGE]
    except (PyPdfError, MemoryError, struct.error, *_BROKEN):
        return ""


def _write(**values: object) -> None:
    # ASCII only: whatever half characters a page holds, the line can be written and read.
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def _limit(memory_bytes: int, cpu_s: int) -> None:
    """Bound what this process may take, where the system can; the parent's clock bounds it everywhere."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


if __name__ == "__main__":
    _limit(int(sys.argv[3]), int(sys.argv[4]))
    main(sys.argv[1], int(sys.argv[2]))
