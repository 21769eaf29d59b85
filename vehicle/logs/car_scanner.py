"""Car Scanner ELM OBD2 exports: a row per reading with seconds of the day, or a column per sensor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vehicle.logs.clock import TimeForm, numbers_in
from vehicle.logs.dayless import DaylessReader, start_on_day
from vehicle.logs.long import LongReader
from vehicle.logs.table import find_table
from vehicle.logs.wide import ClockColumn

if TYPE_CHECKING:
    from vehicle.logs.text import Head

_LONG = ("SECONDS", "PID", "VALUE", "UNITS")
_DAY_S = 86_400


class CarScannerLongReader(LongReader):
    """Reads the form SECONDS;PID;VALUE;UNITS, whose seconds count from midnight, local time."""

    format = "car_scanner"
    title = "Car Scanner CSV"

    @classmethod
    def score(cls, head: Head) -> float:
        """Return 0.95 where the header is the one of Car Scanner."""
        table = find_table(head.lines)
        return 0.95 if table is not None and table.header[:4] == _LONG else 0.0

    def _find_clock(self) -> ClockColumn:
        clock = super()._find_clock()
        seconds = numbers_in(self._table.cells(clock.column))
        if clock.form.numeric and all(0 <= second < _DAY_S for second in seconds):
            return ClockColumn(
                clock.column, replace(clock.form, kind="time of day number", clock="local", doubt="")
            )
        return clock

    def _start(self, form: TimeForm, clock_us: int) -> None:
        super()._start(form, clock_us)
        if form.wraps:
            start_on_day(self, self.path, clock_us)


class CarScannerWideReader(DaylessReader):
    """Reads the form with a column per sensor, most of whose cells are empty."""

    format = "car_scanner"
    title = "Car Scanner CSV with a column per sensor"

    @classmethod
    def score(cls, head: Head) -> float:
        """Return 0.85 where a quoted header has `time` and names with a unit in round brackets."""
        table = find_table(head.lines)
        if table is None or table.header[0] != "time" or not head.first_line.startswith('"'):
            return 0.0
        return 0.85 if all(name.endswith(")") for name in table.header[1:] if name) else 0.0
