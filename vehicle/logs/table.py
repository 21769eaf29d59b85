"""The shape of a delimited text: separator, decimal sign, header, units row and how many fields a row has."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from vehicle.logs.channel import MISSING
from vehicle.logs.names import unit_of
from vehicle.logs.text import clean, mended

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLE_ROWS = 200
_GLANCE_ROWS = 50
_MOST_FIELDS = 5_000
_HEADER_WITHIN = 100  # lines; preambles of loggers are shorter
_SEPARATORS = "\t;,"
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_DECIMAL_POINT = re.compile(r"[-+]?\d+\.\d+")


@dataclass(frozen=True)
class Table:
    """How to read the rows of a delimited text."""

    separator: str
    decimal: str
    header: tuple[str, ...]  # cleaned; "" where a column has no name
    header_fields: tuple[str, ...]  # as they stand, to recognise a repeated header
    units: tuple[str, ...] | None  # from a row of units below the header
    first_row: int  # 1-based line number of the first data row
    fields: int  # that most rows have
    sample: tuple[tuple[str, ...], ...]

    @property
    def width(self) -> int:
        """Return how many columns are read: those named and those the rows have."""
        return max(self.fields, len(self.header))

    def cells(self, column: int) -> list[str]:
        """Return the values that a column has in the first rows, without empty ones."""
        found = (row[column] for row in self.sample if column < len(row))
        return [cell for cell in found if cell.casefold() not in MISSING]


def split(line: str, separator: str) -> list[str]:
    """Return the fields of one line, without blanks around them; a broken line has none."""
    try:
        return [
            field.strip()
            for field in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
        ]
    except csv.Error:
        return []


@lru_cache(maxsize=2)  # every reader that looks at a file asks for the same one
def find_table(lines: tuple[str, ...]) -> Table | None:
    """Return the shape of the table that begins in the first lines of a text, or None."""
    for number, line in enumerate(lines[:_HEADER_WITHIN]):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        for separator in _SEPARATORS:
            fields = split(line, separator)
            if _is_header(fields) and _has_rows(lines, number, separator):
                table = _table_below(lines, number, separator, fields)
                if table is not None:
                    return table
    return None


def is_number(text: str) -> bool:
    """Tell whether a cell holds a number, with either decimal sign."""
    return _NUMBER.fullmatch(text) is not None


def _is_header(fields: list[str]) -> bool:
    if len(fields) > _MOST_FIELDS:
        return False
    named = [field for field in fields if field]
    return len(named) >= 2 and not any(is_number(field) for field in named)


def _has_rows(lines: Sequence[str], number: int, separator: str) -> bool:
    """Tell at low cost whether numbers may stand below a header."""
    below = (split(line, separator) for line in lines[number + 1 : number + 1 + _GLANCE_ROWS])
    return any(len(row) > 1 and any(is_number(cell) for cell in row) for row in below)


def _table_below(lines: Sequence[str], number: int, separator: str, fields: list[str]) -> Table | None:
    below = [
        (number + 1 + i, split(line, separator))
        for i, line in enumerate(lines[number + 1 : number + 1 + SAMPLE_ROWS])
        if line.strip()
    ]
    units = tuple(below[0][1]) if below and _is_units_row(below[0][1]) else None
    below = below[1:] if units else below
    rows = [row for _, row in below if row[:1] != fields[:1] or any(is_number(cell) for cell in row)]
    usual = Counter(len(row) for row in rows).most_common(1)
    if not usual or not len(fields) / 2 <= usual[0][0] <= len(fields) + 1 or usual[0][0] < 2:
        return None
    while fields and not fields[-1] and len(fields) > usual[0][0]:
        fields = fields[:-1]
    sample = tuple(tuple(row) for row in rows if len(row) == usual[0][0])
    if not any(is_number(cell) for row in sample for cell in row):
        return None
    names = tuple(clean(mended(field)) for field in fields)
    return Table(
        separator,
        _decimal(sample, separator),
        names,
        tuple(fields),
        units,
        below[0][0] + 1,
        usual[0][0],
        sample,
    )


def _is_units_row(row: list[str]) -> bool:
    filled = [cell for cell in row if cell and cell.casefold() not in MISSING]
    known = sum(unit_of(cell) is not None for cell in filled)
    return len(filled) > 0 and known * 2 > len(filled) and not any(is_number(cell) for cell in filled)


def _decimal(sample: Sequence[Sequence[str]], separator: str) -> str:
    commas = sum(_DECIMAL_COMMA.fullmatch(cell) is not None for row in sample for cell in row)
    points = sum(_DECIMAL_POINT.fullmatch(cell) is not None for row in sample for cell in row)
    return "," if commas > points else "."
