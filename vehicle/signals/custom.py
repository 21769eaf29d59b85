"""Signals of a user's own file: service 22 and maker-specific requests with header, formula and unit."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from vehicle.errors import CarError
from vehicle.signals.formula import FormulaError, compile_formula
from vehicle.signals.table import Signal, lengths_of, load_signals

COLUMNS = ("name", "request", "length", "formula", "unit")
OPTIONAL = ("header", "low", "high", "condition", "rate", "description", "source")
# Reading services only: a file of signals must never be a way to write to a car.
READING_SERVICES = (0x01, 0x09, 0x21, 0x22)


class SignalFileError(CarError, ValueError):
    """A file of signals that cannot be used; the message names line and column."""

    code = "bad_arguments"


def read_signal_file(path: Path) -> dict[str, Signal]:
    """Read a CSV file of a user's signals, by name.

    Columns: name, request (hexadecimal, such as 22F40C), length (data bytes behind the echo), formula, unit;
    optional: header, low, high, condition, rate (fast, slow or rare), description, source.
    Raises SignalFileError with line and column.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        _check_columns(reader.fieldnames or ())
        signals: dict[str, Signal] = {}
        for row in reader:
            signal = _signal(row, reader.line_num)
            if signal.name in signals:
                raise _bad(reader.line_num, "name", f"{signal.name} is there twice")
            signals[signal.name] = signal
    return signals


def _check_columns(found: object) -> None:
    names = set(found) if isinstance(found, list | tuple) else set()
    missing = [name for name in COLUMNS if name not in names]
    unknown = sorted(str(name) for name in names - set(COLUMNS) - set(OPTIONAL))
    if missing or unknown:
        raise SignalFileError(
            f"The file of signals lacks {', '.join(missing) or 'nothing'}, has unknown {', '.join(unknown) or 'none'}.",
            f"Needed: {', '.join(COLUMNS)}; optional: {', '.join(OPTIONAL)}.",
        )


def _bad(line: int, column: str, reason: str) -> SignalFileError:
    return SignalFileError(f"Line {line}, {column}: {reason}.", "Correct the line and read the file again.")


def _name(row: dict[str, str], line: int) -> str:
    name = row["name"].strip()
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,59}", name):
        raise _bad(line, "name", f"{name!r} is not lower case letters, digits and _")
    if name in load_signals():
        raise _bad(line, "name", f"{name} is already a standard signal")
    return name


def _request(row: dict[str, str], line: int) -> tuple[int, int]:
    text = row["request"].replace(" ", "").upper()
    service = int(text[:2], 16) if re.fullmatch(r"[0-9A-F]{4}|[0-9A-F]{6}", text) else -1
    if service not in READING_SERVICES or (service == 0x22) != (len(text) == 6):
        raise _bad(line, "request", f"{text!r} is not service 01, 09 or 21 with one byte, or 22 with two")
    return service, int(text[2:], 16)


def _number(row: dict[str, str], column: str, line: int, default: float) -> float:
    try:
        return float(row.get(column) or default)
    except ValueError:
        raise _bad(line, column, f"{row[column]!r} is not a number") from None


def _choice(row: dict[str, str], column: str, line: int, pattern: str, default: str) -> str:
    text = (row.get(column) or default).strip()
    if not re.fullmatch(pattern, text):
        raise _bad(line, column, f"{text!r} does not fit {pattern}")
    return text


def _check_formula(row: dict[str, str], column: str, line: int, longest: int) -> str:
    text = (row.get(column) or "").strip()
    try:
        needs = compile_formula(text).needs if text else 0
    except FormulaError as error:
        raise _bad(line, column, error.message) from error
    if needs > longest or (not text and column == "formula"):
        raise _bad(line, column, f"needs {needs} bytes of an answer with {longest}" if text else "is empty")
    return text


def _signal(row: dict[str, str], line: int) -> Signal:
    lengths = lengths_of(_choice(row, "length", line, r"\d{1,3}(\|\d{1,3})*", ""))
    service, pid = _request(row, line)
    return Signal(
        name=_name(row, line),
        unit=_choice(row, "unit", line, r"\S{1,12}", ""),
        low=_number(row, "low", line, float("-inf")),
        high=_number(row, "high", line, float("inf")),
        description=row.get("description") or "",
        service=service,
        pid=pid,
        lengths=lengths,
        formula=_check_formula(row, "formula", line, max(lengths)),
        condition=_check_formula(row, "condition", line, max(lengths)),
        rate=_choice(row, "rate", line, "fast|slow|rare", "slow"),
        source=row.get("source") or "user's file",
        header=_choice(row, "header", line, r"(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})?", "").upper(),
    )
