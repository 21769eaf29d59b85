"""Wires the doors into one web application; the only place where they meet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import SecretStr
from starlette.middleware.gzip import GZipMiddleware

from server.access import AccessGuard
from server.api import tool_routes
from server.approvals import approval_routes
from server.cache import Results, share
from server.chat.responder import Responder
from server.chat.wiring import add_chat
from server.docs import add_docs
from server.errors import add_error_handlers
from server.front import SafeAnswers
from server.limits import LimitGuard, Limits
from server.live.wiring import LiveSide
from server.mcp_server import build_mcp_server
from server.metrics import MetricsGuard
from server.selection import AnyTool
from server.warm import warm_up
from tools.context import Workshop


def build_app(
    tools: tuple[AnyTool, ...],
    workshop: Workshop,
    *,
    token: SecretStr | None = None,
    loopback: bool = True,
    limits: Limits | None = None,
    responder: Responder | None = None,
) -> FastAPI:
    """Return the application: tools over HTTP and MCP, resources, live, health; one guard in front of all."""
    limits = limits or Limits()
    tools = share(tools, Results())
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

    app = FastAPI(
        title="obd-agent", version=version("obd-agent"), lifespan=lifespan, docs_url=None, redoc_url=None
    )
    add_error_handlers(app, tools)
    # First, because routes are tried in turn and readings come most often.
    side.add_routes(app)
    app.include_router(approval_routes(workshop))
    app.include_router(tool_routes(tools, workshop))
    add_chat(app, responder or Responder(tools, workshop))
    add_docs(app)
    # Extended, not mounted: a mount at / would swallow later routes, one at /mcp answers 307.
    app.router.routes.extend(mcp_app.routes)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(MetricsGuard, metrics=side.metrics)
    app.add_middleware(LimitGuard, limits=limits)
    app.add_middleware(AccessGuard, token=token, loopback=loopback)
    app.add_middleware(SafeAnswers)
    return app
