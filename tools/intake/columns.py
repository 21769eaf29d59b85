"""Sent bodies as runs of readings: names resolved, units converted, limits looked at, times made relative."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.errors import ToolError
from tools.intake.bodies import Body, Columns, DataPoint, Readings, microseconds_between
from tools.intake.naming import Meaning, meaning_of
from vehicle.runs import Run

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LONGEST_S = 1e9
_LISTED = 20
_LOCATION = {
    "latitude": ("latitude", "°"),
    "longitude": ("longitude", "°"),
    "altitude": ("altitude", "m"),
    "speed": ("gps_speed", "km/h"),
}


class Incoming(NamedTuple):
    """A batch on its way into a session, and what is to be said about it."""

    runs: list[Run]
    end_us: int
    marked: int
    unknown: list[str]
    notes: list[str]

    @property
    def readings(self) -> int:
        """How many readings the batch holds."""
        return sum(run.values.size for run in self.runs)


class _Table(NamedTuple):
    """Readings of several meanings at shared times; NaN where nothing was read."""

    times_us: Ints
    meanings: Sequence[Meaning]
    ecus: Sequence[str]
    values: Floats


def first_time(body: Body) -> datetime | None:
    """Return the earliest time the body states, None where its times are relative."""
    if isinstance(body, DataPoint):
        return body.timestamp
    if isinstance(body, Readings):
        return min((reading.time for reading in body.readings), default=None)
    return body.start


def incoming(body: Body, origin: datetime | None) -> Incoming:
    """Return the body as runs, with times counted from `origin`, the session's start.

    Raises:
        ToolError: `bad_arguments` for columns of unequal length, times that are missing or too far away.
    """
    notes: list[str] = []
    if isinstance(body, Columns):
        tables = [_of_columns(body, origin, notes)]
    elif isinstance(body, DataPoint):
        tables = [_of_point(body, origin, notes)]
    else:
        tables = _of_readings(body, origin, notes)
    return _joined(tables, notes)


def _joined(tables: Sequence[_Table], notes: list[str]) -> Incoming:
    runs: list[Run] = []
    marked = 0
    for table in tables:
        marked += _marked(table)
        runs += _runs(table)
    if not runs:
        raise ToolError(
            "bad_arguments", "The batch has no readings.", "; ".join(notes) or "Send at least one."
        )
    meanings = dict.fromkeys(meaning for table in tables for meaning in table.meanings)
    unknown = [meaning.source or meaning.signal for meaning in meanings if not meaning.known]
    notes = [*notes, *(meaning.note for meaning in meanings if meaning.note)]
    if len(notes) > _LISTED:
        notes = [*notes[:_LISTED], f"{len(notes) - _LISTED} more notes are left out."]
    end_us = max(int(table.times_us.max()) for table in tables if table.times_us.size)
    return Incoming(runs, end_us, marked, unknown, notes)


def _marked(table: _Table) -> int:
    """Count the readings outside their signal's limits; NaN is neither."""
    lows, highs = _limits(tuple(table.meanings))
    outside = (table.values < lows) | (table.values > highs)
    return int(np.count_nonzero(outside))


@lru_cache(maxsize=512)
def _limits(meanings: tuple[Meaning, ...]) -> tuple[Floats, Floats]:
    """Return the limits as columns, with room for rounding in a conversion."""
    lows = np.array([meaning.low - 1e-9 * abs(meaning.low) for meaning in meanings])
    highs = np.array([meaning.high + 1e-9 * abs(meaning.high) for meaning in meanings])
    return lows.reshape(-1, 1), highs.reshape(-1, 1)


def _runs(table: _Table) -> list[Run]:
    """Return one run per meaning that has readings; where all are full they share one array of times."""
    full = bool(np.isfinite(table.values).all())
    runs = []
    for meaning, ecu, values in zip(table.meanings, table.ecus, table.values, strict=True):
        times_us = table.times_us
        if not full:
            read = np.isfinite(values)
            times_us, values = times_us[read], values[read]
        if values.size:
            runs.append(Run(meaning.signal, meaning.unit, ecu, times_us, values, meaning.source or ""))
    return runs


def _of_columns(body: Columns, origin: datetime | None, notes: list[str]) -> _Table:
    times_us = _times(body, origin)
    stray = body.units.keys() - body.columns.keys()
    if stray:
        raise ToolError(
            "bad_arguments", f"units names {', '.join(sorted(stray))}, which is no column.", "Name columns."
        )
    names = tuple(name for name in body.columns if name != "t_s")
    meanings = _meanings(names, tuple(body.units.get(name) for name in names))
    return _Table(times_us, meanings, [""] * len(names), _converted(_matrix(body, names, notes), meanings))


