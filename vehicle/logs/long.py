"""The base of readers for tables with one row per reading: time, name, value and unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vehicle.logs.channels import Channels
from vehicle.logs.errors import UnknownFormatError
from vehicle.logs.names import key
from vehicle.logs.timeline import Timeline
from vehicle.logs.wide import ClockColumn, WideReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from vehicle.logs.channel import Channel
    from vehicle.logs.frames import Frame, Kind
    from vehicle.logs.text import Head
    from vehicle.runs import Run

_TIME = ("seconds", "time", "timestamp", "t s", "time s", "date time", "datetime", "t")
_NAME = ("signal", "label", "name", "parameter", "sensor", "channel", "pid name", "description", "pid")
_VALUE = ("value", "reading", "val", "wert")
_UNIT = ("units", "unit", "einheit")
_PLACE = {
    "latitude": "latitude",
    "lat": "latitude",
    "longitude": "longitude",
    "longtitude": "longitude",
    "lon": "longitude",
}


class Roles(NamedTuple):
    """Which column tells what; -1 where there is none."""

    time: int
    name: int
    value: int
    unit: int
    places: dict[int, str]


def roles_of(header: Sequence[str]) -> Roles | None:
    """Return the roles of a long table's columns, or None where it is none."""
    keys = [key(name) for name in header]
    time, name, value, unit = (
        next((keys.index(word) for word in words if word in keys), -1)
        for words in (_TIME, _NAME, _VALUE, _UNIT)
    )
    if min(time, name, value) < 0:
        return None
    return Roles(time, name, value, unit, {i: _PLACE[word] for i, word in enumerate(keys) if word in _PLACE})


class LongReader(WideReader):
    """Reads one reading per row; channels are made as their names come up."""

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._channels = Channels(self.format, self._notes, self.columns, tells_repeats=True)
        self._timeline = Timeline(self._notes, wraps=self._clock.form.wraps, tells_repeats=False)
        self._last_place: dict[str, float] = {}

    @property
    def _roles(self) -> Roles:
        roles = roles_of(self._table.header)
        if roles is None:
            raise UnknownFormatError(
                f"{self.path.name} has no columns for time, name and value.",
                f"Its columns are {', '.join(self._table.header[:8])}.",
            )
        return roles

    def _find_clock(self) -> ClockColumn:
        clock = self._clock_at(self._roles.time)
        if clock is None:
            raise UnknownFormatError(
                f"The times in column {self._table.header[self._roles.time]!r} of {self.path.name} cannot be read.",
                "Times may be seconds, clock times or dates with times.",
            )
        return clock

    def _kinds(self) -> dict[int, Kind]:
        kinds = super()._kinds()
        kinds[self._roles.name] = "category"
        if self._roles.unit >= 0:
            kinds[self._roles.unit] = "category"
        return kinds

    def _fixed_columns(self) -> frozenset[int]:
        roles = self._roles
        return frozenset({roles.time, roles.name, roles.value, roles.unit, *roles.places} - {-1})

    def _columns(self, frame: Frame, times_us: NDArray[np.int64]) -> list[Run]:
        roles = self._roles
        values = frame.data[roles.value]
        runs = []
        for name, unit, rows in _groups(frame.data, roles):
            if not name:
                self._notes.count_lines("Rows without a name, dropped", frame.lines[rows])
                continue
            channel = self._channel(name, unit)
            if channel is None:
                self._notes.count_lines("Rows of channels beyond the first 2,000, dropped", frame.lines[rows])
                continue
            run = channel.take(values.iloc[rows], times_us[rows], frame.lines[rows])
            if run is not None:
                runs.append(run)
        for index, signal in roles.places.items():
            runs += self._moves(frame, times_us, index, signal)
        return runs

    def _channel(self, name: str, unit: str) -> Channel | None:
        return self._channels.get(name, unit if self._roles.unit >= 0 else None)

    def _moves(self, frame: Frame, times_us: NDArray[np.int64], index: int, signal: str) -> list[Run]:
        """Return positions where they change: every row repeats the last one."""
        heading = frame.header[index]
        channel = self._channels.get(heading)
        if channel is None or index not in frame.data:
            return []
        import pandas as pd

        values = pd.to_numeric(frame.data[index], errors="coerce").to_numpy(dtype=np.float64)
        before = np.concatenate(([self._last_place.get(signal, np.nan)], values[:-1]))
        rows = np.flatnonzero((values != before) & np.isfinite(values))
        if not len(rows):
            return []
        self._last_place[signal] = float(values[rows[-1]])
        self._notes.count("Repeated positions, not kept", number=int(np.isfinite(values).sum()) - len(rows))
        run = channel.take(values[rows], times_us[rows], frame.lines[rows])
        return [run] if run is not None else []

    def _tell_clock_column(self) -> None:
        """Say nothing: the columns of a long table are no channels."""

    def _count_nameless(self, frame: Frame) -> None:
        """Say nothing: columns beside time, name, value and unit are no readings."""


def _groups(data: pd.DataFrame, roles: Roles) -> list[tuple[str, str, NDArray[np.intp]]]:
    """Return the rows of each pair of name and unit, in order of the file."""
    names, codes = _coded(data, roles.name)
    units, unit_codes = _coded(data, roles.unit)
    pairs = codes * len(units) + unit_codes
    order = np.argsort(pairs, kind="stable")
    edges = np.flatnonzero(np.diff(pairs[order])) + 1
    return [
        (names[pairs[rows[0]] // len(units)], units[pairs[rows[0]] % len(units)], rows)
        for rows in np.split(order, edges)
        if len(rows)
    ]


def _coded(data: pd.DataFrame, column: int) -> tuple[list[str], NDArray[np.int64]]:
    if column < 0 or column not in data:
        return [""], np.zeros(len(data), dtype=np.int64)
    categories = data[column].astype("category").cat
    names = [*(str(name).strip() for name in categories.categories), ""]  # code -1: no text
    return names, np.asarray(categories.codes, dtype=np.int64) % len(names)
