"""Keep a file that a tool made."""

from tools.answer import ArtifactRef
from tools.context import ToolContext


def keep(
    context: ToolContext, session_id: str | None, kind: str, name: str, mime: str, data: bytes
) -> ArtifactRef:
    """Store a file with its session and return how to find it again."""
    artifact = context.store.artifacts.save(session_id, kind, name, mime, data)
    return ArtifactRef(
        artifact_id=artifact.id, name=artifact.name, mime=artifact.mime, size_bytes=artifact.size
    )
