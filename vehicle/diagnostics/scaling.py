"""Units and scalings of on-board test results, and the names of monitors and tests (SAE J1979 appendices)."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

_DATA = Path(__file__).parent / "data"
# Test numbers with one meaning everywhere; 80 and above are the maker's own.
TEST_NAMES = {
    0x01: "rich to lean sensor threshold voltage",
    0x02: "lean to rich sensor threshold voltage",
    0x03: "low sensor voltage for switch time",
    0x04: "high sensor voltage for switch time",
    0x05: "rich to lean sensor switch time",
    0x06: "lean to rich sensor switch time",
    0x07: "minimum sensor voltage for test cycle",
    0x08: "maximum sensor voltage for test cycle",
    0x09: "time between sensor transitions",
    0x0A: "sensor period",
    0x0B: "average misfire count of the last ten driving cycles",
    0x0C: "misfire count of the last or current driving cycle",
}
_SIGNED_FROM = 0x80


class Scaling(NamedTuple):
    """One unit-and-scaling identifier: value = number * scale + offset."""

    unit: str
    scale: float
    offset: float
    signed: bool

    def apply(self, number: int) -> float:
        """Scale a number as sent (already signed where it is)."""
        return number * self.scale + self.offset


@cache
def scalings() -> dict[int, Scaling]:
    """Return the scalings by identifier."""
    with (_DATA / "scalings.csv").open(newline="", encoding="utf-8") as file:
        return {
            int(row["id"], 16): Scaling(
                row["unit"], float(row["scale"]), float(row["offset"]), int(row["id"], 16) >= _SIGNED_FROM
            )
            for row in csv.DictReader(file)
        }


@cache
def _monitors() -> dict[int, str]:
    with (_DATA / "monitors.csv").open(newline="", encoding="utf-8") as file:
        return {int(row["id"], 16): row["name"] for row in csv.DictReader(file)}


def monitor_name(number: int) -> str:
    """Return what a monitor number stands for."""
    if number >= 0xE0:
        return f"manufacturer's monitor {number:02X}"
    return _monitors().get(number, f"monitor {number:02X}")


def name_of_test(number: int) -> str:
    """Return what a test number stands for."""
    return TEST_NAMES.get(number, f"manufacturer's test {number:02X}")


def as_number(word: bytes, identifier: int) -> int:
    """Read two bytes as the identifier has them: signed from 80 on (SAE J1979)."""
    return int.from_bytes(word, "big", signed=identifier >= _SIGNED_FROM)
