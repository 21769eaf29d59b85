"""Delimited rows as data frames, block by block: every line that is no proper row is counted."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from vehicle.logs.channel import MISSING
from vehicle.logs.table import Table, is_number, split
from vehicle.logs.text import Block, Head, blocks, clean, mended

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from vehicle.logs.notes import Notes

_QUOTE = ord('"')
_NEWLINE = ord("\n")
_NO_VALUE = sorted({form for text in MISSING for form in (text, text.upper(), text.capitalize(), "NaN")})


Kind = Literal["str", "category"]  # of columns that are not numbers


class Frame(NamedTuple):
    """Some rows of a table: columns are numbered from 0; `lines` are their line numbers."""

    data: pd.DataFrame
    lines: NDArray[np.int64]
    header: tuple[str, ...]
    position: int


class Frames:
    """Reads the rows of one table; its header may be repeated, or change, further down."""

    def __init__(
        self, head: Head, table: Table, notes: Notes, kinds: Mapping[int, Kind], fixed: frozenset[int]
    ) -> None:
        self._head = head
        self._table = table
        self._notes = notes
        self._kinds = kinds
        self._fixed_columns = fixed  # their headings must stand in their places in every later header
        self._fits = True
        self._header = table.header
        self._header_fields = table.header_fields
        self._fields = table.fields

    def __iter__(self) -> Iterator[Frame]:
        for block in blocks(self._head, self._table.first_row):
            self._notes.count_lines("Lines too long to be a row, dropped", block.too_long)
            if block.unended:
                self._notes.say("The file ends inside a line; the last value of that line may be cut short.")
            begin = 0
            for at in self._header_lines(block.data):
                yield from self._rows(block, begin, at)
                begin = block.data.index(b"\n", at) + 1
                self._meet_header(block, at, begin)
            yield from self._rows(block, begin, len(block.data))

    def _header_lines(self, data: bytes) -> list[int]:
        """Return where lines begin whose first field is the one of the header."""
        start, separator = self._header_fields[0].encode(), self._table.separator.encode()
        found: list[int] = []
        for mark in (start + separator, b'"' + start + b'"' + separator) if start else ():
            found += [0] if data.startswith(mark) else []
            at = data.find(b"\n" + mark)
            while at >= 0:
                found.append(at + 1)
                at = data.find(b"\n" + mark, at + 1)
        return sorted(found)

    def _meet_header(self, block: Block, begin: int, end: int) -> None:
        number = block.first_line + block.data.count(b"\n", 0, begin)
        fields = split(block.data[begin:end].decode("utf-8", "replace").strip("\n"), self._table.separator)
        while fields and not fields[-1] and len(fields) > len(self._header_fields):
            fields.pop()
        if any(is_number(field) for field in fields):
            self._notes.count_lines("Rows that begin like the header, dropped", [number])
        elif tuple(fields) == self._header_fields:
            self._fits = True
            self._notes.count_lines("The header is repeated among the rows", [number])
        else:
            self._change_header(fields, number)

    def _change_header(self, fields: list[str], number: int) -> None:
        places = [fields[column] if column < len(fields) else None for column in self._fixed_columns]
        self._fits = places == [self._table.header_fields[column] for column in self._fixed_columns]
        if not self._fits:
            self._notes.count_lines(
                "Another header begins that moves the time column; rows are dropped", [number]
            )
        else:
            self._notes.count_lines("Another header begins among the rows; columns change there", [number])
            self._fields += len(fields) - len(self._header_fields)
            self._header_fields = tuple(fields)
            self._header = tuple(clean(mended(field)) for field in fields)

    def _rows(self, block: Block, begin: int, end: int) -> Iterator[Frame]:
        data = block.data[begin:end]
        if not self._fits:
            self._notes.count("Rows below a header whose time column differs", number=data.count(b"\n"))
        if not data or not self._fits:
            return
        first_line = block.first_line + (block.data.count(b"\n", 0, begin) if begin else 0)
        good = proper_lines(data, ord(self._table.separator), self._fields)
        lines = np.flatnonzero(good)
        if len(lines) < len(good):
            last = len(good) - 1 if block.last and end == len(block.data) else -1
            data, lines = self._mended(data, good, first_line, last)
        if len(lines):
            yield Frame(self._parsed(data, len(lines)), lines + first_line, self._header, block.position)

    def _mended(
        self, data: bytes, good: NDArray[np.bool_], first_line: int, last: int
    ) -> tuple[bytes, NDArray[np.int64]]:
        lines = data.split(b"\n")[:-1]
        kept = good.copy()
        for index in np.flatnonzero(~good):
            fixed = self._fixed(lines[index], int(index) + first_line, is_last=index == last)
            if fixed is not None:
                lines[index], kept[index] = fixed, True
        indexes = np.flatnonzero(kept)
        return b"".join(lines[index] + b"\n" for index in indexes), indexes

    def _fixed(self, line: bytes, number: int, *, is_last: bool) -> bytes | None:
        if not line.strip():
            return None
        fields = split(line.decode("utf-8", "replace"), self._table.separator)
        want = self._fields
        if len(fields) > want and not any(fields[want:]):
            fields = fields[:want]
        elif len(fields) < want and is_last:
            fields = fields[:-1]  # the last one may be cut in the middle of its number
            self._notes.say(
                f"The last line, {number}, is cut off: its first {len(fields)} of {want} fields are kept."
            )
            fields += [""] * (want - len(fields))
        elif len(fields) == want - 1 == len(self._header):
            fields.append("")  # only the separator at the end of the row is missing
        elif len(fields) != want:
            self._notes.count(
                f"Rows with another number of fields than {want}, dropped", [f"line {number}: {len(fields)}"]
            )
            return None
        return self._joined(fields)

    def _joined(self, fields: list[str]) -> bytes:
        separator = self._table.separator
        # A mark inside a field is no part of a number; the field must not turn into one without it.
        bare = (field.replace('"', "'") for field in fields)
        return separator.join(f'"{field}"' if separator in field else field for field in bare).encode()

    def _parsed(self, data: bytes, rows: int) -> pd.DataFrame:
        import pandas as pd

        columns = list(range(self._fields))
        kinds = {column: kind for column, kind in self._kinds.items() if column < self._fields}
        try:
            frame = pd.read_csv(
                BytesIO(data),
                sep=self._table.separator,
                header=None,
                names=columns,
                index_col=False,
                dtype=kinds,
                na_values=_NO_VALUE,
                keep_default_na=False,
                skipinitialspace=True,
                skip_blank_lines=False,
                decimal=self._table.decimal,
                low_memory=False,
                encoding="utf-8",
                encoding_errors="replace",
            )
        except pd.errors.ParserError:
            frame = pd.DataFrame()
        return self._pointed(frame) if len(frame) == rows else self._parsed_slowly(data)

    def _pointed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Write decimal points in columns that pandas gave up on because of some cell that is no number."""
        if self._table.decimal == ",":
            for column in range(self._fields):
                if column not in self._kinds and frame[column].dtype.kind == "O":
                    frame[column] = frame[column].str.replace(",", ".", regex=False)
        return frame

    def _parsed_slowly(self, data: bytes) -> pd.DataFrame:
        # Quotation marks in odd places: pandas and the csv module read them differently, so one of them decides.
        import pandas as pd

        lines = data.decode("utf-8", "replace").split("\n")[:-1]
        rows = [(split(line, self._table.separator) + [""] * self._fields)[: self._fields] for line in lines]
        return self._pointed(pd.DataFrame(rows, columns=list(range(self._fields)), dtype=str))


def proper_lines(data: bytes, separator: int, fields: int) -> NDArray[np.bool_]:
    """Tell which lines have the wanted number of fields and no quotation mark out of place."""
    codes = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(codes == _NEWLINE)
    separators = np.flatnonzero(codes == separator)
    quotes = np.flatnonzero(codes == _QUOTE)
    if not len(quotes):
        return np.asarray(np.diff(np.searchsorted(separators, ends), prepend=0) == fields - 1)
    quotes_to_end = np.searchsorted(quotes, ends)
    quotes_before = np.concatenate(([0], quotes_to_end[:-1]))
    line_of = np.searchsorted(ends, separators)
    inside = (np.searchsorted(quotes, separators) - quotes_before[line_of]) % 2 == 1
    outside = separators[~inside]
    even = (quotes_to_end - quotes_before) % 2 == 0
    right = np.diff(np.searchsorted(outside, ends), prepend=0) == fields - 1
    right[line_of[inside]] = False
    return np.asarray(right & even)
