"""Readings back out: compacted chunks and the live tail through the same functions."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, Connection, select

from storage import codec, live
from storage.checks import in_range
from storage.chunks import overlapping
from storage.codec import Floats, Ints
from storage.errors import NotFoundError
from storage.records import Channel, Series
from storage.tables import channel, chunk, live_chunk, session, time_base
from storage.zones import Zone, joined, zones_of_heads

Run = tuple[Ints, Floats]
_IDS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class ChannelName:
    """A channel's number within its session, and what it is called."""

    number: int
    signal: str
    unit: str
    ecu: str | None
    source: str | None
    compacted: Zone | None


def names(connection: Connection, session_id: str, signals: Sequence[str] | None) -> list[ChannelName]:
    """Return the channels of a session, of all signals or those given; NotFoundError where one is missing."""
    if connection.scalar(select(session.c.id).where(session.c.id == session_id)) is None:
        raise NotFoundError(f"There is no session {session_id}.", "List the sessions to find its id.")
    rows = connection.execute(
        select(channel).where(channel.c.session_id == session_id).order_by(channel.c.number)
    )
    held = [
        ChannelName(
            row.number,
            row.signal,
            row.unit,
            row.ecu or None,
            row.source or None,
            Zone(row.readings, row.first_us, row.last_us, row.vmin, row.vmax, row.vsum)
            if row.readings
            else None,
        )
        for row in rows
    ]
    if signals is None:
        return held
    _require(session_id, signals, {name.signal for name in held})
    return [name for name in held if name.signal in set(signals)]


def _require(session_id: str, wanted: Sequence[str], held: Collection[str]) -> None:
    missing = [signal for signal in wanted if signal not in held]
    if missing:
        raise NotFoundError(
            f"Session {session_id} has no {', '.join(missing)}.",
            f"It has: {', '.join(sorted(held)) or 'no readings at all'}.",
        )


def channels(connection: Connection, session_id: str) -> list[Channel]:
    """Return what a session holds, from zone maps alone."""
    named = names(connection, session_id, None)
    heads = connection.scalars(select(live_chunk.c.head).where(live_chunk.c.session_id == session_id))
    fresh = zones_of_heads(heads)
    held = [(name, [zone for zone in (name.compacted, fresh.get(name.number)) if zone]) for name in named]
    return [described(name, joined(zones)) for name, zones in held if zones]


def described(name: ChannelName, zone: Zone) -> Channel:
    """Return a channel as callers see it."""
    return Channel(
        name.signal,
        name.unit,
        name.ecu,
        name.source,
        zone.n,
        zone.first_us,
        zone.last_us,
        zone.vmin,
        zone.vmax,
        zone.mean,
    )


def live_runs(
    connection: Connection,
    session_id: str,
    numbers: Collection[int],
    start_us: int | None,
    end_us: int | None,
    *only: ColumnElement[bool],
) -> dict[int, Run]:
    """Return the readings not yet compacted, per channel number, in order of arrival."""
    rows = connection.execute(
        select(live_chunk.c.head, live_chunk.c.data)
        .where(*overlapping(live_chunk, session_id, start_us, end_us), *only)
        .order_by(live_chunk.c.seq)
    )
    return live.split(((row.head, row.data) for row in rows), numbers)


def time_bases(connection: Connection, session_id: str, counts: dict[int, int]) -> dict[int, Ints]:
    """Return the time vectors with the given numbers and lengths, each decoded once."""
    wanted = list(counts)
    found: dict[int, Ints] = {}
    for start in range(0, len(wanted), _IDS_PER_QUERY):
        rows = connection.execute(
            select(time_base.c.number, time_base.c.data).where(
                time_base.c.session_id == session_id,
                time_base.c.number.in_(wanted[start : start + _IDS_PER_QUERY]),
            )
        )
        found |= {row.number: codec.unpack_times(row.data, counts[row.number]) for row in rows}
    return found


def _compacted_runs(
    connection: Connection,
    session_id: str,
    numbers: Collection[int],
    start_us: int | None,
    end_us: int | None,
) -> Iterator[tuple[int, Run]]:
    c = chunk.c
    rows = connection.execute(
        select(c.channel, c.time_base, c.n, c.data)
        .where(*overlapping(chunk, session_id, start_us, end_us), c.channel.in_(numbers))
        .order_by(c.channel, c.part)
    ).all()
    bases = time_bases(connection, session_id, {row.time_base: row.n for row in rows})
    for row in rows:
        yield row.channel, (bases[row.time_base], codec.unpack_values(row.data, row.n))


def read(
    connection: Connection,
    session_id: str,
    signals: Sequence[str] | None,
    start_us: int | None,
    end_us: int | None,
) -> list[Series]:
    """Return the readings of a session in time order; see Samples.read."""
    named = names(connection, session_id, signals)
    numbers = [name.number for name in named]
    runs: dict[int, list[Run]] = {number: [] for number in numbers}
    for number, run in _compacted_runs(connection, session_id, numbers, start_us, end_us):
        runs[number].append(run)
    for number, run in live_runs(connection, session_id, numbers, start_us, end_us).items():
        runs[number].append(run)
    return [series(name, in_range(*in_order(runs[name.number]), start_us, end_us)) for name in named]


def series(name: ChannelName, run: Run) -> Series:
    """Return a run as callers see it; the arrays become read-only, since they may be shared."""
    times, values = run
    times.flags.writeable = False
    values.flags.writeable = False
    return Series(name.signal, name.unit, name.ecu, times, values, name.source)


def in_order(runs: Sequence[Run]) -> Run:
    """Join runs in order of arrival into one in time order; equal times keep their order of arrival."""
    if not runs:
        return np.empty(0, np.int64), np.empty(0, np.float64)
    times, values = runs[0]
    if len(runs) > 1:
        times = np.concatenate([run[0] for run in runs])
        values = np.concatenate([run[1] for run in runs])
    if (times[1:] >= times[:-1]).all():
        return times, values
    order = np.argsort(times, kind="stable")
    return times[order], values[order]
