"""Wires the doors into one web application; the only place where they meet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Response
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import SecretStr
from starlette.middleware.gzip import GZipMiddleware

from server.access import AccessGuard
from server.api import add_error_handlers, tool_routes
from server.approvals import approval_routes
from server.limits import LimitGuard, Limits
from server.live.wiring import LiveSide
from server.mcp_server import build_mcp_server
from server.metrics import MetricsGuard
from server.selection import AnyTool
from server.warm import warm_up
from tools.context import Workshop
from tools.errors import ToolError


def build_app(
    tools: tuple[AnyTool, ...],
    workshop: Workshop,
    *,
    token: SecretStr | None = None,
    loopback: bool = True,
    limits: Limits | None = None,
) -> FastAPI:
    """Return the application: tools over HTTP and MCP, resources, live, health; one guard in front of all."""
    limits = limits or Limits()
    side = LiveSide(tools, workshop, limits)
    mcp_server = build_mcp_server(tools, workshop)
    # The guard in front checks Host and Origin for every route; a second check would only disagree with it.
    mcp_app = mcp_server.streamable_http_app(
        streamable_http_path="/mcp",
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        warm_up()
        async with mcp_server.session_manager.run(), side.running():
            yield
        workshop.close()

    app = FastAPI(title="obd-agent", version=version("obd-agent"), lifespan=lifespan)
    add_error_handlers(app, tools)
    app.include_router(tool_routes(tools, workshop))
    app.include_router(approval_routes(workshop))
    side.add_routes(app)
    _add_health(app, workshop)
    # Extended, not mounted: a mount at / would swallow later routes, one at /mcp answers 307.
    app.router.routes.extend(mcp_app.routes)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(MetricsGuard, metrics=side.metrics)
    app.add_middleware(LimitGuard, limits=limits)
    app.add_middleware(AccessGuard, token=token, loopback=loopback)
    return app


def _add_health(app: FastAPI, workshop: Workshop) -> None:
    @app.get("/healthz", tags=["health"], summary="Is the process alive?")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"], summary="Is each component ready?")
    def readyz(response: Response) -> dict[str, Any]:
        components = {"storage": _storage_state(workshop)}
        ready = all(state == "ok" for state in components.values())
        response.status_code = 200 if ready else 503
        return {"status": "ok" if ready else "not ready", "components": components}


def _storage_state(workshop: Workshop) -> str:
    from storage.errors import StorageError

    try:
        workshop.store.sessions.list(limit=1)
    except (StorageError, ToolError, OSError) as error:
        return f"failed: {error}"
    return "ok"