def _times(body: Columns, origin: datetime | None) -> Ints:
    given = body.columns.get("t_s")
    if given is None:
        raise ToolError("bad_arguments", "The column t_s is missing.", "Give seconds since start as t_s.")
    times_s = np.array(given, np.float64)
    if not np.all(np.abs(times_s) < LONGEST_S):
        raise ToolError(
            "bad_arguments",
            "t_s holds null, NaN or a time too far away.",
            "Give a finite time for every row.",
        )
    shift_us = 0 if body.start is None or origin is None else microseconds_between(origin, body.start)
    return np.rint(times_s * 1e6).astype(np.int64) + shift_us


@lru_cache(maxsize=512)
def _meanings(names: tuple[str, ...], units: tuple[str | None, ...]) -> tuple[Meaning, ...]:
    return tuple(meaning_of(name, unit) for name, unit in zip(names, units, strict=True))


def _matrix(body: Columns, names: tuple[str, ...], notes: list[str]) -> Floats:
    """Return the columns as rows of one array, null as NaN; infinities and NaN are refused one by one."""
    rows = len(body.columns["t_s"])
    for name in names:
        if len(body.columns[name]) != rows:
            raise ToolError(
                "bad_arguments",
                f"{name} has {len(body.columns[name])} values for {rows} times.",
                "Give columns of equal length; null where nothing was read.",
            )
    values = np.array([body.columns[name] for name in names], np.float64).reshape(len(names), rows)
    if not np.isfinite(values).all():
        for name, row in zip(names, values, strict=True):
            missing = _missing(body.columns[name])
            _note_refused(name, int(rows - np.isfinite(row).sum()) - missing, notes)
    return values


def _missing(column: Sequence[float | None] | Floats) -> int:
    """Count where nothing was read: null in a list, NaN in an array."""
    return int(np.isnan(column).sum()) if isinstance(column, np.ndarray) else column.count(None)


def _note_refused(name: str, refused: int, notes: list[str]) -> None:
    if refused > 0:
        notes.append(f"{name}: {refused} values are not finite numbers and were refused")


def _converted(values: Floats, meanings: Sequence[Meaning]) -> Floats:
    factors, offsets, needed = _scales(tuple(meanings))
    return values * factors + offsets if needed else values


@lru_cache(maxsize=512)
def _scales(meanings: tuple[Meaning, ...]) -> tuple[Floats, Floats, bool]:
    factors = np.array([[meaning.factor] for meaning in meanings])
    offsets = np.array([[meaning.offset] for meaning in meanings])
    return factors, offsets, bool((factors != 1).any() or (offsets != 0).any())


def _of_point(body: DataPoint, origin: datetime | None, notes: list[str]) -> _Table:
    origin = body.timestamp if origin is None else origin
    times_us = np.array([microseconds_between(origin, body.timestamp)], np.int64)
    numbers = count(1)
    sent = [
        (
            meaning_of(one.name or (None if one.pid else f"parameter {next(numbers)}"), one.unit, one.pid),
            one.value,
        )
        for one in body.parameters
    ]
    place = body.location.model_dump(exclude_none=True) if body.location else {}
    sent += [(meaning_of(*_LOCATION[key]), value) for key, value in place.items()]
    meanings = [meaning for meaning, _ in sent]
    values = np.array([value for _, value in sent], np.float64).reshape(len(sent), 1)
    for meaning, value in sent:
        _note_refused(meaning.signal, int(not np.isfinite(value)), notes)
    return _Table(times_us, meanings, [""] * len(sent), _converted(values, meanings))


def _of_readings(body: Readings, origin: datetime | None, notes: list[str]) -> list[_Table]:
    groups: dict[tuple[Meaning, str], tuple[list[int], list[float]]] = {}
    start = origin or first_time(body)
    for reading in body.readings:
        key = meaning_of(reading.signal, reading.unit), reading.ecu or ""
        times, values = groups.setdefault(key, ([], []))
        assert start is not None  # noqa: S101 - there is a reading, so there is a first time
        times.append(microseconds_between(start, reading.time))
        values.append(reading.value)
    for (meaning, _), (_, values) in groups.items():
        _note_refused(meaning.signal, int(np.size(values) - np.isfinite(values).sum()), notes)
    return [
        _Table(
            np.array(times, np.int64), [meaning], [ecu], _converted(np.array([values], np.float64), [meaning])
        )
        for (meaning, ecu), (times, values) in groups.items()
    ]
