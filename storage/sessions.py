"""Sessions: begun, described, finished, found again."""

import builtins
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypedDict, Unpack

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from storage import vehicles
from storage.checks import TIME_LIMIT_US, plain_json
from storage.compaction import compact
from storage.database import Database
from storage.deletion import delete_session
from storage.errors import InvalidDataError, NotFoundError
from storage.ids import new_id
from storage.owners import Owners
from storage.paging import page
from storage.records import Deleted, Gap, Page, Session, SessionOrigin, SessionState
from storage.tables import gap, session

_HIDDEN = "importing"


class SessionFields(TypedDict, total=False):
    """What can be said about a session; a field left out stays as it is."""

    vehicle_id: str | None
    name: str
    source: str
    format: str | None
    started_at: datetime | None
    ended_at: datetime | None
    notes: str | None
    details: Mapping[str, Any]
    warnings: builtins.list[str]


class Sessions:
    """All sessions; one being imported is hidden until it is finished."""

    def __init__(self, database: Database, owners: Owners) -> None:
        self._database = database
        self._owners = owners

    def create(
        self,
        *,
        origin: SessionOrigin,
        state: Literal["recording", "importing"] = "recording",
        **fields: Unpack[SessionFields],
    ) -> Session:
        """Begin a session that takes readings; NotFoundError for an unknown vehicle."""
        row: dict[str, Any] = {"name": "", "source": "", "details": {}, "warnings": [], **_checked(fields)}
        row |= {"id": new_id("ses"), "state": state, "origin": origin, "created_at": datetime.now(UTC)}
        row |= {"owner": self._owners.token(), "readings": 0, "batches": 0, "version": 1}
        with self._database.writing() as connection:
            _require_vehicle(connection, row)
            connection.execute(insert(session).values(row))
            return _found(connection, row["id"])

    def get(self, session_id: str, *, include_importing: bool = False) -> Session:
        """Return a session; NotFoundError where there is none."""
        with self._database.reading() as connection:
            return _found(connection, session_id, include_importing)

    def list(
        self,
        *,
        vehicle_id: str | None = None,
        state: SessionState | None = None,
        text: str | None = None,
        include_importing: bool = False,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Session]:
        """Return sessions, latest first; `text` is looked for in id, name, source and notes."""
        c = session.c
        chosen = select(session)
        if not include_importing and state != _HIDDEN:
            chosen = chosen.where(c.state != _HIDDEN)
        if vehicle_id is not None:
            chosen = chosen.where(c.vehicle_id == vehicle_id)
        if state is not None:
            chosen = chosen.where(c.state == state)
        if text:
            searched = (c.id, c.name, c.source, c.notes)
            chosen = chosen.where(or_(*(column.icontains(text, autoescape=True) for column in searched)))
        latest = func.coalesce(c.started_at, c.created_at).desc()
        return page(self._database, chosen, latest, (limit, offset), as_session)

    def versions(self, vehicle_id: str) -> builtins.list[tuple[str, int]]:
        """Return id and version of each of a vehicle's sessions: equal lists mean that nothing changed in any."""
        c = session.c
        with self._database.reading() as connection:
            rows = connection.execute(
                select(c.id, c.version).where(c.vehicle_id == vehicle_id, c.state != _HIDDEN).order_by(c.id)
            )
            return [(row.id, row.version) for row in rows]

    def update(self, session_id: str, **fields: Unpack[SessionFields]) -> Session:
        """Change the given fields; NotFoundError for an unknown session or vehicle."""
        values = _checked(fields)
        with self._database.writing() as connection:
            _require_vehicle(connection, values)
            _found(connection, session_id, include_importing=True)
            _change(connection, session_id, values)
            return _found(connection, session_id, include_importing=True)

    def finish(self, session_id: str, *, ended_at: datetime | None = None) -> Session:
        """Close a session for readings and compact it; an import becomes visible. Doing so twice is harmless.

        `ended_at` defaults to the time of the last reading, where the session's start is known.
        """
        owner = self._owners.token()
        with self._database.writing() as connection:
            held = _found(connection, session_id, include_importing=True, lock=True)
            connection.execute(update(session).where(session.c.id == session_id).values(owner=owner))
            if held.state != "finished":
                ended = {"state": "finished", "ended_at": ended_at or end_of(held)}
                _change(connection, session_id, ended)
        compact(self._database, session_id)
        release(self._database, session_id, owner)
        return self.get(session_id)

    def delete(self, session_id: str) -> Deleted:
        """Remove a session and all that belongs to it, in one transaction; say what it was."""
        with self._database.writing() as connection:
            _found(connection, session_id, include_importing=True, lock=True)
            return delete_session(connection, session_id)

    def add_gap(self, session_id: str, start_us: int, end_us: int, reason: str) -> Gap:
        """Note a stretch in which nothing could be read."""
        if not -TIME_LIMIT_US <= start_us <= end_us <= TIME_LIMIT_US:
            raise InvalidDataError(
                f"A gap from {start_us} to {end_us} µs cannot be.",
                "Give start_us <= end_us, in microseconds since the session's start.",
            )
        with self._database.writing() as connection:
            _found(connection, session_id, include_importing=True, lock=True)
            number = connection.scalar(select(func.max(gap.c.number)).where(gap.c.session_id == session_id))
            row = {"start_us": int(start_us), "end_us": int(end_us), "reason": reason}
            connection.execute(insert(gap).values(session_id=session_id, number=(number or 0) + 1, **row))
            _change(connection, session_id, {})
        return Gap(int(start_us), int(end_us), reason)

    def gaps(self, session_id: str) -> builtins.list[Gap]:
        """Return the gaps of a session in time order."""
        c = gap.c
        with self._database.reading() as connection:
            _found(connection, session_id, include_importing=True)
            rows = connection.execute(
                select(c.start_us, c.end_us, c.reason)
                .where(c.session_id == session_id)
                .order_by(c.start_us, c.number)
            )
            return [Gap(*row) for row in rows]


