"""Plots, tables and reports that were kept: list them, delete them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tools.answer import Answer
from tools.arguments import Limit, Offset, SessionId
from tools.context import ToolContext
from tools.registry import tool

ArtifactId = Annotated[
    str, Field(min_length=1, max_length=64, description="Id of an artifact, from `list_artifacts`.")
]


class ArtifactRow(BaseModel):
    """A kept file; fetch it at /api/artifacts/{id}."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, defer_build=True)

    id: str
    session_id: str | None
    kind: str
    name: str
    mime: str
    size: int
    created_at: datetime


class Artifacts(Answer):
    """A page of artifacts, newest first."""

    total: int
    offset: int
    artifacts: list[ArtifactRow]

    def say(self) -> str:
        """Say the page, one artifact a line."""
        rows = [f"{one.id}  {one.kind}  {one.name}  {one.size:,} bytes" for one in self.artifacts]
        return "\n".join([f"{len(rows)} of {self.total} artifacts", *rows])


class ArtifactDeleted(Answer):
    """The artifact that is gone."""

    artifact_id: str

    def say(self) -> str:
        """Say what is gone."""
        return f"Deleted {self.artifact_id}."


@tool("sessions", "List artifacts")
def list_artifacts(
    context: ToolContext,
    session_id: SessionId | None = None,
    kind: Annotated[
        str | None, Field(max_length=40, description="Only of this kind, such as plot or figure.")
    ] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> Artifacts:
    """List kept plots, tables and reports with their ids, newest first; their bytes are at /api/artifacts/{id}."""
    rows, total = context.store.artifacts.list(session_id=session_id, kind=kind, limit=limit, offset=offset)
    return Artifacts(total=total, offset=offset, artifacts=[ArtifactRow.model_validate(row) for row in rows])


@tool("sessions", "Delete an artifact", read_only=False, destructive=True)
def delete_artifact(context: ToolContext, artifact_id: ArtifactId) -> ArtifactDeleted:
    """Delete a kept file for good; the session it was made from stays."""
    context.store.artifacts.delete(artifact_id)
    return ArtifactDeleted(artifact_id=artifact_id)
