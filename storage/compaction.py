"""Turn the many small batches of a session into few long chunks, in steps that each keep the data whole.

One step reads and encodes up to STEP_READINGS without holding any lock, then swaps chunks for batches in one
transaction. A crash between steps leaves a session that reads the same and is compacted further next time.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select, update

from storage import codec, live
from storage.codec import Floats, Ints
from storage.database import Database
from storage.readout import in_order
from storage.tables import channel, chunk, live_chunk, session, time_base
from storage.zones import Zone, joined, zone_of

CHUNK_READINGS = 65_536
STEP_READINGS = 2_000_000


class _OvertakenError(Exception):
    """Somebody else compacted or deleted the same batches meanwhile."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    channel: int
    zone: Zone
    base: bytes
    data: bytes


class _Step:
    """Encoded chunks of one step, with each distinct time vector once."""

    def __init__(self) -> None:
        self.chunks: list[_Chunk] = []
        self.bases: dict[bytes, bytes] = {}

    def add(self, number: int, times: Ints, values: Floats) -> None:
        """Encode one channel's readings, cut into chunks of nearly equal length."""
        cuts = -(-times.size // CHUNK_READINGS)
        for part_times, part_values in zip(
            np.array_split(times, cuts), np.array_split(values, cuts), strict=True
        ):
            digest = hashlib.blake2b(part_times.tobytes(), digest_size=16).digest()
            if digest not in self.bases:
                self.bases[digest] = codec.pack_times(part_times)
            data = codec.pack_values(part_values)
            self.chunks.append(_Chunk(number, zone_of(part_times, part_values), digest, data))


def compact(database: Database, session_id: str) -> None:
    """Compact all live batches of a session; safe beside readers, appends and another compaction."""
    while True:
        with database.reading() as connection:
            sequences = _next_batches(connection, session_id)
            if not sequences:
                return
            step = _encoded(connection, session_id, sequences)
        try:
            with database.writing() as connection:
                _swap(connection, session_id, sequences, step)
        except _OvertakenError:
            continue


def _next_batches(connection: Connection, session_id: str) -> list[int]:
    c = live_chunk.c
    rows = connection.execute(select(c.seq, c.n).where(c.session_id == session_id).order_by(c.seq)).all()
    sizes = np.cumsum([row.n for row in rows])
    take = max(1, int(np.searchsorted(sizes, STEP_READINGS, "right")))
    return [row.seq for row in rows[:take]]


def _encoded(connection: Connection, session_id: str, sequences: list[int]) -> _Step:
    c = live_chunk.c
    rows = connection.execute(
        select(c.head, c.data)
        .where(c.session_id == session_id, c.seq <= sequences[-1])
        .order_by(c.seq)
        .execution_options(yield_per=64)
    )
    step = _Step()
    for number, run in live.split((row.head, row.data) for row in rows).items():
        step.add(number, *in_order([run]))
    return step


def _swap(connection: Connection, session_id: str, sequences: list[int], step: _Step) -> None:
    connection.execute(select(session.c.id).where(session.c.id == session_id).with_for_update())
    removed = connection.execute(
        delete(live_chunk).where(live_chunk.c.session_id == session_id, live_chunk.c.seq <= sequences[-1])
    )
    if removed.rowcount != len(sequences):
        raise _OvertakenError
    first = _next_number(connection, session_id)
    numbers = {digest: first + index for index, digest in enumerate(step.bases)}
    bases = [
        {"session_id": session_id, "number": numbers[digest], "data": data}
        for digest, data in step.bases.items()
    ]
    connection.execute(insert(time_base), bases)
    parts = _next_parts(connection, session_id)
    rows = []
    for one in step.chunks:
        part = parts[one.channel] = parts.get(one.channel, 0) + 1
        rows.append(_row(session_id, one, part, numbers[one.base]))
    connection.execute(insert(chunk), rows)
    _count(connection, session_id, step)


def _next_number(connection: Connection, session_id: str) -> int:
    held = connection.scalar(select(func.max(time_base.c.number)).where(time_base.c.session_id == session_id))
    return (held or 0) + 1


def _next_parts(connection: Connection, session_id: str) -> dict[int, int]:
    c = chunk.c
    rows = connection.execute(
        select(c.channel, func.max(c.part).label("part"))
        .where(c.session_id == session_id)
        .group_by(c.channel)
    )
    return {row.channel: row.part for row in rows}


def _row(session_id: str, one: _Chunk, part: int, base: int) -> dict[str, Any]:
    return {
        "session_id": session_id,
        "channel": one.channel,
        "part": part,
        "time_base": base,
        "data": one.data,
        **one.zone._asdict(),
    }


def _count(connection: Connection, session_id: str, step: _Step) -> None:
    """Add the step's readings to the channels' statistics."""
    zones: dict[int, list[Zone]] = {}
    for one in step.chunks:
        zones.setdefault(one.channel, []).append(one.zone)
    rows = connection.execute(
        select(channel).where(channel.c.session_id == session_id, channel.c.number.in_(zones))
    )
    for row in rows.all():
        held = zones[row.number]
        if row.readings:
            held.append(Zone(row.readings, row.first_us, row.last_us, row.vmin, row.vmax, row.vsum))
        zone = joined(held)._asdict()
        connection.execute(
            update(channel)
            .where(channel.c.session_id == session_id, channel.c.number == row.number)
            .values(readings=zone.pop("n"), **zone)
        )
