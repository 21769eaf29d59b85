"""One call of a tool, as every door makes it."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from server.selection import AnyTool
from tools.answer import Answer
from tools.context import ToolContext
from tools.errors import ToolError

log = logging.getLogger(__name__)

INTERNAL = ToolError(
    "internal_error",
    "The tool failed in a way it should not.",
    "This is a fault of obd-agent; its log has the details. Nothing was changed on purpose.",
)


def answer(tool: AnyTool, context: ToolContext, arguments: Mapping[str, Any]) -> Answer:
    """Run a tool, and tell the live side, where there is one, if it lasts; whatever goes wrong leaves as a ToolError.

    Raises:
        ToolError: what the tool refused; `internal_error` for a bug, whose traceback goes to the log only.
    """
    live = context.workshop.live
    if live is None:
        return _run(tool, context, arguments)
    with live.watch(tool.name, arguments, context.progress) as progress:
        return _run(tool, replace(context, progress=progress), arguments)


def _run(tool: AnyTool, context: ToolContext, arguments: Mapping[str, Any]) -> Answer:
    try:
        return tool.run(context, arguments)
    except ToolError:
        raise
    except Exception:
        log.exception("the tool %s failed", tool.name)
        raise INTERNAL from None


def find_tool(tools: tuple[AnyTool, ...], name: str) -> AnyTool:
    """Return the tool of that name.

    Raises:
        ToolError: `not_found`, naming the nearest tools.
    """
    for tool in tools:
        if tool.name == name:
            return tool
    raise ToolError(
        "not_found", f"There is no tool {name!r} here.", f"There are: {', '.join(t.name for t in tools)}."
    )


def describe(tool: AnyTool) -> dict[str, Any]:
    """Return a tool with its schemas and effects as plain JSON values."""
    effects = tool.effects
    return {
        "name": tool.name,
        "title": tool.title,
        "toolset": tool.toolset,
        "description": tool.description,
        "input_schema": tool.input_schema,
        "output_schema": tool.output_schema,
        "read_only": effects.read_only,
        "destructive": effects.destructive,
        "idempotent": effects.idempotent,
        "open_world": effects.open_world,
    }
