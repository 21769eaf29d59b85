"""Joins storage and analysis: a session with all that an analysis of it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.facts import VehicleFacts
from tools.context import ToolContext
from tools.errors import ToolError
from tools.session_table import load_table

if TYPE_CHECKING:
    from analysis.table import SignalTable
    from storage.records import Session


class Recorded(NamedTuple):
    """A session's readings, its recorded gaps (start_s, end_s, reason) and what is known about its vehicle."""

    session: Session
    table: SignalTable
    gaps: list[tuple[float, float, str]]
    vehicle: VehicleFacts | None


def recorded_session(
    context: ToolContext, session_id: str, start_s: float | None = None, end_s: float | None = None
) -> Recorded:
    """Return a session as analysis takes it.

    Raises:
        ToolError: `unsupported` where the readings have an order but no times.
    """
    session = context.store.sessions.get(session_id)
    if session.details.get("timing") == "order":
        raise ToolError(
            "unsupported",
            f"The log of {session_id} gave its readings an order but no times; nothing that needs time can be derived.",
            "query_signals and plot_signals work on it, over the position in the log.",
        )
    table = load_table(context, session_id, None, start_s, end_s)
    gaps = [
        (gap.start_us / 1e6, gap.end_us / 1e6, gap.reason) for gap in context.store.sessions.gaps(session_id)
    ]
    return Recorded(session, table, gaps, facts_of(context, session.vehicle_id))


def facts_of(context: ToolContext, vehicle_id: str | None) -> VehicleFacts | None:
    """Return the facts entered about the vehicle, or None where the session belongs to none."""
    if vehicle_id is None:
        return None
    vehicle = context.store.vehicles.get(vehicle_id)
    known = {name: getattr(vehicle, name, None) for name in VehicleFacts.model_fields}
    return VehicleFacts.model_validate(known)
