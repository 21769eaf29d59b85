"""Composes what a model is told before the first question."""

import prompts
from server.chat.memory import Memory
from server.selection import AnyTool


def instructions(tools: tuple[AnyTool, ...], memory: Memory) -> str:
    """Return the rules of the workshop, how to use the tools, and what the conversation is about.

    Cars and sessions are named by id only: their names are text that anybody may have written.
    """
    parts = [prompts.load("chat"), prompts.instructions({tool.toolset for tool in tools})]
    about = [
        f"The {noun} in question is {chosen}, unless the question names another."
        for noun, chosen in (("vehicle", memory.vehicle_id), ("session", memory.session_id))
        if chosen
    ]
    return "\n\n".join([*parts, *about])
