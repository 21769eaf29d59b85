"""The signal table: one row per signal, read once from the CSV files beside this module."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Signal:
    """Something readable, in one fixed unit; `service` is None where no request reads it (position …)."""

    name: str
    unit: str
    low: float
    high: float
    description: str
    service: int | None = None
    pid: int | None = None
    lengths: tuple[int, ...] = ()
    formula: str = ""
    condition: str = ""
    rate: str = "slow"
    source: str = ""
    header: str = ""

    @property
    def request(self) -> str:
        """The request in hexadecimal, such as `010C` or `22F40C`; empty where no request reads it."""
        if self.service is None or self.pid is None:
            return ""
        return f"{self.service:02X}{self.pid:0{4 if self.service >= 0x22 else 2}X}"


class Pid(NamedTuple):
    """A parameter of service 01: how many data bytes its answer may have, and what it is."""

    pid: int
    lengths: tuple[int, ...]
    description: str


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def lengths_of(text: str) -> tuple[int, ...]:
    """Read `4` or `1|2`: the data lengths an answer may have."""
    return tuple(int(part) for part in text.split("|"))


@cache
def load_pids() -> dict[int, Pid]:
    """Read the parameters of service 01."""
    rows = ((int(row["pid"], 16), row) for row in _rows("pids.csv"))
    return {pid: Pid(pid, lengths_of(row["lengths"]), row["description"]) for pid, row in rows}


def _signal(row: dict[str, str]) -> Signal:
    pid = int(row["pid"], 16) if row["pid"] else None
    return Signal(
        name=row["name"],
        unit=row["unit"],
        low=float(row["low"]),
        high=float(row["high"]),
        description=row["description"],
        service=int(row["service"], 16) if row["service"] else None,
        pid=pid,
        lengths=load_pids()[pid].lengths if pid is not None else (),
        formula=row["formula"],
        condition=row["condition"],
        rate=row["rate"],
        source=row["source"],
    )


@cache
def load_signals() -> dict[str, Signal]:
    """Read the signals, in the order of the table."""
    return {row["name"]: _signal(row) for row in _rows("signals.csv")}


class SignalMap(Mapping[str, Signal]):
    """All signals by name; the table is read at the first look, so importing it costs nothing."""

    def __getitem__(self, name: str) -> Signal:
        return self._signals[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._signals)

    def __len__(self) -> int:
        return len(self._signals)

    @cached_property
    def _signals(self) -> dict[str, Signal]:
        return load_signals()
