"""Writes that wait for a person: asked for, decided, used once."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from storage.database import Database
from storage.errors import NotFoundError
from storage.ids import new_id
from storage.records import Approval
from storage.tables import approval

LIFETIME = timedelta(minutes=10)


class Approvals:
    """All approvals; each is bound to a tool, its arguments and who asked, and lives ten minutes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, tool: str, arguments: Mapping[str, Any], requester: str, what: str) -> Approval:
        """Note that a call waits for a person; `what` says what it would do."""
        now = datetime.now(UTC)
        row: dict[str, Any] = {"id": new_id("apr"), "tool": tool, "arguments": _bound(arguments)}
        row |= {"requester": requester, "what": what, "created_at": now, "expires_at": now + LIFETIME}
        with self._database.writing() as connection:
            connection.execute(insert(approval).values(row))
            return _found(connection, row["id"])

    def get(self, approval_id: str) -> Approval:
        """Return an approval; NotFoundError where there is none."""
        with self._database.reading() as connection:
            return _found(connection, approval_id)

    def pending(self) -> list[Approval]:
        """Return what still waits for a person, oldest first."""
        chosen = select(approval).where(
            approval.c.decision.is_(None), approval.c.expires_at > datetime.now(UTC)
        )
        with self._database.reading() as connection:
            return [
                Approval(**row._mapping) for row in connection.execute(chosen.order_by(approval.c.created_at))
            ]

    def decide(self, approval_id: str, *, approved: bool, by: str) -> Approval:
        """Write down a person's decision; the first one stands. NotFoundError where there is nothing to decide."""
        now = datetime.now(UTC)
        open_ = (approval.c.id == approval_id, approval.c.decision.is_(None), approval.c.expires_at > now)
        values = {"decision": "approved" if approved else "refused", "decided_by": by, "decided_at": now}
        with self._database.writing() as connection:
            if not connection.execute(update(approval).where(*open_).values(values)).rowcount:
                raise NotFoundError(
                    f"{approval_id} does not wait for a decision: it is unknown, decided or expired.",
                    "Make the call again to ask anew.",
                )
            return _found(connection, approval_id)

    def use(self, approval_id: str, tool: str, arguments: Mapping[str, Any], requester: str) -> bool:
        """Use an approval up; return whether it was given for exactly this call, in time, and not used before."""
        now = datetime.now(UTC)
        fits = update(approval).where(
            approval.c.id == approval_id,
            approval.c.tool == tool,
            approval.c.arguments == _bound(arguments),
            approval.c.requester == requester,
            approval.c.decision == "approved",
            approval.c.expires_at > now,
            approval.c.used_at.is_(None),
        )
        with self._database.writing() as connection:
            return bool(connection.execute(fits.values(used_at=now)).rowcount)


def _bound(arguments: Mapping[str, Any]) -> str:
    return json.dumps(arguments, sort_keys=True, ensure_ascii=False)


def _found(connection: Connection, approval_id: str) -> Approval:
    row = connection.execute(select(approval).where(approval.c.id == approval_id)).first()
    if row is None:
        raise NotFoundError(f"There is no approval {approval_id}.", "Make the call again to ask anew.")
    return Approval(**row._mapping)
