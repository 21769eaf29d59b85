"""The audit log: what was done or refused on somebody's behalf."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from storage.checks import plain_json
from storage.database import Database
from storage.ids import new_id
from storage.paging import page
from storage.records import AuditEntry, Page
from storage.tables import audit


class Audit:
    """Entries are added and read, never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, actor: str, action: str, details: Mapping[str, Any]) -> AuditEntry:
        """Write down what `actor` did or was refused."""
        row: dict[str, Any] = {"id": new_id("aud"), "at": datetime.now(UTC), "actor": actor, "action": action}
        row["details"] = plain_json("details", details)
        with self._database.writing() as connection:
            connection.execute(insert(audit).values(row))
        return AuditEntry(**row)

    def list(self, *, limit: int = 50, offset: int = 0) -> Page[AuditEntry]:
        """Return entries, latest first."""
        window = (limit, offset)
        return page(
            self._database, select(audit), audit.c.at.desc(), window, lambda row: AuditEntry(**row._mapping)
        )
