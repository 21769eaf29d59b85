"""Alerts that live readings raised: raised once, cleared once, seen by a person."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection, insert, select, update

from storage.database import Database
from storage.errors import NotFoundError
from storage.ids import new_id
from storage.paging import page
from storage.records import Page
from storage.tables import alert, session

_JOINED = select(alert, session.c.vehicle_id).join(session, session.c.id == alert.c.session_id)


class AlertFields(TypedDict):
    """What a check says about what it saw; `value` is in `unit`, None where there is none."""

    rule: str
    signal: str
    ecu: str | None
    severity: str
    title: str
    value: float | None
    unit: str
    expected: str
    explanation: str
    recommendation: str


@dataclass(frozen=True, slots=True)
class Alert:
    """Something in live readings that a person should know; open until `cleared_at`.

    `vehicle_id` is the session's vehicle now; `start_us` and `end_us` count from the session's start.
    """

    id: str
    session_id: str
    vehicle_id: str | None
    rule: str
    signal: str
    ecu: str | None
    severity: str
    title: str
    value: float | None
    unit: str
    expected: str
    explanation: str
    recommendation: str
    start_us: int
    end_us: int | None
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None


class Alerts:
    """All alerts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, session_id: str, start_us: int, **fields: Unpack[AlertFields]) -> Alert:
        """Store what was raised; NotFoundError for an unknown session."""
        row: dict[str, Any] = {**fields, "id": new_id("alr"), "session_id": session_id, "start_us": start_us}
        row |= {"raised_at": datetime.now(UTC), "end_us": None, "cleared_at": None, "acknowledged_at": None}
        with self._database.writing() as connection:
            if connection.scalar(select(session.c.id).where(session.c.id == session_id)) is None:
                raise NotFoundError(f"There is no session {session_id}.", "List the sessions to find its id.")
            connection.execute(insert(alert).values(row))
            return _found(connection, row["id"])

    def clear(self, alert_id: str, end_us: int) -> Alert:
        """Write down when it was over; the first end stands. NotFoundError where there is no such alert."""
        return self._change(alert_id, "cleared_at", {"cleared_at": datetime.now(UTC), "end_us": end_us})

    def acknowledge(self, alert_id: str) -> Alert:
        """Write down that a person has seen it; the first time stands. NotFoundError where there is none."""
        return self._change(alert_id, "acknowledged_at", {"acknowledged_at": datetime.now(UTC)})

    def get(self, alert_id: str) -> Alert:
        """Return an alert; NotFoundError where there is none."""
        with self._database.reading() as connection:
            return _found(connection, alert_id)

    def list(
        self,
        *,
        session_id: str | None = None,
        vehicle_id: str | None = None,
        severities: Collection[str] = (),
        rules: str | None = None,
        is_open: bool | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Alert]:
        """Return alerts, latest first; `rules` is how their rules begin."""
        chosen = _JOINED
        if session_id is not None:
            chosen = chosen.where(alert.c.session_id == session_id)
        if vehicle_id is not None:
            chosen = chosen.where(session.c.vehicle_id == vehicle_id)
        if severities:
            chosen = chosen.where(alert.c.severity.in_(severities))
        if rules is not None:
            chosen = chosen.where(alert.c.rule.startswith(rules, autoescape=True))
        if is_open is not None:
            cleared = alert.c.cleared_at
            chosen = chosen.where(cleared.is_(None) if is_open else cleared.is_not(None))
        latest = alert.c.raised_at.desc()
        return page(self._database, chosen, latest, (limit, offset), lambda row: Alert(**row._mapping))

    def _change(self, alert_id: str, once: str, values: dict[str, Any]) -> Alert:
        with self._database.writing() as connection:
            connection.execute(
                update(alert).where(alert.c.id == alert_id, alert.c[once].is_(None)).values(values)
            )
            return _found(connection, alert_id)


def _found(connection: Connection, alert_id: str) -> Alert:
    row = connection.execute(_JOINED.where(alert.c.id == alert_id)).first()
    if row is None:
        raise NotFoundError(f"There is no alert {alert_id}.", "List the alerts to find its id.")
    return Alert(**row._mapping)
