"""A session's events over server-sent events and polling."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel
from sse_starlette import EventSourceResponse

from server.errors import REFUSALS
from server.live.events import Envelope
from server.live.hub import session_topic
from server.live.live import Live
from server.live.subscription import Subscription
from server.live.window import LONGEST_S, LiveStats
from tools.context import Workshop

HEARTBEAT_S = 15.0
# Enough for a stream to end by itself; the process has two seconds in all.
_FAREWELL_S = 1.0
_RETRY = b"retry: 2000\r\n\r\n"

SessionId = Annotated[str, Path(min_length=1, max_length=64)]
EventId = Annotated[
    int, Query(ge=0, le=2**53, description="Only events after this id; 0: all that are kept.")
]


class Updates(BaseModel):
    """Events after an id; ask again with `next`."""

    session_id: str
    events: list[Envelope]
    next: str
    more: bool


def live_routes(workshop: Workshop, live: Live) -> APIRouter:
    """Return the routes that tell what a session does now."""
    router = APIRouter(prefix="/api/sessions/{session_id}", tags=["live"], responses=REFUSALS)

    def add(path: str, endpoint: Any, summary: str, **options: Any) -> None:
        router.add_api_route(path, endpoint, methods=["GET"], summary=summary, **options)

    add("/stream", _stream(workshop, live), "Follow events", responses=_STREAMS)
    add("/live/stats", _stats(workshop, live), "Read live statistics", response_model=LiveStats)
    add("/live/updates", _updates(workshop, live), "Poll for events", response_model=Updates)
    return router


_STREAMS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events as they happen", "content": {"text/event-stream": {}}},
    204: {"description": "The session is over and all its kept events were told: do not reconnect."},
}


def _stream(workshop: Workshop, live: Live) -> Any:
    def stream(
        request: Request,
        session_id: SessionId,
        last_event_id: Annotated[str, Header()] = "",
        since: EventId | None = None,
    ) -> Response:
        """Stream a session's events; a client that reconnects with Last-Event-ID misses nothing that is kept."""
        session = workshop.store.sessions.get(session_id)
        known = int(last_event_id) if last_event_id.isdecimal() and len(last_event_id) < 17 else since
        newest = live.hub.newest(session_topic(session_id))
        if session.state == "finished" and (newest is None or (known or 0) >= newest.id):
            return Response(status_code=204)
        start = known if session.state != "finished" else known or 0
        stopping = anyio.Event()
        return EventSourceResponse(
            _events(live, session_id, start, stopping),
            ping=HEARTBEAT_S,
            shutdown_event=stopping,
            shutdown_grace_period=_FAREWELL_S,
        )

    return stream


async def _events(
    live: Live, session_id: str, since: int | None, stopping: anyio.Event
) -> AsyncIterator[bytes]:
    yield _RETRY
    with Subscription(live.hub) as subscription, _ended_by(stopping, subscription):
        subscription.follow([session_topic(session_id)], since)
        while not subscription.is_over:
            events = await subscription.next(HEARTBEAT_S)
            if events:
                yield b"".join(event.sse for event in events)
                if events[-1].type == "session.finished":
                    return


@contextmanager
def _ended_by(stopping: anyio.Event, subscription: Subscription) -> Iterator[None]:
    """End the subscription when the server stops, so that its stream has an end instead of being torn."""
    waiting = asyncio.create_task(stopping.wait())
    waiting.add_done_callback(lambda _: subscription.end())
    try:
        yield
    finally:
        waiting.cancel()


def _stats(workshop: Workshop, live: Live) -> Any:
    def stats(
        session_id: SessionId, window_s: Annotated[float, Query(gt=0, le=LONGEST_S)] = 60.0
    ) -> LiveStats:
        """Return each signal's latest value and statistics over the session's last seconds."""
        return live.stats(workshop.store.sessions.get(session_id), window_s)

    return stats


def _updates(workshop: Workshop, live: Live) -> Any:
    def updates(
        session_id: SessionId, since: EventId = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> Response:
        """Return events after an id, for clients that cannot hold a connection open."""
        workshop.store.sessions.get(session_id)
        topic = session_topic(session_id)
        events, more = live.hub.read(topic, since, limit)
        after = events[-1].id if events else max(since, live.hub.position(topic, 0))
        body = b'{"session_id":"%b","events":[%b],"next":"%d","more":%b}' % (
            session_id.encode(), b",".join(event.json for event in events), after, b"true" if more else b"false",
        )  # fmt: skip
        return Response(body, media_type="application/json")

    return updates
