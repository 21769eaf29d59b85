"""Reads the text of a PDF page by page; a page that cannot be read is left out, never the whole file."""

from __future__ import annotations

import hashlib
import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tools.context import ToolContext
from tools.errors import ToolError

if TYPE_CHECKING:
    from pypdf import PdfReader

    from storage.records import ManualPage

LARGEST_FILE = 300_000_000
MOST_PAGES = 5_000
LONGEST_PAGE = 100_000
FEWEST_CHARACTERS = 20
# What pypdf lets through where a page's objects are not what they should be.
_BROKEN = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)


class Pdf(NamedTuple):
    """A PDF's title, how many pages it has, and the text of those that have some."""

    digest: str
    title: str | None
    pages: int
    readable: list[ManualPage]


def digest_of(path: Path) -> str:
    """Return what tells a file's content from another's.

    Raises:
        ToolError: there is no such file, it is too large, or it is no PDF.
    """
    if not path.is_file():
        raise ToolError("not_found", f"There is no file {path}.", "Give the path of a PDF on this machine.")
    if path.stat().st_size > LARGEST_FILE:
        raise ToolError(
            "too_large", f"{path.name} has more than {LARGEST_FILE:,} bytes.", "Split the manual."
        )
    try:
        with path.open("rb") as file:
            begins = file.read(1024)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ToolError("not_found", f"{path.name} cannot be read: {error}.", "Check its rights.") from error
    if b"%PDF-" not in begins:
        raise ToolError("bad_arguments", f"{path.name} is no PDF.", "Only PDF manuals can be imported.")
    return digest


def read_pdf(context: ToolContext, path: Path) -> Pdf:
    """Read all pages, telling the progress.

    Raises:
        ToolError: the file is no PDF, is damaged or locked, has too many pages, or the call was cancelled.
    """
    digest = digest_of(path)
    with _failures(path):
        from pypdf import PdfReader

        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ToolError("unsupported", f"{path.name} needs a password.", "Import a copy without one.")
        pages = len(reader.pages)
        labels = reader.page_labels
        title = reader.metadata.title if reader.metadata else None
    if pages > MOST_PAGES:
        raise ToolError("too_large", f"{path.name} has {pages} pages; {MOST_PAGES} are allowed.", "Split it.")
    readable = list(_pages(context, reader, pages, labels))
    return Pdf(digest, _clean(title)[:300] if title else None, pages, readable)


@contextmanager
def _failures(path: Path) -> Iterator[None]:
    from pypdf.errors import DependencyError, PyPdfError

    # It warns of every oddity of a file; what matters is said in the answer.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        yield
    except DependencyError as error:
        raise ToolError(
            "unsupported", f"{path.name} is locked in a way that is not supported.", "Import an open copy."
        ) from error
    except (PyPdfError, struct.error, *_BROKEN) as error:
        raise ToolError(
            "bad_arguments", f"{path.name} is damaged: {error}.", "Open and save it with a PDF program."
        ) from error


def _pages(context: ToolContext, reader: PdfReader, pages: int, labels: list[str]) -> Iterator[ManualPage]:
    from storage.records import ManualPage

    for number in range(1, pages + 1):
        if context.cancelled.is_set():
            raise ToolError("timeout", "The import was cancelled.", "Nothing of it was kept; start it again.")
        context.progress(number, pages, "reading pages")
        text = _text(reader, number - 1)
        if len("".join(text.split())) >= FEWEST_CHARACTERS:
            label = labels[number - 1] if number <= len(labels) else None
            yield ManualPage(number, label if label != str(number) else None, text[:LONGEST_PAGE])


def _text(reader: PdfReader, index: int) -> str:
    """Return a page's text; none where the page is a picture, blank or broken."""
    from pypdf.errors import PyPdfError

    try:
        return _clean(reader.pages[index].extract_text())
    except (PyPdfError, struct.error, *_BROKEN):
        return ""


def _clean(text: str) -> str:
    """Return text that any database can keep: no NUL, no half surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()