def end_of(held: Session) -> datetime | None:
    """Return the time of the last reading; None where the start is unknown or nothing was read."""
    if held.started_at is None or held.last_us is None:
        return None
    return held.started_at + timedelta(microseconds=held.last_us)


def release(database: Database, session_id: str, owner: str) -> None:
    """Say that no process is in charge of a session any more, unless another has taken it over."""
    with database.writing() as connection:
        connection.execute(
            update(session).where(session.c.id == session_id, session.c.owner == owner).values(owner=None)
        )


def _found(
    connection: Connection, session_id: str, include_importing: bool = True, lock: bool = False
) -> Session:
    chosen = select(session).where(session.c.id == session_id)
    row = connection.execute(chosen.with_for_update() if lock else chosen).first()
    if row is None or (row.state == _HIDDEN and not include_importing):
        raise NotFoundError(f"There is no session {session_id}.", "List the sessions to find its id.")
    return as_session(row)


def as_session(row: Row[Any]) -> Session:
    """Return a stored row as callers see it."""
    fields = {name: value for name, value in row._mapping.items() if name not in ("owner", "batches")}
    return Session(**fields, duration_s=0.0 if row.first_us is None else (row.last_us - row.first_us) / 1e6)


def _change(connection: Connection, session_id: str, values: dict[str, Any]) -> None:
    connection.execute(
        update(session).where(session.c.id == session_id).values(**values, version=session.c.version + 1)
    )


def _require_vehicle(connection: Connection, values: dict[str, Any]) -> None:
    if vehicle_id := values.get("vehicle_id"):
        vehicles.found(connection, vehicle_id)


def _checked(fields: SessionFields) -> dict[str, Any]:
    values: dict[str, Any] = dict(fields)
    unknown = values.keys() - SessionFields.__annotations__.keys()
    if unknown:
        raise InvalidDataError(
            f"A session has no {', '.join(sorted(unknown))} to set.",
            f"These can be set: {', '.join(SessionFields.__annotations__)}.",
        )
    for name in ("started_at", "ended_at"):
        if values.get(name) is not None and values[name].tzinfo is None:
            raise InvalidDataError(f"{name} has no time zone.", "Give UTC times with their zone.")
    for name in ("details", "warnings"):
        if name in values:
            values[name] = plain_json(name, values[name])
    return values
