"""Bring your logs: read a file of another program into a session."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, WithJsonSchema

from tools.answer import Answer
from tools.arguments import VehicleId
from tools.context import ToolContext
from tools.errors import ToolError
from tools.registry import tool
from vehicle.logs.preview import Clock, ColumnMatch, Timing

if TYPE_CHECKING:
    from vehicle.logs.reader import LogReader


class ImportedLog(Answer):
    """What an import made of a file; `session_id` is null for a dry run."""

    session_id: str | None
    format: str
    signals: list[str]
    rows: int
    started_at: datetime | None
    # Not `date-time`, which JSON Schema wants with a zone: that is what is not known.
    local_start: Annotated[
        datetime | None,
        WithJsonSchema(
            {
                "anyOf": [{"type": "string"}, {"type": "null"}],
                "description": "ISO 8601 on the logging device's clock, zone unknown.",
            }
        ),
    ]
    clock: Clock
    timing: Timing
    duration_s: float | None
    columns: list[ColumnMatch]
    warnings: list[str]

    def say(self) -> str:
        """Say what was stored, or would be, and what to know about it."""
        what = f"Imported as {self.session_id}" if self.session_id else "Dry run, nothing stored"
        length = f"{self.duration_s:,.1f} s" if self.duration_s is not None else "length unknown"
        lines = [f"{what}: {self.format}, {self.rows:,} rows, {length}, signals {', '.join(self.signals)}."]
        for how in ("guessed", "unknown", "ignored"):
            columns = [
                f"{column.source} -> {column.signal or 'nothing'}"
                for column in self.columns
                if column.how == how
            ]
            if columns:
                lines.append(f"{how.capitalize()} columns: {'; '.join(columns)}.")
        return "\n".join(lines + [f"Warning: {warning}" for warning in self.warnings])


@tool("sessions", "Import a log file", read_only=False, idempotent=False)
def import_log(
    context: ToolContext,
    path: Annotated[
        str, Field(min_length=1, max_length=4096, description="Path of the file on the server's machine.")
    ],
    vehicle_id: VehicleId | None = None,
    format: Annotated[  # noqa: A002 - the argument's name is part of the contract
        str | None, Field(max_length=40, description="Format, where detection by content should not decide.")
    ] = None,
    name: Annotated[
        str | None, Field(max_length=200, description="Name of the session; else the file's.")
    ] = None,
    dry_run: Annotated[
        bool, Field(description="Only show how the columns would be understood; store nothing.")
    ] = False,
) -> ImportedLog:
    """Import a log (Torque, Car Scanner, OBD Auto Doctor, carOBD, CSV with units, MF4, candump, OpenXC) as a session.

    The format is told from the content. Units are converted to ours; nothing is dropped silently: see `warnings`.
    Next: `analyze_session`.
    """
    from vehicle.logs import open_log, preview_log

    file = Path(path).expanduser()
    if dry_run:
        preview = preview_log(file, format)
        return ImportedLog(
            session_id=None,
            format=preview.format,
            signals=sorted({column.signal for column in preview.columns if column.signal}),
            rows=preview.rows,
            started_at=preview.started_at,
            local_start=preview.local_start,
            clock=preview.clock,
            timing=preview.timing,
            duration_s=preview.duration_s,
            columns=preview.columns,
            warnings=preview.warnings,
        )
    if vehicle_id is not None:
        context.store.vehicles.get(vehicle_id)
    return _store(context, open_log(file, format), file, vehicle_id, name)


def _store(
    context: ToolContext, log: LogReader, file: Path, vehicle_id: str | None, name: str | None
) -> ImportedLog:
    """Store all batches; the session shows itself only when it is whole, and vanishes if it cannot be."""
    sessions = context.store.sessions
    session = sessions.create(
        origin="import",
        state="importing",
        source=file.name,
        name=name or file.stem,
        vehicle_id=vehicle_id,
        format=log.format,
    )
    try:
        _append_all(context, log, session.id)
        sessions.update(session.id, started_at=log.started_at, warnings=log.warnings, details=_details(log))
        finished = sessions.finish(session.id)
    except BaseException:
        sessions.delete(session.id)
        raise
    return ImportedLog(
        session_id=session.id,
        format=log.format,
        signals=sorted({channel.signal for channel in context.store.samples.channels(session.id)}),
        rows=log.rows,
        started_at=finished.started_at,
        local_start=log.local_start,
        clock=log.clock,
        timing=log.timing,
        duration_s=finished.duration_s if log.timing != "order" else None,
        columns=log.columns,
        warnings=log.warnings,
    )


def _details(log: LogReader) -> dict[str, str | None]:
    local_start = log.local_start.isoformat() if log.local_start else None
    return {"clock": log.clock, "timing": log.timing, "local_start": local_start}


def _append_all(context: ToolContext, log: LogReader, session_id: str) -> None:
    from storage.records import Column

    for batch in log.batches():
        if context.cancelled.is_set():
            raise ToolError("timeout", "The import was cancelled.", "Nothing of it was kept; start it again.")
        context.store.samples.append(
            session_id, [Column(*run)._replace(ecu=run.ecu or None) for run in batch]
        )
        context.progress(log.position_bytes, log.size_bytes, "importing")
