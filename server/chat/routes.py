"""The chat over HTTP: questions answered as JSON or as a stream of events, and the conversations."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse

from server.chat.collected import Answered, collect_while_awaited
from server.chat.responder import Question, Responder
from server.errors import REFUSALS

PING_S = 15
_Id = Annotated[str, Field(min_length=1, max_length=64)]


class Asked(BaseModel):
    """A question; `conversation_id` continues a conversation, the other ids choose what it is about."""

    model_config = ConfigDict(extra="forbid")

    message: Annotated[str, Field(min_length=1, max_length=20_000)]
    conversation_id: _Id | None = None
    vehicle_id: _Id | None = None
    session_id: _Id | None = None
    built_in: Annotated[bool, Field(description="Answer by the built-in rules, without the model.")] = False


def chat_routes(responder: Responder) -> APIRouter:
    """Return the route that answers."""
    router = APIRouter(tags=["chat"], responses=REFUSALS)
    router.add_api_route(
        "/api/chat", _chat(responder), methods=["POST"], response_model=Answered, responses=_STREAMS
    )
    return router


_STREAMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; with `Accept: text/event-stream` its events as they happen: start, text.delta, "
        "tool.start, tool.progress, tool.end, artifact, and done or error at the end",
        "content": {"text/event-stream": {}},
    }
}


def _chat(responder: Responder) -> Any:
    async def chat(asked: Asked, request: Request, accept: Annotated[str, Header()] = "") -> Response:
        """Answer a question about cars and sessions, with the tools of this process."""
        values = asked.model_dump()
        question = Question(values.pop("message"), **values)
        if "text/event-stream" in accept:
            return EventSourceResponse(_stream(responder, question), ping=PING_S)
        answered = await collect_while_awaited(responder.ask(question), request)
        return Response(answered.model_dump_json(), media_type="application/json")

    return chat


async def _stream(responder: Responder, question: Question) -> AsyncIterator[dict[str, str]]:
    async for event in responder.ask(question):
        yield {"event": event.name, "data": json.dumps(event.body(), ensure_ascii=False)}
