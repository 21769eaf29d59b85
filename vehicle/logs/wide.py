"""The base of readers for tables with one row per time and one column per channel."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from vehicle.logs.channels import Channels
from vehicle.logs.clock import TimeForm, number_form, read_times, text_form
from vehicle.logs.errors import UnknownFormatError
from vehicle.logs.frames import Frame, Frames, Kind
from vehicle.logs.names import unit_in
from vehicle.logs.preview import ColumnMatch
from vehicle.logs.reader import LogReader
from vehicle.logs.table import Table, find_table
from vehicle.logs.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vehicle.logs.channel import Channel
    from vehicle.logs.notes import Notes
    from vehicle.logs.text import Head
    from vehicle.runs import Run


@lru_cache(maxsize=2)
def _order(header: tuple[str, ...]) -> list[int]:
    """Return for each column how many columns before it have the same heading."""
    seen = Counter[str]()
    return [seen.update([name]) or seen[name] - 1 for name in header]


class ClockColumn(NamedTuple):
    """Which column tells the time, and how."""

    column: int
    form: TimeForm


class WideReader(LogReader):
    """Reads a wide table; formats say which column is the clock and what their columns mean."""

    names: ClassVar[str] = ""  # which lines of the name table apply, besides those for every format

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._table = self._find_table(head)
        self._channels = Channels(self.names or self.format, self._notes, self.columns)
        self._clock = self._find_clock()
        self._timeline = Timeline(self._notes, wraps=self._clock.form.wraps)

    @abstractmethod
    def _find_clock(self) -> ClockColumn:
        """Return the column that tells the time."""

    def _find_table(self, head: Head) -> Table:
        table = find_table(head.lines)
        if table is None:
            raise UnknownFormatError(
                f"{self.path.name} has no header line with rows of numbers below it.",
                f"Its first line is {head.first_line!r}.",
            )
        return table

    def _clock_at(self, index: int) -> ClockColumn | None:
        """Return the column as a clock if its cells are times."""
        cells = self._table.cells(index)
        unit = self._table.units[index] if self._table.units and index < len(self._table.units) else None
        unit = unit or unit_in(self._table.header[index])
        form = number_form(cells, unit) or text_form(cells) if cells else None
        return ClockColumn(index, form) if form else None

    def _runs(self) -> Iterator[list[Run]]:
        self._tell_shape()
        self._tell_clock_column()
        for frame in self._frames(self._notes):
            self.position_bytes = frame.position
            self.rows += len(frame.lines)
            yield self._of_frame(frame)

    def _frames(self, notes: Notes) -> Frames:
        return Frames(self._head, self._table, notes, self._kinds(), self._fixed_columns())

    def _fixed_columns(self) -> frozenset[int]:
        """Return the columns that must stay where they are where another header begins."""
        return frozenset({self._clock.column} - {-1})

    def _kinds(self) -> dict[int, Kind]:
        """Return which columns are read as text."""
        return {} if self._clock.form.numeric else {self._clock.column: "str"}

    def _of_frame(self, frame: Frame) -> list[Run]:
        clock_us, ok = self._clock_us(frame)
        if not ok.all():
            self._notes.count_lines("Rows without a readable time, dropped", frame.lines[~ok])
            frame = frame._replace(data=frame.data[ok], lines=frame.lines[ok])
            clock_us = clock_us[ok]
        if not len(clock_us):
            return []
        if self._timeline.start_us is None:
            self._start(self._clock.form, int(clock_us[0]))
        times_us = self._timeline.place(clock_us, frame.lines)
        return self._columns(frame, times_us)

    def _clock_us(self, frame: Frame) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        return read_times(frame.data[self._clock.column], self._clock.form)

    def _start(self, form: TimeForm, clock_us: int) -> None:
        self._set_start(form, clock_us)

    def _columns(self, frame: Frame, times_us: NDArray[np.int64]) -> list[Run]:
        runs = []
        for index, heading in enumerate(frame.header):
            channel = self._channel_at(index, frame.header) if self._is_kept(index, heading) else None
            if channel is None:
                continue
            column = frame.data[index] if index in frame.data else np.full(len(times_us), np.nan)
            run = channel.take(column, times_us, frame.lines)
            if run is not None:
                runs.append(run)
        self._count_nameless(frame)
        return runs

    def _channel_at(self, index: int, header: tuple[str, ...]) -> Channel | None:
        """Return the channel of a column; columns of the same heading are told apart by their order."""
        return self._channels.get(header[index], self._unit_at(index), _order(header)[index])

    def _count_nameless(self, frame: Frame) -> None:
        for index in range(frame.data.shape[1]):
            if index >= len(frame.header) or not frame.header[index]:
                held = frame.data[index].notna().to_numpy()
                self._notes.count_lines("Values in columns without a name, dropped", frame.lines[held])

    def _is_kept(self, index: int, heading: str) -> bool:
        return index != self._clock.column and heading != ""

    def _unit_at(self, index: int) -> str | None:
        units = self._table.units
        return units[index] if units and index < len(units) and units[index] else None

    def _tell_shape(self) -> None:
        table = self._table
        if table.fields == len(table.header) + 1:
            self._notes.say("Every row ends in a separator; the field after it has no name and is left out.")
        elif table.fields < len(table.header):
            absent = ", ".join(repr(name) for name in table.header[table.fields :])
            self._notes.say(
                f"Rows have {table.fields} fields, the header {len(table.header)}: the last columns "
                f"are taken to be the absent ones ({absent})."
            )

    def _tell_clock_column(self) -> None:
        self._tell_ignored(self._clock.column, "the clock of the log")

    def _tell_ignored(self, column: int, reason: str) -> None:
        self.columns.append(
            ColumnMatch(
                source=self._table.header[column],
                unit_found=None,
                signal=None,
                unit=None,
                how="ignored",
                reason=reason,
            )
        )

    def _finish(self) -> None:
        self.duration_s = None if self.timing == "order" else self._timeline.end_us / 1e6
        self._channels.finish(self.rows)
        self._timeline.finish()
