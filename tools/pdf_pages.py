"""Reads the text of a PDF page by page; a page that cannot be read is left out, never the whole file."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.context import ToolContext
from tools.errors import Code, ToolError
from tools.pdf_process import WHOLE_S, PdfProcess, StuckError

if TYPE_CHECKING:
    from storage.records import ManualPage

LARGEST_FILE = 300_000_000
MOST_PAGES = 5_000
MOST_TEXT = 50_000_000
MOST_STUCK = 3
FEWEST_CHARACTERS = 20
_REFUSED: dict[str, tuple[Code, str, str]] = {
    "locked": ("unsupported", "needs a password", "Import a copy without one."),
    "unsupported": ("unsupported", "is locked in a way that is not supported", "Import an open copy."),
    "memory": (
        "too_large",
        "needs more memory than a manual may take",
        "Split it, or save it anew with a PDF program.",
    ),
    "damaged": ("bad_arguments", "is damaged", "Open and save it with a PDF program."),
}


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


class _Import:
    """What was read of a PDF so far."""

    def __init__(self, context: ToolContext, path: Path) -> None:
        self.context = context
        self.path = path
        self.until = time.monotonic() + WHOLE_S
        self.about: dict[str, Any] = {}
        self.readable: list[ManualPage] = []
        self.done = 0
        self.characters = 0

    def go_on(self) -> None:
        """Read the pages that are left; StuckError where one of them keeps the reader busy."""
        with PdfProcess(self.context, self.path, self.done + 1) as reader:
            lines = reader.lines()
            self.about = self._opened(next(lines, {"error": "memory", "message": ""}))
            for line in lines:
                self._take(line["page"], line["text"])

    def _opened(self, about: dict[str, Any]) -> dict[str, Any]:
        if "error" in about:
            code, wrong, hint = _REFUSED[about["error"]]
            why = f": {about['message']}" if about["message"] else ""
            raise ToolError(code, f"{self.path.name} {wrong}{why}.", hint)
        if about["pages"] > MOST_PAGES:
            many = f"{self.path.name} has {about['pages']} pages; {MOST_PAGES} are allowed."
            raise ToolError("too_large", many, "Split it.")
        return about

    def _take(self, number: int, raw: str) -> None:
        from storage.records import ManualPage

        text = _clean(raw)
        self.done = number
        self.characters += len(text)
        if self.characters > MOST_TEXT:
            raise ToolError(
                "too_large", f"{self.path.name} holds more than {MOST_TEXT:,} characters.", "Split it."
            )
        if time.monotonic() > self.until:
            raise self.given_up(f"it takes more than {WHOLE_S:g} s")
        self.context.progress(number, self.about["pages"], "reading pages")
        if len("".join(text.split())) >= FEWEST_CHARACTERS:
            labels = self.about["labels"]
            label = labels[number - 1] if number <= len(labels) else None
            self.readable.append(ManualPage(number, label if label != str(number) else None, text))

    def given_up(self, reason: str) -> ToolError:
        """Return the error of a file that is not read to its end."""
        return ToolError(
            "timeout",
            f"{self.path.name} was given up after page {self.done}: {reason}.",
            "Save it anew with a PDF program, or import only the pages that matter. Nothing of it was kept.",
        )


def read_pdf(context: ToolContext, path: Path) -> Pdf:
    """Read all pages in a process of its own, telling the progress.

    A page that takes longer than PAGE_S, or all the memory, is left out as unreadable; a file with MOST_STUCK of
    them is refused.

    Raises:
        ToolError: the file is no PDF, is damaged, locked or too large, keeps its reader busy, or the call was
            cancelled.
    """
    digest = digest_of(path)
    read = _Import(context, path)
    stuck = 0
    while stuck < MOST_STUCK:
        try:
            read.go_on()
            break
        except StuckError as error:
            if not read.about:
                raise read.given_up(str(error)) from error
            # That page is left out; what is read of the file begins behind it.
            stuck += 1
            read.done += 1
            reason = str(error)
    else:
        raise read.given_up(f"{stuck} pages could not be read, the last because {reason}")
    title = read.about["title"]
    return Pdf(digest, _clean(title) if title else None, read.about["pages"], read.readable)


def _clean(text: str) -> str:
    """Return text that any database can keep: no NUL, no half surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()
