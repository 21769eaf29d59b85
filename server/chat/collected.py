"""A whole answer in one piece, for callers that do not follow its events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from pydantic import BaseModel

from server.chat.events import ArtifactMade, Done, Event, Failed, ToolEnd, ToolStart
from server.hanging_up import hung_up
from tools.errors import ToolError


class ToolUse(BaseModel):
    """One call of a tool while an answer was made."""

    call_id: str
    tool: str
    arguments: dict[str, Any]
    ok: bool = False
    text: str = ""
    seconds: float = 0.0
    error: dict[str, Any] | None = None


class ArtifactRow(BaseModel):
    """A file that a tool made."""

    artifact_id: str
    file_name: str
    mime: str
    size_bytes: int


class Answered(BaseModel):
    """An answer, who gave it, and how it was found."""

    conversation_id: str | None
    answer: str
    finish: str
    model: str
    turns: int
    input_tokens: int
    output_tokens: int
    tools: list[ToolUse]
    artifacts: list[ArtifactRow]


async def collect_while_awaited(events: AsyncIterator[Event], request: Request) -> Answered:
    """Return the answer, as `collect` does; stop it where the client that waits for it has gone."""
    collecting, leaving = asyncio.create_task(collect(events)), asyncio.create_task(hung_up(request))
    try:
        await asyncio.wait({collecting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if collecting.done():
            return collecting.result()
        raise ToolError("timeout", "The client has gone.", "Ask again.")
    finally:
        collecting.cancel()
        leaving.cancel()


async def collect(events: AsyncIterator[Event]) -> Answered:
    """Return the answer that the events bring.

    Raises:
        ToolError: the answer ended in an error.
    """
    uses: dict[str, ToolUse] = {}
    artifacts: list[ArtifactRow] = []
    async for event in events:
        if isinstance(event, ToolStart):
            uses[event.call_id] = ToolUse(**event.body())
        elif isinstance(event, ToolEnd):
            uses[event.call_id] = uses[event.call_id].model_copy(update=event.body())
        elif isinstance(event, ArtifactMade):
            artifacts.append(ArtifactRow(**_without_call(event)))
        elif isinstance(event, Failed):
            raise event.as_error()
        elif isinstance(event, Done):
            return _answered(event, list(uses.values()), artifacts)
    raise ToolError("timeout", "The answer was stopped.", "Ask again.")


def _answered(done: Done, uses: list[ToolUse], artifacts: list[ArtifactRow]) -> Answered:
    values = done.body()
    values.pop("calls")
    return Answered(answer=values.pop("text"), tools=uses, artifacts=artifacts, **values)


def _without_call(event: ArtifactMade) -> dict[str, Any]:
    return {name: value for name, value in event.body().items() if name != "call_id"}
