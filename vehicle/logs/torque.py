"""Torque Pro track logs: two clocks, of which one may name its zone, and a column per sensor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vehicle.logs.channel import MISSING
from vehicle.logs.clock import TimeForm, zone_minutes
from vehicle.logs.errors import UnknownFormatError
from vehicle.logs.table import find_table
from vehicle.logs.wide import ClockColumn, WideReader

if TYPE_CHECKING:
    from vehicle.logs.frames import Frame, Kind
    from vehicle.logs.text import Head
    from vehicle.runs import Run

_DEVICE = "Device Time"
_GPS = "GPS Time"


class TorqueReader(WideReader):
    """Reads the CSV that Torque Pro writes while logging."""

    format = "torque"
    title = "Torque Pro CSV"

    @classmethod
    def score(cls, head: Head) -> float:
        """Return 0.95 where the two clocks of Torque head the columns."""
        table = find_table(head.lines)
        if table is None:
            return 0.0
        return (
            0.95
            if {_GPS, _DEVICE} <= set(table.header)
            else 0.8
            if table.header[0] in (_GPS, _DEVICE)
            else 0.0
        )

    def _find_clock(self) -> ClockColumn:
        for name in (_DEVICE, _GPS):
            if name in self._table.header:
                clock = self._clock_at(self._table.header.index(name))
                if clock is not None:
                    return clock
        raise UnknownFormatError(
            f"{self.path.name} looks like a Torque log, but no {_DEVICE} or {_GPS} in its first rows can be read.",
            "Times look like 27-Sep-2014 13:40:39.474; another form can be imported as format csv.",
        )

    def _tell_clock_column(self) -> None:
        super()._tell_clock_column()
        if _GPS in self._table.header and self._table.header[self._clock.column] != _GPS:
            self._tell_ignored(
                self._table.header.index(_GPS), f"only asked for the zone; {_DEVICE} is the clock"
            )

    def _kinds(self) -> dict[int, Kind]:
        header = self._table.header
        return {header.index(name): "str" for name in (_DEVICE, _GPS) if name in header}

    def _is_kept(self, index: int, heading: str) -> bool:
        return heading not in (_DEVICE, _GPS) and super()._is_kept(index, heading)

    def _of_frame(self, frame: Frame) -> list[Run]:
        self._zone = self._zone_of(frame) if self.rows == len(frame.lines) else None
        return super()._of_frame(frame)

    def _zone_of(self, frame: Frame) -> int | None:
        """Return the zone, in minutes, that the first GPS time of the log names."""
        if _GPS not in frame.header:
            return None
        cells = frame.data[frame.header.index(_GPS)].dropna()
        texts = (str(cell) for cell in cells if str(cell).casefold() not in MISSING)
        return zone_minutes(next(texts, ""))

    def _start(self, form: TimeForm, clock_us: int) -> None:
        if self._zone is None or form.clock != "local":
            super()._start(form, clock_us)
            return
        self._notes.say(f"The time zone (UTC{self._zone / 60:+g} h) is the one that {_GPS} names.")
        super()._start(replace(form, clock="utc"), clock_us - self._zone * 60_000_000)
