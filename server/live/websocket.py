"""Live events over one WebSocket: subscribe, unsubscribe, ping, ask for a diagnosis."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_json

from server.calls import answer, find_tool
from server.live.hub import ALERTS, JOBS, Hub, session_topic, vehicle_topic
from server.live.subscription import Subscription
from server.selection import AnyTool
from tools.context import ToolContext, Workshop
from tools.errors import ToolError

log = logging.getLogger(__name__)

HEARTBEAT_S = 15.0
MOST_BYTES = 1_000_000
MOST_TOPICS = 500
_TOO_LARGE = 1009
_GOING_AWAY = 1001
_DIAGNOSIS = "analyze_session"

Ids = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=MOST_TOPICS)]


class _Said(BaseModel):
    """What every message of a client may carry: an `id` of its own, which the answer repeats."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(max_length=100)] | int | None = None


class Subscribe(_Said):
    """Follow sessions, vehicles, alerts or jobs, from the event after `since` on if given."""

    type: Literal["subscribe"]
    sessions: Ids = []
    vehicles: Ids = []
    alerts: bool = False
    jobs: bool = False
    since: Annotated[int, Field(ge=0, le=2**53)] | None = None


class Unsubscribe(_Said):
    """Follow these no more."""

    type: Literal["unsubscribe"]
    sessions: Ids = []
    vehicles: Ids = []
    alerts: bool = False
    jobs: bool = False


class Ping(_Said):
    """Ask whether the server is there."""

    type: Literal["ping"]


class Diagnose(_Said):
    """Ask for an analysis of a session; it may take seconds, other messages go on meanwhile."""

    type: Literal["diagnose"]
    session_id: Annotated[str, Field(min_length=1, max_length=64)]


Said = Annotated[Subscribe | Unsubscribe | Ping | Diagnose, Field(discriminator="type")]
_said: TypeAdapter[Said] = TypeAdapter(Said)


def websocket_routes(tools: tuple[AnyTool, ...], workshop: Workshop, hub: Hub) -> APIRouter:
    """Return the route of the WebSocket."""
    router = APIRouter()

    @router.websocket("/ws")
    async def follow(socket: WebSocket) -> None:
        await socket.accept()
        await _Conversation(socket, tools, workshop, hub).run()

    return router


class _Conversation:
    """One client."""

    def __init__(self, socket: WebSocket, tools: tuple[AnyTool, ...], workshop: Workshop, hub: Hub) -> None:
        self._socket = socket
        self._tools = tools
        self._workshop = workshop
        self._hub = hub
        self._subscription = Subscription(hub)
        self._sending = asyncio.Lock()
        self._diagnosis: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Listen and tell until the client leaves or the server closes."""
        with self._subscription:
            tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._tell())]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _stop([*tasks, *([self._diagnosis] if self._diagnosis else [])])

    async def _tell(self) -> None:
        while not self._subscription.is_over:
            events = await self._subscription.next(HEARTBEAT_S)
            if not events and not self._subscription.is_over:
                await self._say({"type": "heartbeat"})
            for event in events:
                await self._send(event.json)
        await self._socket.close(_GOING_AWAY, "the server stops")

    async def _listen(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("text") or message.get("bytes") or ""
            if len(data) > MOST_BYTES:
                await self._socket.close(_TOO_LARGE, f"messages have at most {MOST_BYTES} bytes")
                return
            await self._answer(data)

    async def _answer(self, data: str | bytes) -> None:
        try:
            said = _said.validate_json(data)
        except ValidationError as error:
            await self._refuse(None, _explained(error))
            return
        if isinstance(said, Ping):
            await self._say({"type": "pong", "id": said.id})
        elif isinstance(said, Diagnose):
            await self._start_diagnosis(said)
        else:
            await self._change(said)

    async def _change(self, said: Subscribe | Unsubscribe) -> None:
        topics = _topics(said)
        if isinstance(said, Unsubscribe):
            for topic in topics:
                self._subscription.leave(topic)
        elif len({*self._subscription.topics, *topics}) > MOST_TOPICS:
            error = ToolError(
                "too_large", f"More than {MOST_TOPICS} subscriptions.", "Unsubscribe from some."
            )
            await self._refuse(said.id, error)
            return
        else:
            self._subscription.follow(topics, said.since)
        follows = self._subscription.topics
        await self._say(
            {"type": f"{said.type}d", "id": said.id, "topics": follows, "at": str(self._hub.last_id)}
        )

    async def _start_diagnosis(self, said: Diagnose) -> None:
        if self._diagnosis is not None and not self._diagnosis.done():
            error = ToolError("busy", "A diagnosis is running on this connection.", "Wait for its answer.")
            await self._refuse(said.id, error)
            return
        self._diagnosis = asyncio.create_task(self._diagnose(said))

    async def _diagnose(self, said: Diagnose) -> None:
        context = ToolContext(self._workshop, requester="websocket")
        arguments = {"session_id": said.session_id}
        try:
            result = await asyncio.to_thread(
                lambda: answer(find_tool(self._tools, _DIAGNOSIS), context, arguments).structured()
            )
        except ToolError as error:
            await self._refuse(said.id, error)
        except asyncio.CancelledError:
            context.cancelled.set()
            raise
        else:
            await self._say({"type": "diagnosis", "id": said.id, "data": result})

    async def _refuse(self, number: str | int | None, error: ToolError) -> None:
        await self._say({"type": "error", "id": number, "data": error.body()})

    async def _say(self, message: dict[str, Any]) -> None:
        await self._send(to_json(message))

    async def _send(self, data: bytes) -> None:
        async with self._sending:
            await self._socket.send_text(data.decode())


def _topics(said: Subscribe | Unsubscribe) -> list[str]:
    topics = [*map(session_topic, said.sessions), *map(vehicle_topic, said.vehicles)]
    return topics + [ALERTS] * said.alerts + [JOBS] * said.jobs


def _explained(error: ValidationError) -> ToolError:
    problems = "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'message'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)[:5]
    )
    hint = 'Send {"type": "subscribe", "sessions": ["ses_…"]}, or type unsubscribe, ping or diagnose.'
    return ToolError("bad_arguments", f"{problems}.", hint)


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        # A client that left while something was sent to it is no fault.
        with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await task
