"""Plots, tables and report files made from sessions."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, insert, select

from storage.checks import plain_json
from storage.database import Database
from storage.errors import NotFoundError, StorageError, TooLargeError
from storage.ids import new_id
from storage.paging import page
from storage.records import Artifact, Deleted, Page
from storage.tables import artifact, session

MAX_BYTES = 500_000_000
_DESCRIBED = [column for column in artifact.c if column.name != "data"]


class Artifacts:
    """All artifacts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        session_id: str | None,
        kind: str,
        name: str,
        mime: str,
        data: bytes,
        details: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """Store a file; `kind` is such as plot, report or export. NotFoundError for an unknown session."""
        if len(data) > MAX_BYTES:
            raise TooLargeError(f"{name} has {len(data)} bytes; {MAX_BYTES} are allowed.", "Make it smaller.")
        row: dict[str, Any] = {"id": new_id("art"), "session_id": session_id, "kind": kind, "name": name}
        row |= {"mime": mime, "size": len(data), "created_at": datetime.now(UTC)}
        row["details"] = plain_json("details", details or {})
        with self._database.writing() as connection:
            if session_id is not None:
                known = connection.scalar(select(session.c.id).where(session.c.id == session_id))
                if known is None:
                    raise NotFoundError(
                        f"There is no session {session_id}.", "List the sessions to find its id."
                    )
            connection.execute(insert(artifact).values(**row, data=data))
        return Artifact(**row)

    def get(self, artifact_id: str) -> Artifact:
        """Return an artifact with its data; NotFoundError where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(select(artifact).where(artifact.c.id == artifact_id)).first()
        if row is None:
            raise _missing(artifact_id)
        return Artifact(**row._mapping)

    def list(
        self, *, session_id: str | None = None, kind: str | None = None, limit: int = 50, offset: int = 0
    ) -> Page[Artifact]:
        """Return artifacts without their data, latest first."""
        chosen = select(*_DESCRIBED)
        if session_id is not None:
            chosen = chosen.where(artifact.c.session_id == session_id)
        if kind is not None:
            chosen = chosen.where(artifact.c.kind == kind)
        window = (limit, offset)
        latest = artifact.c.created_at.desc()
        return page(self._database, chosen, latest, window, lambda row: Artifact(**row._mapping))

    def missing(self, artifact_ids: Collection[str]) -> set[str]:
        """Return those of the ids that no artifact has."""
        with self._database.reading() as connection:
            chosen = select(artifact.c.id).where(artifact.c.id.in_(artifact_ids))
            return set(artifact_ids) - set(connection.scalars(chosen))

    def delete(self, artifact_id: str) -> Deleted:
        """Remove an artifact; NotFoundError where there is none."""
        with self._database.writing() as connection:
            if not connection.execute(delete(artifact).where(artifact.c.id == artifact_id)).rowcount:
                raise _missing(artifact_id)
        return Deleted({"artifacts": 1})


def _missing(artifact_id: str) -> StorageError:
    return NotFoundError(f"There is no artifact {artifact_id}.", "List the artifacts to find its id.")
