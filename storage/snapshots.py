"""What a car reported at one moment: trouble codes, freeze frames, readiness."""

import builtins
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, or_, select

from storage.checks import plain_json
from storage.database import Database
from storage.errors import NotFoundError
from storage.ids import new_id
from storage.paging import page
from storage.records import Page, Snapshot
from storage.tables import session, snapshot, vehicle


class Snapshots:
    """All snapshots."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        session_id: str | None,
        vehicle_id: str | None,
        kind: str,
        data: Mapping[str, Any],
        snapshot_id: str | None = None,
    ) -> Snapshot:
        """Store what a car reported; `kind` is such as trouble_codes. NotFoundError for unknown ids.

        `snapshot_id` is for what has an id of its own, unlike any other.
        """
        own_id = snapshot_id or new_id("snp")
        row: dict[str, Any] = {"id": own_id, "session_id": session_id, "vehicle_id": vehicle_id}
        row |= {"kind": kind, "created_at": datetime.now(UTC), "data": plain_json("data", data)}
        with self._database.writing() as connection:
            _require(connection, session, "session", session_id)
            _require(connection, vehicle, "vehicle", vehicle_id)
            connection.execute(insert(snapshot).values(row))
        return Snapshot(**row)

    def get(self, snapshot_id: str) -> Snapshot:
        """Return a snapshot; NotFoundError where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(select(snapshot).where(snapshot.c.id == snapshot_id)).first()
        if row is None:
            raise NotFoundError(f"There is no snapshot {snapshot_id}.", "List the snapshots to find its id.")
        return Snapshot(**row._mapping)

    def ids_about(self, vehicle_id: str) -> builtins.list[str]:
        """Return the ids of all snapshots of a vehicle and of its sessions: more of them is news about it."""
        c = snapshot.c
        theirs = select(session.c.id).where(session.c.vehicle_id == vehicle_id)
        chosen = select(c.id).where(or_(c.vehicle_id == vehicle_id, c.session_id.in_(theirs))).order_by(c.id)
        with self._database.reading() as connection:
            return [*connection.scalars(chosen)]

    def list(
        self,
        *,
        session_id: str | None = None,
        vehicle_id: str | None = None,
        kind: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Snapshot]:
        """Return snapshots, latest first; a vehicle's are also those of its sessions."""
        chosen = select(snapshot)
        if vehicle_id is not None:
            of_vehicle = select(session.c.id).where(session.c.vehicle_id == vehicle_id)
            chosen = chosen.where(
                or_(snapshot.c.vehicle_id == vehicle_id, snapshot.c.session_id.in_(of_vehicle))
            )
        wanted = {"session_id": session_id, "kind": kind}
        for name, value in wanted.items():
            if value is not None:
                chosen = chosen.where(snapshot.c[name] == value)
        window = (limit, offset)
        latest = snapshot.c.created_at.desc()
        return page(self._database, chosen, latest, window, lambda row: Snapshot(**row._mapping))


def _require(connection: Connection, table: Table, noun: str, wanted: str | None) -> None:
    if wanted is not None and connection.scalar(select(table.c.id).where(table.c.id == wanted)) is None:
        raise NotFoundError(f"There is no {noun} {wanted}.", f"List the {noun}s to find its id.")
