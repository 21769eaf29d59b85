"""Beginning a session that records an adapter: a drive of a car, or a recording played back and marked as one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tools.addresses import is_replay
from tools.context import ToolContext
from tools.errors import ToolError
from tools.replays import describe

if TYPE_CHECKING:
    from storage.records import Session


def check_vehicle(context: ToolContext, address: str, vehicle_id: str | None) -> None:
    """Refuse a vehicle that is not there, and a replay as a drive of one.

    Raises:
        NotFoundError: there is no such vehicle; ToolError: `bad_arguments`.
    """
    if vehicle_id is None:
        return
    context.store.vehicles.get(vehicle_id)
    if is_replay(address):
        raise ToolError(
            "bad_arguments",
            "A replay is no new drive of a vehicle: its history would count one drive twice.",
            "Leave vehicle_id out; give it to the session that is played back with update_session.",
        )


def begin_session(
    context: ToolContext, address: str, name: str, vehicle_id: str | None, details: dict[str, Any]
) -> Session:
    """Create the session. That of a replay has no time of day: its readings were taken when they were recorded."""
    if is_replay(address):
        return context.store.sessions.create(
            origin="replay",
            source=address,
            name=name,
            notes=describe(context.store, address),
            details=details,
        )
    return context.store.sessions.create(
        origin="capture",
        source=address,
        name=name,
        vehicle_id=vehicle_id,
        started_at=datetime.now(UTC),
        details=details,
    )
