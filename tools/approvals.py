"""Writes that need a person: the model can ask for them, never allow them to itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from storage.errors import NotFoundError
from tools.context import ToolContext
from tools.errors import ToolError

if TYPE_CHECKING:
    from storage.records import Approval
    from storage.store import Store


def require_approval(
    context: ToolContext, tool: str, arguments: Mapping[str, Any], what: str, approval_id: str | None
) -> None:
    """Return only where a person approved exactly this call, which uses the approval up.

    Raises:
        ToolError: `not_allowed` with the `approval_id` that a person can approve; the call can then be made again.
    """
    store = context.store
    if approval_id is not None:
        if store.approvals.use(approval_id, tool, arguments, context.requester):
            store.audit.add(
                context.requester, f"ran {tool}", {"approval": approval_id, "what": what, **arguments}
            )
            return
        store.audit.add(context.requester, f"was refused {tool}", {"approval": approval_id, **arguments})
        raise ToolError(
            "not_allowed",
            f"{approval_id} does not allow this call: it waits, was refused, has expired or been used, or was "
            "given for another call.",
            "Make the call without approval_id to ask a person anew.",
        )
    asked = store.approvals.ask(tool, arguments, context.requester, what)
    store.audit.add(context.requester, f"asked for {tool}", {"approval": asked.id, "what": what, **arguments})
    raise ToolError(
        "not_allowed",
        f"This needs a person's approval: {what}",
        f"A person runs `obd-agent approve {asked.id}` (or POST /api/approvals/{asked.id}) within ten minutes; "
        "then make the same call with approval_id.",
        approval_id=asked.id,
    )


def decide(store: Store, approval_id: str, *, approved: bool, by: str) -> Approval:
    """Write a person's decision down, also in the audit log.

    Raises:
        ToolError: `not_found` where nothing waits under that id.
    """
    try:
        decided = store.approvals.decide(approval_id, approved=approved, by=by)
    except NotFoundError as error:
        raise ToolError("not_found", error.message, error.hint) from error
    store.audit.add(
        by, "approved" if approved else "refused", {"approval": approval_id, "what": decided.what}
    )
    return decided
