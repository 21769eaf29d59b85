"""Follow one car over its sessions: its own normal, drift, projections, what a repair changed."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from analysis.results.history import Repair, VehicleHistory
from tools.answer import Answer
from tools.arguments import VehicleId
from tools.context import ToolContext
from tools.recorded import recorded_session
from tools.registry import tool
from tools.wording import say_finding, say_value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_SESSIONS = 200


class TrackedVehicle(VehicleHistory, Answer):
    """A car over its sessions."""

    vehicle_id: str
    left_out: dict[str, str]

    def say(self) -> str:
        """Say what drifts, what is outside this car's own normal, and when a limit is reached."""
        lines = [f"{self.vehicle_id}: {len(self.sessions)} sessions along {self.axis}."]
        lines += [
            f"{one.signal} in {one.state} is {one.value:.4g} {one.unit}, outside its own normal "
            f"{one.normal.low:.4g} to {one.normal.high:.4g}."
            for one in self.latest
            if one.outside
        ]
        lines += [
            f"{one.signal} in {one.state} drifts: {say_value(one.slope)}."
            for one in self.drifts
            if one.verdict == "drifts"
        ]
        lines += [f"{one.limit.meaning}: reached in {say_value(one.reached_in)}." for one in self.projections]
        lines += [
            f"After {one.repair}: {one.signal} {say_value(one.difference)} ({one.verdict})."
            for one in self.repairs
        ]
        lines += [say_finding(finding) for finding in self.findings]
        lines += [f"Left out: {name} ({reason})." for name, reason in list(self.left_out.items())[:10]]
        return "\n".join(lines + self.notes)


@tool("analysis", "Follow a vehicle over its sessions")
def track_vehicle(
    context: ToolContext,
    vehicle_id: VehicleId,
    repairs: Annotated[
        list[Repair] | None,
        Field(
            max_length=20, description="Work done: its name and the first session after it, `before_session`."
        ),
    ] = None,
    confidence_level: Annotated[float, Field(ge=0.5, lt=1, description="Level of the intervals.")] = 0.95,
) -> TrackedVehicle:
    """Tell a car's own normal per operating state from its sessions, its drift since, and when a limit is reached.

    Where the sessions are too few to tell, it says so. Next: `compare_sessions` for two of them.
    """
    from analysis.history import summarize, track

    context.store.vehicles.get(vehicle_id)
    rows = context.store.sessions.list(vehicle_id=vehicle_id, state="finished", limit=_MOST_SESSIONS).rows
    summaries, left_out = [], {}
    for done, row in enumerate(reversed(rows)):
        if row.details.get("timing") == "order":
            left_out[row.id] = "its log has no times"
            continue
        recorded = recorded_session(context, row.id)
        day = None if row.started_at is None else (row.started_at - _EPOCH).total_seconds() / 86400
        summaries.append(summarize(recorded.table, name=row.id, day=day, gaps=recorded.gaps))
        context.progress(done + 1, len(rows), "summing up sessions")
    result = track(summaries, repairs=repairs or (), confidence_level=confidence_level)
    return TrackedVehicle.model_construct(vehicle_id=vehicle_id, left_out=left_out, **dict(result))
