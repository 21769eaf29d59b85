"""The hot path: one durable transaction per batch of readings."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, case, insert, or_, select, update

from storage import live
from storage.checks import check_batch, checked, columns_of, is_ready, pieces
from storage.database import Database
from storage.errors import InvalidDataError, NotFoundError, StorageError
from storage.owners import Owners
from storage.prepared import Cursor, Prepared
from storage.records import Block, ChannelKey, Column, Readings
from storage.tables import channel, live_chunk, receipt, session

Packed = tuple[live.Batch, Sequence[ChannelKey]]
_KNOWN_SESSIONS = 256

_first: BindParameter[int] = bindparam("first")
_last: BindParameter[int] = bindparam("last")
_COUNT = (
    update(session)
    .where(
        session.c.id == bindparam("session"),
        or_(session.c.state == "recording", session.c.state == "importing"),
    )
    .values(
        batches=session.c.batches + bindparam("rows"),
        readings=session.c.readings + bindparam("n"),
        version=session.c.version + 1,
        appended_us=bindparam("now"),
        first_us=case((session.c.first_us < _first, session.c.first_us), else_=_first),
        last_us=case((session.c.last_us > _last, session.c.last_us), else_=_last),
    )
    .returning(session.c.batches)
)


class Intake:
    """Appends batches and remembers the channel numbers it has seen."""

    def __init__(self, database: Database, owners: Owners) -> None:
        self._database = database
        self._owners = owners
        self._count = Prepared(_COUNT, database.engine.dialect)
        self._insert = Prepared(insert(live_chunk), database.engine.dialect)
        self._known: dict[str, dict[ChannelKey, int]] = {}

    def append(self, session_id: str, readings: Readings, key: str | None) -> int:
        """Store a batch durably; see Samples.append."""
        batches = _packed(readings)
        wanted = dict.fromkeys(name for _, names in batches for name in names)
        known = self._known.get(session_id)
        if key is None and known is not None and wanted.keys() <= known.keys():
            with self._database.appending() as cursor:
                last = self._store(cursor, session_id, batches, known)
            if last is not None:
                return last
        return self._append_with_care(session_id, batches, wanted, key)

    def append_many(self, batches: Sequence[tuple[str, Readings]]) -> list[int | StorageError]:
        """Store batches of several sessions, the usual ones in one transaction; see Samples.append_many."""
        done: dict[int, int | StorageError] = {}
        careful: set[str] = set()
        try:
            with self._database.appending() as cursor:
                for place, (session_id, readings) in enumerate(batches):
                    last = None if session_id in careful else self._store_usual(cursor, session_id, readings)
                    if last is None:
                        careful.add(session_id)
                    else:
                        done[place] = last
        except StorageError as error:
            done = dict.fromkeys(range(len(batches)), error)
        for place, (session_id, readings) in enumerate(batches):
            if place not in done:
                done[place] = self._append_alone(session_id, readings)
        return [done[place] for place in range(len(batches))]

    def _store_usual(self, cursor: Cursor, session_id: str, readings: Readings) -> int | None:
        """Store a batch whose session and channels are known; None, and nothing stored, for any other."""
        try:
            batches = _packed(readings)
        except InvalidDataError:
            return None
        known = self._known.get(session_id)
        if known is None or not all(name in known for _, names in batches for name in names):
            return None
        return self._store(cursor, session_id, batches, known)

    def _append_alone(self, session_id: str, readings: Readings) -> int | StorageError:
        try:
            return self.append(session_id, readings, None)
        except StorageError as error:
            return error

    def _append_with_care(
        self, session_id: str, batches: Sequence[Packed], wanted: Mapping[ChannelKey, None], key: str | None
    ) -> int:
        """Store a batch that has a key or new channels, or whose session is interrupted, finished or unknown."""
        with self._database.writing() as connection:
            state = _locked_state(connection, session_id)
            if key is not None and (stored := _receipt(connection, session_id, key)) is not None:
                return stored
            if state == "interrupted":
                self._resume(connection, session_id)
            known = _numbers(connection, session_id, wanted)
            last = self._store(connection.connection.cursor(), session_id, batches, known)
            if last is None:
                raise InvalidDataError(
                    f"Session {session_id} is {state}: it takes no more readings.", "Start a new session."
                )
            if key is not None:
                connection.execute(insert(receipt), {"session_id": session_id, "key": key, "seq": last})
        self._remember(session_id, known)
        return last

    def _store(
        self, cursor: Cursor, session_id: str, batches: Sequence[Packed], known: Mapping[ChannelKey, int]
    ) -> int | None:
        """Count and insert batches; return the last one's sequence, None where the session takes no readings."""
        counts = {
            "session": session_id,
            "rows": len(batches),
            "n": sum(batch.n for batch, _ in batches),
            "first": min(batch.first_us for batch, _ in batches),
            "last": max(batch.last_us for batch, _ in batches),
            "now": time.time_ns() // 1000,
        }
        last: int | None = self._count.run(cursor, counts)
        if last is not None:
            for seq, (batch, keys) in enumerate(batches, last - len(batches) + 1):
                batch.head[:, live.CHANNEL] = [known[key] for key in keys]
                self._insert.run(cursor, _row(session_id, seq, batch))
        return last

    def _resume(self, connection: Connection, session_id: str) -> None:
        resumed = {"state": "recording", "owner": self._owners.token(), "ended_at": None}
        connection.execute(update(session).where(session.c.id == session_id).values(resumed))

    def _remember(self, session_id: str, known: dict[ChannelKey, int]) -> None:
        if len(self._known) >= _KNOWN_SESSIONS:
            self._known = {}
        self._known[session_id] = known


