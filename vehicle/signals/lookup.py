"""Finding a signal by what people call it, and the words behind a coded value."""

from __future__ import annotations

import csv
import difflib
import re
from functools import cache

from vehicle.errors import UnknownSignalError
from vehicle.signals.table import DATA, Signal, load_signals

_PID = re.compile(r"(?:01|0x)?([0-9A-F]{2})", re.IGNORECASE)


@cache
def _by_pid() -> dict[int, tuple[Signal, ...]]:
    found: dict[int, list[Signal]] = {}
    for signal in load_signals().values():
        if signal.service == 1 and signal.pid is not None:
            found.setdefault(signal.pid, []).append(signal)
    return {pid: tuple(signals) for pid, signals in found.items()}


def signals_of_pid(pid: int) -> tuple[Signal, ...]:
    """Return the signals that the answer to service 01 `pid` carries, in the order of the table."""
    return _by_pid().get(pid, ())


def find_signal(name: str) -> Signal:
    """Return the signal of this name, in any case and with - or blanks for _, or of a request such as `010C`.

    Raises UnknownSignalError naming close matches.
    """
    signals = load_signals()
    slug = re.sub(r"[\s\-]+", "_", name.strip()).lower()
    if slug in signals:
        return signals[slug]
    pid = _PID.fullmatch(name.strip())
    if pid and signals_of_pid(int(pid[1], 16)):
        return signals_of_pid(int(pid[1], 16))[0]
    close = difflib.get_close_matches(slug, signals, n=5)
    hint = (
        f"Close names: {', '.join(close)}." if close else "Names are python-OBD's in lower case: rpm, speed …"
    )
    raise UnknownSignalError(f"No signal is called {name!r}.", hint)


@cache
def _meanings() -> dict[tuple[str, int], str]:
    with (DATA / "meanings.csv").open(newline="", encoding="utf-8") as file:
        return {(row["signal"], int(row["value"])): row["text"] for row in csv.DictReader(file)}


def meaning_of(signal: str, value: float) -> str | None:
    """Return what a coded value says (`fuel_status` 2: closed loop …); None where it is not in the table."""
    return _meanings().get((signal, int(value))) if value == int(value) else None
