"""Ask the car for its trouble codes, and keep what it said."""

from tools.addresses import Adapter
from tools.arguments import SessionId
from tools.context import ToolContext
from tools.registry import tool
from tools.snapshots import take_snapshot
from tools.trouble_codes import TroubleCodesNow


@tool("capture", "Read trouble codes", open_world=True)
def read_trouble_codes(
    context: ToolContext, adapter: Adapter | None = None, session_id: SessionId | None = None
) -> TroubleCodesNow:
    """Read stored, pending and permanent codes per ECU, the lamp, freeze frames, readiness and time since clearing.

    "No codes" is said only where an ECU answered so. The answer is kept with the session named, or else with the
    capture that runs on the adapter.
    Next: `lookup_trouble_code` for each, `health_report`.
    """
    address = context.adapter_of(adapter)
    if session_id is not None:
        context.store.sessions.get(session_id)
    with context.workshop.links.borrow(address) as link:
        return take_snapshot(context.workshop, link, session_id)
