"""Puts the live side into the application: one hub, its routes, its start and its end."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI

from server.limits import Limits
from server.live.codes import CodeAlerts
from server.live.housekeeping import Housekeeping
from server.live.hub import Hub
from server.live.jobs import Job, Jobs
from server.live.live import Live
from server.live.streams import live_routes
from server.live.websocket import websocket_routes
from server.metrics import Metrics, metrics_routes
from server.resources.alerts import acknowledging_routes, alert_routes
from server.resources.artifacts import artifact_routes
from server.resources.from_tools import tool_resources
from server.resources.health import health_routes
from server.resources.intake import add_data_route, intake_routes
from server.resources.writer import Writer
from server.selection import AnyTool
from tools.context import Progress, Workshop
from tools.intake.receiver import Receiver
from tools.trouble_codes import TroubleCodesNow


class LiveSide:
    """The hub, what feeds it and what looks after it."""

    def __init__(self, tools: tuple[AnyTool, ...], workshop: Workshop, limits: Limits) -> None:
        self.hub = Hub(most_bytes=limits.events_bytes)
        self.live = Live(workshop, self.hub, limits.anomaly_share)
        self.metrics = Metrics()
        self.metrics.watch(self.live)
        self._tools = tools
        self._workshop = workshop
        self._receiver = Receiver(workshop)
        self._writer = Writer(self._receiver, self.metrics.took)
        self._housekeeping = Housekeeping(workshop, self.live, limits.keep_events_s)
        self._jobs = Jobs(self.hub)
        self._codes = CodeAlerts(workshop, self.live.alerting)

    def add_routes(self, app: FastAPI) -> None:
        """Add every resource and live route; those that write only where a tool may write too."""
        app.state.live = self.live
        if any(not tool.effects.read_only for tool in self._tools):
            add_data_route(app, self._writer)
            app.include_router(intake_routes(self._workshop, self.live, self._receiver))
            app.include_router(acknowledging_routes(self._workshop))
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

    def watch(self, tool: str, arguments: Mapping[str, Any], progress: Progress) -> Job:
        """Tell a call if it lasts."""
        return self._jobs.watch(tool, arguments, progress)

    def codes_read(self, session_id: str, now: TroubleCodesNow, before: TroubleCodesNow | None) -> None:
        """Raise and clear alerts by what was read."""
        self._codes.read(session_id, now, before)

    def tidy(self, closed: Sequence[str]) -> int:
        """End the live side of what is over, forget old events; return how many events."""
        return self._housekeeping.tidy(closed)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve live events and look after sessions while the block lasts."""
        self.hub.open()
        self._workshop.live = self
        await asyncio.to_thread(self._housekeeping.attach)
        upkeep = asyncio.create_task(self._housekeeping.run())
        try:
            yield
        finally:
            self._workshop.live = None
            self.hub.close()
            upkeep.cancel()
            with suppress(asyncio.CancelledError):
                await upkeep
            await asyncio.to_thread(self._writer.close)
            await asyncio.to_thread(self.live.anomalies.close)
