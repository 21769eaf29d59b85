"""Vehicles and sessions: list, look at, name, and delete what is remembered."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.answer import Answer
from tools.arguments import Limit, Offset, SessionId, VehicleId
from tools.context import ToolContext
from tools.registry import tool
from tools.rows import SessionRow, SignalRow
from tools.session_start import check_vehicle
from tools.times import seconds_of


class Sessions(Answer):
    """A page of sessions, newest first."""

    total: int
    offset: int
    sessions: list[SessionRow]

    def say(self) -> str:
        """Say the page, one session a line."""
        if not self.total:
            return "No sessions yet: record one with start_capture, or read a log with import_log."
        shown = f"{len(self.sessions)} of {self.total} sessions"
        rest = self.total - self.offset - len(self.sessions)
        more = f"\n{rest} more: ask with offset {self.offset + len(self.sessions)}." if rest > 0 else ""
        return "\n".join([shown, *(row.line() for row in self.sessions)]) + more


class Gap(BaseModel):
    """A stretch of a session in which nothing was read, and why."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    start_s: float
    end_s: float
    reason: str


class SessionDetails(Answer):
    """One session with its signals, gaps and warnings."""

    session: SessionRow
    signals: list[SignalRow]
    gaps: list[Gap]
    warnings: list[str]
    details: dict[str, Any]

    def say(self) -> str:
        """Say the session, its signals and what to know about its data."""
        names = ", ".join(f"{row.signal} [{row.unit}]" for row in self.signals) or "none"
        lines = [self.session.line(), f"Signals: {names}."]
        lines += [f"Gap {gap.start_s:.1f} to {gap.end_s:.1f} s: {gap.reason}." for gap in self.gaps[:10]]
        lines += [f"Warning: {warning}" for warning in self.warnings[:20]]
        return "\n".join(lines)


class SessionUpdated(Answer):
    """The session after the change."""

    session: SessionRow

    def say(self) -> str:
        """Say the session as it is now."""
        return self.session.line()


class SessionDeleted(Answer):
    """What was removed with the session."""

    session_id: str
    removed: dict[str, int]

    def say(self) -> str:
        """Say what was removed."""
        parts = ", ".join(f"{count:,} {what}" for what, count in self.removed.items() if count)
        return f"Deleted {self.session_id}: {parts or 'it held nothing'}."


@tool("sessions", "List sessions")
def list_sessions(
    context: ToolContext,
    vehicle_id: VehicleId | None = None,
    state: Annotated[
        Literal["recording", "finished", "interrupted"] | None,
        Field(description="Only sessions in this state."),
    ] = None,
    text: Annotated[
        str | None,
        Field(max_length=100, description="Only sessions whose name, source or notes contain this."),
    ] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> Sessions:
    """List recorded and imported sessions, newest first, with ids for the other tools.

    Next: `get_session` for a session's signals, `analyze_session` for what it shows.
    """
    rows, total = context.store.sessions.list(
        vehicle_id=vehicle_id, state=state, text=text, limit=limit, offset=offset
    )
    return Sessions(total=total, offset=offset, sessions=[SessionRow.of(row) for row in rows])


@tool("sessions", "Look at a session")
def get_session(context: ToolContext, session_id: SessionId) -> SessionDetails:
    """Return one session: its signals with units, counts, time span and range, its gaps and its warnings.

    Next: `query_signals` or `plot_signals` for values, `analyze_session` for findings.
    """
    session = context.store.sessions.get(session_id)
    return SessionDetails(
        session=SessionRow.of(session),
        signals=[SignalRow.of(channel) for channel in context.store.samples.channels(session_id)],
        gaps=[
            Gap(
                start_s=seconds_of(gap.start_us) or 0.0,
                end_s=seconds_of(gap.end_us) or 0.0,
                reason=gap.reason,
            )
            for gap in context.store.sessions.gaps(session_id)
        ],
        warnings=list(session.warnings),
        details=dict(session.details),
    )


@tool("sessions", "Change a session's name, notes or vehicle", read_only=False)
def update_session(
    context: ToolContext,
    session_id: SessionId,
    name: Annotated[str | None, Field(max_length=200, description="New name.")] = None,
    notes: Annotated[
        str | None, Field(max_length=5000, description="New notes; replace the old ones.")
    ] = None,
    vehicle_id: VehicleId | None = None,
    healthy: Annotated[
        bool | None, Field(description="The car was in order: the session may serve as its baseline.")
    ] = None,
) -> SessionUpdated:
    """Change what people say about a session: its name, its notes, the vehicle it belongs to. Data stay as recorded."""
    held = context.store.sessions.get(session_id)
    check_vehicle(context, held.source if held.origin == "replay" else "", vehicle_id)
    details = dict(held.details)
    if healthy is not None:
        details["healthy"] = healthy
    changes: dict[str, Any] = {"details": details, "name": name, "notes": notes, "vehicle_id": vehicle_id}
    session = context.store.sessions.update(
        session_id, **{key: value for key, value in changes.items() if value is not None}
    )
    return SessionUpdated(session=SessionRow.of(session))


@tool("sessions", "Delete a session", read_only=False, destructive=True)
def delete_session(context: ToolContext, session_id: SessionId) -> SessionDeleted:
    """Delete a session with its readings, plots and findings for good. Ask the person first: it cannot be undone."""
    return SessionDeleted(
        session_id=session_id, removed=dict(context.store.sessions.delete(session_id).counts)
    )
