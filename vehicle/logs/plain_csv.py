"""Any other delimited table: units in its headings, in a row of units, or nowhere; wide or long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vehicle.logs.clock import TimeForm, numbers_in, read_times, text_form
from vehicle.logs.dayless import start_on_day
from vehicle.logs.errors import NoUsableSignalError
from vehicle.logs.long import LongReader, roles_of
from vehicle.logs.names import key, meaning_of
from vehicle.logs.table import find_table
from vehicle.logs.wide import ClockColumn, WideReader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vehicle.logs.frames import Frame, Kind
    from vehicle.logs.text import Head

_TIME_WORDS = frozenset(
    {
        "time",
        "timestamp",
        "timestamps",
        "t",
        "date",
        "datetime",
        "elapsed",
        "seconds",
        "sec",
        "epoch",
        "utc",
        "clock",
        "ms",
        "millis",
        "zeit",
        "zeitstempel",
        "uhrzeit",
        "datum",
        "temps",
        "heure",
        "hora",
        "tiempo",
        "fecha",
        "tempo",
        "data",
        "время",
        "дата",
    }
)
_NONE = 9
_NO_CLOCK = ClockColumn(-1, TimeForm("rows", "none"))


class PlainCsvReader(WideReader):
    """Reads a table with a column per channel; the clock is the best candidate among its columns."""

    format = "csv"
    title = "CSV with a column per channel"
    names = "csv"

    @classmethod
    def score(cls, head: Head) -> float:
        """Return 0.3 for any table, 0.4 where a column is named like a signal."""
        table = find_table(head.lines)
        if table is None or roles_of(table.header) is not None:
            return 0.0
        return 0.4 if any(meaning_of(name).how != "unknown" for name in table.header if name) else 0.3

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        if self._clock.column < 0 and not any(
            meaning_of(name).how != "unknown" for name in self._table.header
        ):
            raise NoUsableSignalError(
                f"{self.path.name} is a table, but no column tells the time and none has the name of a signal "
                f"({', '.join(repr(name) for name in self._table.header[:6])} …).",
                "A log has a column such as time, and columns such as rpm or Vehicle speed (km/h).",
            )

    def _find_clock(self) -> ClockColumn:
        self._date = -1
        found = [
            (self._rank(clock), clock)
            for index in range(len(self._table.header))
            if (clock := self._clock_at(index)) is not None
        ]
        rank, clock = min(found, default=(_NONE, _NO_CLOCK), key=lambda ranked: ranked[0])
        if rank >= _NONE:
            return _NO_CLOCK
        return self._with_date(clock) if clock.form.wraps and not clock.form.numeric else clock

    def _rank(self, clock: ClockColumn) -> int:
        """Return how good a clock a column is, 0 the best."""
        heading = self._table.header[clock.column]
        named = bool(set(key(heading).split()) & _TIME_WORDS) and meaning_of(heading).how == "unknown"
        if clock.form.numeric:
            return (0 if clock.form.dated else 2) if named and self._climbs(clock.column) else _NONE
        if not any(":" in cell for cell in self._table.cells(clock.column)):
            return _NONE  # a date alone is no clock
        return (1 if clock.form.wraps else 0) + (0 if named else 3)

    def _climbs(self, index: int) -> bool:
        values = np.array(numbers_in(self._table.cells(index)))
        return len(values) < 2 or bool((np.diff(values) >= 0).mean() > 0.9 and values[-1] > values[0])

    def _with_date(self, clock: ClockColumn) -> ClockColumn:
        """Join a time of day with a column that holds the date, if there is one."""
        times = self._table.cells(clock.column)
        for index in range(len(self._table.header)):
            days = self._table.cells(index) if index != clock.column else []
            joined = [f"{day} {time}" for day, time in zip(days, times, strict=False)]
            form = text_form(joined)
            if form is not None and not form.wraps:
                self._date = index
                return ClockColumn(clock.column, form)
        return clock

    def _kinds(self) -> dict[int, Kind]:
        return {**super()._kinds(), self._date: "str"} if self._date >= 0 else super()._kinds()

    def _fixed_columns(self) -> frozenset[int]:
        return super()._fixed_columns() | frozenset({self._date} - {-1})

    def _is_kept(self, index: int, heading: str) -> bool:
        return index != self._date and super()._is_kept(index, heading)

    def _clock_us(self, frame: Frame) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        if self._clock.column < 0:
            rows = np.arange(self.rows - len(frame.lines), self.rows, dtype=np.int64)
            return rows, np.ones(len(rows), dtype=bool)
        if self._date < 0:
            return super()._clock_us(frame)
        days = frame.data[self._date].astype(str).str.strip()
        return read_times(
            days + " " + frame.data[self._clock.column].astype(str).str.strip(), self._clock.form
        )

    def _start(self, form: TimeForm, clock_us: int) -> None:
        super()._start(form, clock_us)
        if form.wraps:
            start_on_day(self, self.path, clock_us)

    def _tell_clock_column(self) -> None:
        if self._date >= 0:
            self._tell_ignored(self._date, "the date of the log's clock")
        if self._clock.column >= 0:
            super()._tell_clock_column()
            return
        self.timing = "order"
        self._notes.say(
            "No column tells the time: times only number the rows (1 µs apart) and mean no duration."
        )


class PlainLongReader(LongReader):
    """Reads a table with a row per reading."""

    format = "csv"
    title = "CSV with a row per reading"
    names = "csv"

    @classmethod
    def score(cls, head: Head) -> float:
        """Return 0.4 where columns for time, name and value are there."""
        table = find_table(head.lines)
        return 0.4 if table is not None and roles_of(table.header) is not None else 0.0

    def _start(self, form: TimeForm, clock_us: int) -> None:
        super()._start(form, clock_us)
        if form.wraps:
            start_on_day(self, self.path, clock_us)
