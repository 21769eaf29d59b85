"""Asks the person behind an MCP client, in both protocol eras, whether a call may run once."""

from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from tools.approvals import decide
from tools.context import Workshop
from tools.errors import ToolError

Request = ServerRequestContext[Any, Any]
_QUESTION = "approval"
_SCHEMA: types.ElicitRequestedSchema = {
    "type": "object",
    "properties": {"approve": {"type": "boolean", "title": "Approve", "description": "Do it now, once."}},
    "required": ["approve"],
}


def can_ask(request: Request) -> bool:
    """Tell whether the client said that it can put a form to its user."""
    capabilities = request.session.client_capabilities
    elicitation = None if capabilities is None else capabilities.elicitation
    # A bare `elicitation: {}` stands for forms; a client that has URLs only names them.
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def is_modern(request: Request) -> bool:
    """Tell whether questions travel in results (2026-07-28) instead of as requests to the client."""
    return request.protocol_version in MODERN_PROTOCOL_VERSIONS


def question(refusal: ToolError) -> types.InputRequiredResult:
    """Return the result that asks a modern client's user to approve the refused call."""
    params = types.ElicitRequestFormParams(message=refusal.message, requested_schema=_SCHEMA)
    return types.InputRequiredResult(
        input_requests={_QUESTION: types.ElicitRequest(params=params)},
        request_state=refusal.details["approval_id"],
    )


def answered(params: types.CallToolRequestParams) -> tuple[str, bool] | None:
    """Return the approval and the decision that a modern client's retry carries, or None for a first call."""
    if params.request_state is None or not params.input_responses:
        return None
    response = params.input_responses.get(_QUESTION)
    return params.request_state, isinstance(response, types.ElicitResult) and _approves(response)


async def ask(request: Request, refusal: ToolError) -> bool:
    """Ask a legacy client's user, and wait for the decision."""
    response = await request.session.elicit_form(refusal.message, _SCHEMA, request.request_id)
    return _approves(response)


def _approves(response: types.ElicitResult) -> bool:
    return response.action == "accept" and (response.content or {}).get("approve") is True


def settle(workshop: Workshop, approval_id: str, approved: bool) -> None:
    """Write the person's decision down.

    Raises:
        ToolError: `not_allowed` where the person refused, `not_found` where the approval waits no more.
    """
    decide(workshop.store, approval_id, approved=approved, by="person asked by the MCP client")
    if not approved:
        raise ToolError("not_allowed", "The person refused.", "Do not ask again unless they bring it up.")
