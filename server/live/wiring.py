"""Puts the live side into the application: one hub, its routes, its start and its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from server.limits import Limits
from server.live.housekeeping import Housekeeping
from server.live.hub import Hub
from server.live.live import Live
from server.live.streams import live_routes
from server.live.websocket import websocket_routes
from server.metrics import Metrics, metrics_routes
from server.resources.alerts import alert_routes, upkeep_routes
from server.resources.artifacts import artifact_routes
from server.resources.from_tools import tool_resources
from server.resources.health import health_routes
from server.resources.intake import intake_routes
from server.resources.writer import Writer
from server.selection import AnyTool
from tools.context import Workshop
from tools.intake.receiver import Receiver


class LiveSide:
    """The hub, what feeds it and what looks after it."""

    def __init__(self, tools: tuple[AnyTool, ...], workshop: Workshop, limits: Limits) -> None:
        self.hub = Hub(most_bytes=limits.events_bytes)
        self.live = Live(workshop, self.hub)
        self.metrics = Metrics()
        self.metrics.watch(self.live)
        self._tools = tools
        self._workshop = workshop
        self._receiver = Receiver(workshop)
        self._writer = Writer(self._receiver, self.metrics.took)
        self._housekeeping = Housekeeping(workshop, self.live, limits)

    def add_routes(self, app: FastAPI) -> None:
        """Add every resource and live route; those that write only where a tool may write too."""
        app.state.live = self.live
        if any(not tool.effects.read_only for tool in self._tools):
            routes = intake_routes(self._workshop, self.live, self._receiver, self._writer)
            app.include_router(routes)
            app.include_router(upkeep_routes(self._workshop, self._housekeeping))
        app.include_router(live_routes(self._workshop, self.live))
        app.include_router(tool_resources(self._tools, self._workshop, self._changed))
        app.include_router(artifact_routes(self._workshop))
        app.include_router(alert_routes(self._workshop))
        app.include_router(websocket_routes(self._tools, self._workshop, self.hub))
        app.include_router(metrics_routes(self.metrics))
        app.include_router(health_routes(self._workshop, self.hub))

    def _changed(self, tool: str, session_id: str) -> None:
        if tool == "update_session":
            self.live.changed(self._workshop.store.sessions.get(session_id))
        elif tool == "delete_session":
            self.live.end(session_id, "deleted")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve live events and look after sessions while the block lasts."""
        self.hub.open()
        await asyncio.to_thread(self._housekeeping.attach)
        upkeep = asyncio.create_task(self._housekeeping.run())
        try:
            yield
        finally:
            self.hub.close()
            upkeep.cancel()
            with suppress(asyncio.CancelledError):
                await upkeep
            await asyncio.to_thread(self._writer.close)
