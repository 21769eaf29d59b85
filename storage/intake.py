"""The hot path: one durable transaction per batch of readings."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, case, insert, or_, select, update

from storage import live
from storage.checks import check_zones, checked, pieces
from storage.database import Database
from storage.errors import InvalidDataError, NotFoundError
from storage.owners import Owners
from storage.prepared import Prepared
from storage.records import Column
from storage.tables import channel, live_chunk, receipt, session

ChannelKey = tuple[str, str, str, str]
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
        first_us=case((session.c.first_us < _first, session.c.first_us), else_=_first),
        last_us=case((session.c.last_us > _last, session.c.last_us), else_=_last),
    )
    .returning(session.c.batches)
)
_INSERT = insert(live_chunk)


class Intake:
    """Appends batches and remembers the channel numbers it has seen."""

    def __init__(self, database: Database, owners: Owners) -> None:
        self._database = database
        self._owners = owners
        self._count_batches = Prepared(_COUNT, database.engine.dialect)
        self._insert = Prepared(_INSERT, database.engine.dialect)
        self._known: dict[str, dict[ChannelKey, int]] = {}

    def append(self, session_id: str, columns: Sequence[Column], key: str | None) -> int:
        """Store a batch durably; see Samples.append."""
        batches = [(piece, _packed(piece)) for piece in pieces(checked(columns))]
        with self._database.writing() as connection:
            if key is not None and (stored := _receipt(connection, session_id, key)) is not None:
                return stored
            last = self._count(connection, session_id, [batch for _, batch in batches])
            numbers = self._numbers(connection, session_id, columns)
            rows = [
                _row(
                    session_id,
                    last - len(batches) + index,
                    batch,
                    [numbers[_key(column)] for column in piece],
                )
                for index, (piece, batch) in enumerate(batches, 1)
            ]
            for row in rows:
                self._insert.run(connection, row)
            if key is not None:
                connection.execute(insert(receipt), {"session_id": session_id, "key": key, "seq": last})
        self._remember(session_id, numbers)
        return last

    def _count(self, connection: Connection, session_id: str, batches: Sequence[live.Batch]) -> int:
        counts = {
            "session": session_id,
            "rows": len(batches),
            "n": sum(batch.n for batch in batches),
            "first": min(batch.first_us for batch in batches),
            "last": max(batch.last_us for batch in batches),
        }
        last = self._count_batches.run(connection, counts)
        if last is None:
            self._resume(connection, session_id)
            last = self._count_batches.run(connection, counts)
        return int(last)

    def _resume(self, connection: Connection, session_id: str) -> None:
        """Let an interrupted session go on; refuse one that does not exist or is finished."""
        state = connection.scalar(select(session.c.state).where(session.c.id == session_id))
        if state is None:
            raise NotFoundError(f"There is no session {session_id}.", "List the sessions to find its id.")
        if state != "interrupted":
            raise InvalidDataError(
                f"Session {session_id} is {state}: it takes no more readings.", "Start a new one."
            )
        resumed = {"state": "recording", "owner": self._owners.token(), "ended_at": None}
        connection.execute(update(session).where(session.c.id == session_id).values(resumed))

    def _numbers(
        self, connection: Connection, session_id: str, columns: Sequence[Column]
    ) -> dict[ChannelKey, int]:
        known = self._known.get(session_id, {})
        wanted = {_key(column): None for column in columns if len(column.times_us)}
        if wanted.keys() <= known.keys():
            return known
        known = _stored_numbers(connection, session_id)
        new = [key for key in wanted if key not in known]
        if new:
            known = known | dict(zip(new, range(max(known.values(), default=0) + 1, 1 << 31), strict=False))
            connection.execute(insert(channel), [_channel_row(session_id, known[key], key) for key in new])
        return known

    def _remember(self, session_id: str, numbers: dict[ChannelKey, int]) -> None:
        if len(self._known) >= _KNOWN_SESSIONS:
            self._known = {}
        self._known[session_id] = numbers


def _packed(columns: Sequence[Column]) -> live.Batch:
    batch = live.pack(columns)
    check_zones(batch.zones, columns)
    return batch


def _receipt(connection: Connection, session_id: str, key: str) -> int | None:
    """Return the sequence a key stands for; holds the session's row, so equal keys wait for each other."""
    connection.execute(select(session.c.id).where(session.c.id == session_id).with_for_update())
    found = select(receipt.c.seq).where(receipt.c.session_id == session_id, receipt.c.key == key)
    return connection.scalar(found)


def _key(column: Column) -> ChannelKey:
    return column.signal, column.unit, column.ecu or "", column.source or ""


def _stored_numbers(connection: Connection, session_id: str) -> dict[ChannelKey, int]:
    c = channel.c
    rows = connection.execute(
        select(c.signal, c.unit, c.ecu, c.source, c.number).where(c.session_id == session_id)
    )
    return {(row.signal, row.unit, row.ecu, row.source): row.number for row in rows}


def _channel_row(session_id: str, number: int, key: ChannelKey) -> dict[str, Any]:
    signal, unit, ecu, source = key
    return {
        "session_id": session_id,
        "number": number,
        "signal": signal,
        "unit": unit,
        "ecu": ecu,
        "source": source,
        "readings": 0,
    }


def _row(session_id: str, seq: int, batch: live.Batch, numbers: list[int]) -> dict[str, Any]:
    batch.zones["channel"] = numbers
    return {
        "session_id": session_id,
        "seq": seq,
        "first_us": batch.first_us,
        "last_us": batch.last_us,
        "n": batch.n,
        "head": batch.zones.tobytes(),
        "data": batch.data,
    }