def _packed(readings: Readings) -> list[Packed]:
    """Return readings as rows; a block in one, columns in as many as they need."""
    if isinstance(readings, Block) and is_ready(readings):
        batch = live.pack_block(readings)
        check_batch(batch, readings)
        return [(batch, readings.keys)]
    return [_packed_columns(piece) for piece in pieces(checked(columns_of(readings)))]


def _packed_columns(columns: Sequence[Column]) -> Packed:
    batch = live.pack(columns)
    check_batch(batch, columns)
    return batch, [(column.signal, column.unit, column.ecu or "", column.source or "") for column in columns]


def _locked_state(connection: Connection, session_id: str) -> str:
    """Return a session's state, holding its row so that concurrent batches with one key wait for each other."""
    state = connection.scalar(select(session.c.state).where(session.c.id == session_id).with_for_update())
    if state is None:
        raise NotFoundError(f"There is no session {session_id}.", "List the sessions to find its id.")
    return str(state)


def _receipt(connection: Connection, session_id: str, key: str) -> int | None:
    """Return the sequence a key stands for."""
    found = select(receipt.c.seq).where(receipt.c.session_id == session_id, receipt.c.key == key)
    return connection.scalar(found)


def _numbers(
    connection: Connection, session_id: str, wanted: Mapping[ChannelKey, None]
) -> dict[ChannelKey, int]:
    """Return the numbers of a session's channels; the wanted ones are created where they are new."""
    known = _stored_numbers(connection, session_id)
    first = max(known.values(), default=0) + 1
    created = {key: number for number, key in enumerate((key for key in wanted if key not in known), first)}
    if created:
        rows = [_channel_row(session_id, number, key) for key, number in created.items()]
        connection.execute(insert(channel), rows)
    return known | created


def _stored_numbers(connection: Connection, session_id: str) -> dict[ChannelKey, int]:
    c = channel.c
    rows = connection.execute(
        select(c.signal, c.unit, c.ecu, c.source, c.number).where(c.session_id == session_id)
    )
    return {(row.signal, row.unit, row.ecu, row.source): row.number for row in rows}


def _channel_row(session_id: str, number: int, key: ChannelKey) -> dict[str, Any]:
    signal, unit, ecu, source = key
    row = {"session_id": session_id, "number": number, "readings": 0}
    return row | {"signal": signal, "unit": unit, "ecu": ecu, "source": source}


def _row(session_id: str, seq: int, batch: live.Batch) -> dict[str, Any]:
    return {
        "session_id": session_id,
        "seq": seq,
        "first_us": batch.first_us,
        "last_us": batch.last_us,
        "n": batch.n,
        "head": batch.head.tobytes(),
        "data": batch.data,
    }
