"""Sent bodies as runs of readings: names resolved, units converted, limits looked at, times made relative."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from tools.errors import ToolError
from tools.intake.bodies import Body, Columns, DataPoint, Readings, microseconds_between
from tools.intake.plans import Floats, Plan, plan_of
from vehicle.runs import Run

Ints = NDArray[np.int64]
LONGEST_S = 1e9
_LISTED = 20
_LOCATION = {
    "latitude": ("latitude", "°"),
    "longitude": ("longitude", "°"),
    "altitude": ("altitude", "m"),
    "speed": ("gps_speed", "km/h"),
}


class Table(NamedTuple):
    """Readings of several meanings at shared times, a row each; NaN where nothing was read."""

    times_us: Ints
    plan: Plan
    values: Floats
    is_full: bool

    @classmethod
    def of(cls, times_us: Ints, plan: Plan, sent: Floats) -> Self:
        """Make a table of values in the units they were sent in."""
        values = plan.converted(sent)
        return cls(times_us, plan, values, bool(times_us.size and np.isfinite(values).all()))


class Incoming(NamedTuple):
    """A batch on its way into a session, and what is to be said about it.

    `table` holds all of its readings where all were read at the same times, as in most batches; otherwise None.
    """

    runs: list[Run]
    table: Table | None
    end_us: int
    marked: int
    unknown: list[str]
    notes: list[str]

    @property
    def readings(self) -> int:
        """How many readings the batch holds."""
        return sum(run.values.size for run in self.runs)


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


def _joined(tables: Sequence[Table], notes: list[str]) -> Incoming:
    runs: list[Run] = []
    marked = 0
    for table in tables:
        marked += table.plan.marked(table.values)
        runs += _runs(table)
    if not runs:
        raise ToolError(
            "bad_arguments", "The batch has no readings.", "; ".join(notes) or "Send at least one."
        )
    whole = tables[0] if len(tables) == 1 and tables[0].is_full else None
    meanings = dict.fromkeys(meaning for table in tables for meaning in table.plan.odd)
    unknown = [meaning.source or meaning.signal for meaning in meanings if not meaning.known]
    notes = [*notes, *(meaning.note for meaning in meanings if meaning.note)]
    if len(notes) > _LISTED:
        notes = [*notes[:_LISTED], f"{len(notes) - _LISTED} more notes are left out."]
    end_us = max(int(table.times_us.max()) for table in tables if table.times_us.size)
    return Incoming(runs, whole, end_us, marked, unknown, notes)


def _runs(table: Table) -> list[Run]:
    """Return one run per meaning that has readings; where all are full they share one array of times."""
    times_us, plan = table.times_us, table.plan
    if table.is_full:
        return [
            Run(meaning.signal, meaning.unit, ecu, times_us, values, meaning.source or "")
            for meaning, ecu, values in zip(plan.meanings, plan.ecus, table.values, strict=True)
        ]
    runs = []
    for meaning, ecu, values in zip(plan.meanings, plan.ecus, table.values, strict=True):
        read = np.isfinite(values)
        if read.any():
            run = Run(meaning.signal, meaning.unit, ecu, times_us[read], values[read], meaning.source or "")
            runs.append(run)
    return runs


def _of_columns(body: Columns, origin: datetime | None, notes: list[str]) -> Table:
    times_us = _times(body, origin)
    stray = body.units.keys() - body.columns.keys()
    if stray:
        raise ToolError(
            "bad_arguments", f"units names {', '.join(sorted(stray))}, which is no column.", "Name columns."
        )
    names = tuple(name for name in body.columns if name != "t_s")
    plan = plan_of(names, tuple(map(body.units.get, names)))
    return Table.of(times_us, plan, _matrix(body, names, notes))


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


def _of_point(body: DataPoint, origin: datetime | None, notes: list[str]) -> Table:
    origin = body.timestamp if origin is None else origin
    times_us = np.array([microseconds_between(origin, body.timestamp)], np.int64)
    numbers = count(1)
    sent = [
        (one.name or (None if one.pid else f"parameter {next(numbers)}"), one.unit, one.pid, one.value)
        for one in body.parameters
    ]
    place = body.location.model_dump(exclude_none=True) if body.location else {}
    sent += [(*_LOCATION[key], None, value) for key, value in place.items()]
    names, units, requests, numbers_sent = zip(*sent, strict=True) if sent else ((), (), (), ())
    plan = plan_of(names, units, requests)
    values = np.array(numbers_sent, np.float64).reshape(len(sent), 1)
    for meaning, value in zip(plan.meanings, numbers_sent, strict=True):
        _note_refused(meaning.signal, int(not np.isfinite(value)), notes)
    return Table.of(times_us, plan, values)


def _of_readings(body: Readings, origin: datetime | None, notes: list[str]) -> list[Table]:
    groups: dict[tuple[str, str | None, str], tuple[list[int], list[float]]] = {}
    start = origin or first_time(body)
    for reading in body.readings:
        key = reading.signal, reading.unit, reading.ecu or ""
        times, values = groups.setdefault(key, ([], []))
        assert start is not None  # noqa: S101 - there is a reading, so there is a first time
        times.append(microseconds_between(start, reading.time))
        values.append(reading.value)
    tables = []
    for (name, unit, ecu), (times, values) in groups.items():
        plan = plan_of((name,), (unit,), ecus=(ecu,))
        sent = np.array([values], np.float64)
        _note_refused(plan.meanings[0].signal, int(sent.size - np.isfinite(sent).sum()), notes)
        tables.append(Table.of(np.array(times, np.int64), plan, sent))
    return tables
