"""Take a session's readings to another program."""

from typing import Annotated, Literal

from pydantic import Field

from tools.answer import Answer, ArtifactRef
from tools.arguments import EndS, SessionId, StartS
from tools.context import ToolContext
from tools.errors import ToolError
from tools.keeping import keep
from tools.registry import tool
from tools.session_table import check_signals, check_window
from tools.times import microseconds

LARGEST_EXPORT = 20_000_000


class ExportedSession(Answer):
    """The file that was made."""

    session_id: str
    file: ArtifactRef
    readings: int

    def say(self) -> str:
        """Say what was made and where it is."""
        return (
            f"{self.readings:,} readings of {self.session_id} in {self.file.name} ({self.file.size_bytes:,} bytes): "
            f"/api/artifacts/{self.file.artifact_id}."
        )


@tool("sessions", "Export a session")
def export_session(
    context: ToolContext,
    session_id: SessionId,
    format: Annotated[  # noqa: A002 - the argument's name is part of the contract
        Literal["csv", "parquet", "mf4", "json"],
        Field(description="csv has one reading a row; mf4 one channel a signal."),
    ] = "csv",
    signals: Annotated[list[str] | None, Field(min_length=1, description="Only these signals.")] = None,
    start_s: StartS = None,
    end_s: EndS = None,
) -> ExportedSession:
    """Make a file of a session's readings for another program; it is kept as an artifact of the session."""
    from vehicle.logs.export import EXPORTS, export_runs
    from vehicle.runs import Run

    check_window(start_s, end_s)
    session = context.store.sessions.get(session_id)
    check_signals(context.store.samples.channels(session_id), signals)
    read = context.store.samples.read(session_id, signals, microseconds(start_s), microseconds(end_s))
    readings = sum(len(series) for series in read)
    if not 0 < readings <= LARGEST_EXPORT:
        raise ToolError(
            "too_large" if readings else "bad_arguments",
            f"The window holds {readings:,} readings; an export takes 1 to {LARGEST_EXPORT:,}.",
            "Choose another window or fewer signals.",
        )
    runs = [
        Run(one.signal, one.unit, one.ecu or "", one.times_us, one.values, one.source or "") for one in read
    ]
    data = export_runs(runs, format, session.started_at)
    file = keep(context, session_id, "export", f"{session_id}.{format}", EXPORTS[format], data)
    return ExportedSession(session_id=session_id, file=file, readings=readings)
