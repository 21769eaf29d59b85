"""The base of readers whose rows tell the time of day only; the date may stand in the file's name."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from vehicle.logs.errors import UnknownFormatError
from vehicle.logs.wide import ClockColumn, WideReader

if TYPE_CHECKING:
    from pathlib import Path

    from vehicle.logs.clock import TimeForm
    from vehicle.logs.reader import LogReader

_DATE = re.compile(r"(?<!\d)(20\d{2})-(\d{2})-(\d{2})(?!\d)")


class DaylessReader(WideReader):
    """Reads a wide table whose first column is the clock, often without a date."""

    def _find_clock(self) -> ClockColumn:
        clock = self._clock_at(0)
        if clock is None:
            raise UnknownFormatError(
                f"{self.path.name} looks like {self.title}, but the times in its first column cannot be read.",
                "Times look like 08:57:05.521.",
            )
        return clock

    def _start(self, form: TimeForm, clock_us: int) -> None:
        super()._start(form, clock_us)
        if form.wraps:
            start_on_day(self, self.path, clock_us)


def day_in_name(path: Path) -> datetime | None:
    """Return the date that a file's name states as YYYY-MM-DD; None where there is none or it is no date."""
    found = _DATE.search(path.name)
    try:
        return datetime(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def start_on_day(reader: LogReader, path: Path, clock_us: int) -> None:
    """Set the local start from the time of day and the date in the file's name."""
    day = day_in_name(path)
    reader.tell_day(day + timedelta(microseconds=clock_us) if day else None)
