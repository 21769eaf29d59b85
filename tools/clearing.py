"""Clear trouble codes: only after a kept snapshot, at a standstill, and with a person's approval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from tools.addresses import Adapter, is_replay
from tools.answer import Answer
from tools.approvals import require_approval
from tools.context import ToolContext
from tools.errors import ToolError
from tools.registry import tool
from tools.snapshots import take_snapshot
from tools.trouble_codes import TroubleCodesNow
from vehicle.diagnostics.models import Absence, EcuCodes

if TYPE_CHECKING:
    from vehicle.links import Link

RUNNING_RPM = 300.0
_STAND = "Stop the car, switch the engine off with the ignition on, and try again."


class CodesCleared(Answer):
    """What was cleared, what was kept of it, and what the car says now."""

    adapter: str
    snapshot_id: str
    lost: str
    cleared: list[str]
    refused: list[Absence]
    still_there: list[EcuCodes]

    def say(self) -> str:
        """Say who cleared, who refused, and what is still there."""
        lines = [
            f"Cleared by {', '.join(self.cleared) or 'no ECU'}. Lost: {self.lost} Kept as {self.snapshot_id}."
        ]
        lines += [f"{one.ecu or 'All ECUs'}: {one.reason}." for one in self.refused]
        left = [f"{one.kind} {', '.join(one.codes)} ({one.ecu})" for one in self.still_there if one.codes]
        return "\n".join([*lines, f"Still there: {'; '.join(left) or 'no codes'}."])


@tool("capture", "Clear trouble codes", read_only=False, destructive=True, idempotent=False, open_world=True)
def clear_trouble_codes(
    context: ToolContext,
    adapter: Adapter | None = None,
    approval_id: Annotated[
        str | None,
        Field(max_length=64, description="From the refusal of this same call, once a person approved it."),
    ] = None,
) -> CodesCleared:
    """Clear all emission-related trouble codes (service 04) once a person approved exactly this call.

    Loses codes, freeze frames, readiness and test results; a snapshot is kept first. Refused while the car moves, or
    while its speed is unknown with the engine running. It repairs nothing: find the cause first.
    """
    from vehicle.diagnostics.trouble_codes import clear_trouble_codes as clear
    from vehicle.diagnostics.vehicle_info import read_vehicle_info

    address = context.adapter_of(adapter)
    if is_replay(address):
        raise ToolError(
            "unsupported",
            f"{address} is a recording: it has no car whose codes could be cleared.",
            "Give the address of the adapter that is plugged into the car.",
        )
    with context.workshop.links.borrow(address) as link:
        _require_standstill(link)
        before = take_snapshot(context.workshop, link)
        bound = {"adapter": address, "vin": read_vehicle_info(link).vin}
        what = f"clear trouble codes through {address}. Lost would be: {_lost(before)}"
        require_approval(context, "clear_trouble_codes", bound, what, approval_id)
        _require_standstill(link)
        report = clear(link)
        after = take_snapshot(context.workshop, link)
    done = {"snapshot": before.snapshot_id, "cleared": report.cleared, **bound}
    context.store.audit.add(context.requester, "cleared trouble codes", done)
    return CodesCleared(
        adapter=address,
        snapshot_id=before.snapshot_id,
        lost=_lost(before),
        cleared=report.cleared,
        refused=report.absent,
        still_there=after.lists,
    )


def _lost(before: TroubleCodesNow) -> str:
    codes = [*before.codes("stored"), *before.codes("pending")]
    ready = sum(monitor.complete for one in before.readiness.since_clear for monitor in one.monitors)
    return (
        f"codes {', '.join(dict.fromkeys(codes)) or 'none'}, {len(before.freeze_frames)} freeze frames, "
        f"{ready} finished readiness monitors, on-board test results and the counters since the last clearing."
    )


def _require_standstill(link: Link) -> None:
    """Refuse while the car moves, or may move.

    Raises:
        ToolError: `not_allowed`.
    """
    from vehicle.diagnostics.current import read_now
    from vehicle.signals import SIGNALS

    now = read_now(link, [SIGNALS["speed"], SIGNALS["rpm"]])
    speeds = [one.value for one in now if one.signal.name == "speed" and one.value is not None]
    engine = [one.value for one in now if one.signal.name == "rpm" and one.value is not None]
    if any(speed > 0 for speed in speeds):
        raise ToolError(
            "not_allowed", f"The car moves at {max(speeds):g} km/h: codes are not cleared.", _STAND
        )
    if not speeds and (not engine or max(engine) > RUNNING_RPM):
        raise ToolError(
            "not_allowed",
            "The speed is unknown and the engine may be running: codes are not cleared.",
            _STAND,
        )
