"""What a model may not do without a person: here every destructive call waits for an approval."""

import json
from collections.abc import Mapping
from typing import Any

from server.selection import AnyTool
from tools.approvals import require_approval
from tools.context import ToolContext

_APPROVAL: dict[str, Any] = {
    "type": "string",
    "maxLength": 64,
    "description": "Only after a person approved: the approval_id that the refused call was answered with.",
}


def offered(tool: AnyTool) -> dict[str, Any]:
    """Return a tool as a model is offered it."""
    schema = tool.input_schema
    if _guarded_here(tool):
        schema = {**schema, "properties": {**schema["properties"], "approval_id": _APPROVAL}}
    return {"name": tool.name, "description": tool.description, "parameters": schema}


def ask_first(tool: AnyTool, context: ToolContext, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments for the tool once a person approved a destructive call.

    Text from logs, manuals and the web reaches the model and may carry orders; other clients ask their user
    before such a call, and this is our client. Raises ToolError `not_allowed` with an `approval_id`.
    """
    if not _guarded_here(tool):
        return dict(arguments)
    asked = {name: value for name, value in arguments.items() if name != "approval_id"}
    tool.check(asked)
    what = f"{tool.title} {json.dumps(asked, ensure_ascii=False)}"
    require_approval(context, tool.name, asked, what, arguments.get("approval_id"))
    return asked


def _guarded_here(tool: AnyTool) -> bool:
    """Tell whether a tool is destructive and does not ask for an approval by itself."""
    return tool.effects.destructive and "approval_id" not in tool.input_schema["properties"]
