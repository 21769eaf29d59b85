"""Bytes of a text log as clean UTF-8 lines: encoding, line ends, bounded memory and line length."""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from vehicle.logs.errors import LogNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD_BYTES = 65_536
BLOCK_BYTES = 1 << 20
LINE_BYTES = 131_072  # also the limit of Python's csv module for one field
NAME_CHARACTERS = 120

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_MOJIBAKE = re.compile("[ÂÃâ]")
_LATIN = "cp1252"


class Block(NamedTuple):
    """Whole lines of a log: UTF-8, each ended by one newline."""

    data: bytes
    first_line: int  # 1-based number of the first line
    position: int  # bytes of the file consumed so far
    last: bool  # the file's last line is in it
    unended: bool  # the file ended inside that line
    too_long: tuple[int, ...]  # numbers of lines dropped because they exceed LINE_BYTES


@dataclass(frozen=True)
class Head:
    """The beginning of a file, enough to tell what it is."""

    path: Path
    raw: bytes
    size: int
    encoding: str
    lines: tuple[str, ...]  # whole lines only, unless the file is shorter than the head

    @property
    def first_line(self) -> str:
        """Return the first line that is not blank, shortened for a message."""
        return next((clean(line, 80) for line in self.lines if line.strip()), "")


def read_head(path: Path) -> Head:
    """Return the first 64 kB of a file, decoded; raises LogNotFoundError."""
    try:
        if path.is_dir():
            raise LogNotFoundError(f"{path} is a folder.", "Name one log file inside it.")
        size = path.stat().st_size
        with path.open("rb") as file:
            raw = file.read(HEAD_BYTES)
    except (OSError, ValueError) as problem:  # ValueError: a NUL inside the path
        reason = getattr(problem, "strerror", None) or str(problem)
        raise LogNotFoundError(
            f"{path} cannot be read: {reason}.", "Check the path and its rights."
        ) from problem
    encoding = encoding_of(raw)
    text = raw.decode(encoding, errors="replace").lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if len(raw) < size and len(lines) > 1:
        lines.pop()
    return Head(path, raw, size, encoding, tuple(lines))


def encoding_of(raw: bytes) -> str:
    """Return the encoding of a file that begins with `raw`: a byte order mark, UTF-8, or Windows-1252."""
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(raw)  # a character cut at the end is no error
    except UnicodeDecodeError:
        return _LATIN
    return "utf-8"


def blocks(head: Head, first_line: int = 1) -> Iterator[Block]:
    """Yield a file's lines from `first_line` on, in blocks of about one megabyte."""
    cutter = _Cutter()
    decoder = codecs.getincrementaldecoder(head.encoding)(errors="replace")
    as_is = head.encoding == "utf-8"
    with head.path.open("rb") as file:
        while True:
            raw = file.read(BLOCK_BYTES)
            data = raw if as_is else decoder.decode(raw, final=not raw).encode()
            block = _from_line(cutter.cut(data.replace(b"\0", b""), file.tell(), last=not raw), first_line)
            if file.tell() >= head.size and not cutter.holds:
                block = block._replace(last=True)
            if block.data:
                yield block
            if not raw:
                return


def _from_line(block: Block, first_line: int) -> Block:
    data, number = block.data, block.first_line
    while number < first_line and data:
        data = data[data.index(b"\n") + 1 :]
        number += 1
    return block._replace(data=data, first_line=number)


class _Cutter:
    """Cuts a stream of bytes at line ends and carries the rest over."""

    def __init__(self) -> None:
        self._rest = b""  # a line whose end has not come yet
        self._held = b""  # a carriage return whose newline may come next
        self._line = 1

    @property
    def holds(self) -> bool:
        """Tell whether something is left that no block has carried yet."""
        return bool(self._rest or self._held)

    def cut(self, data: bytes, position: int, *, last: bool) -> Block:
        data = self._held + data
        self._held = b"\r" if data.endswith(b"\r") and not last else b""
        data = data[: len(data) - len(self._held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        data = self._rest + data
        unended = last and data != b"" and not data.endswith(b"\n")
        if unended:
            data += b"\n"
        if self._line == 1:
            data = data.removeprefix(codecs.BOM_UTF8)
        end = data.rfind(b"\n") + 1
        # One byte more than allowed is enough to know that the line is too long, however long it gets.
        self._rest = data[end : end + LINE_BYTES + 1]
        block = _bounded(data[:end], self._line, position, unended)
        self._line += data.count(b"\n", 0, end)
        return block


def _bounded(data: bytes, first_line: int, position: int, unended: bool) -> Block:
    if len(data) <= LINE_BYTES:
        return Block(data, first_line, position, unended, unended, ())
    lines = data.split(b"\n")
    long = tuple(first_line + i for i, line in enumerate(lines) if len(line) > LINE_BYTES)
    if long:
        data = b"\n".join(b"" if len(line) > LINE_BYTES else line for line in lines)
    return Block(data, first_line, position, unended, unended, long)


def mended(text: str) -> str:
    """Return text whose UTF-8 was once read as Windows-1252 (`Â°C`) as it was meant."""
    if not _MOJIBAKE.search(text):
        return text
    try:
        return text.encode(_LATIN).decode("utf-8")
    except UnicodeError:
        return text


def clean(text: str, limit: int = NAME_CHARACTERS) -> str:
    """Return foreign text fit for a name or a message: one line, no control characters, bounded."""
    kept = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: 4 * limit])
    kept = " ".join(kept.split())
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
