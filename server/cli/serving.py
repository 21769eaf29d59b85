"""`obd-agent mcp` and `obd-agent serve`: the two ways to serve the tools."""

from threading import Thread
from typing import Annotated

import typer

from server.cli.shell import complain, open_workshop
from server.selection import AnyTool, UnknownChoiceError, select_tools
from server.settings import Settings
from tools import TOOLS

Toolsets = Annotated[str, typer.Option("--toolsets", help="Offer only these toolsets, separated by commas.")]
Names = Annotated[str, typer.Option("--tools", help="Offer only these tools (added to the toolsets).")]
Exclude = Annotated[str, typer.Option("--exclude-tools", help="Never offer these tools.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Offer only tools that change nothing.")]


def add_commands(app: typer.Typer) -> None:
    """Add the serving commands."""
    app.command("mcp")(mcp)
    app.command("serve")(serve)


def mcp(
    toolsets: Toolsets = "", tools: Names = "", exclude: Exclude = "", read_only: ReadOnly = False
) -> None:
    """Serve the tools to one MCP client over standard input and output."""
    import anyio

    from server.mcp_server import build_mcp_server, serve_stdio
    from server.warm import warm_up

    chosen = _choose(toolsets, tools, exclude, read_only)
    with open_workshop() as workshop:
        server = build_mcp_server(chosen, workshop)
        warm_up()
        anyio.run(serve_stdio, server)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    toolsets: Toolsets = "",
    tools: Names = "",
    exclude: Exclude = "",
    read_only: ReadOnly = False,
) -> None:
    """Serve HTTP at /api, MCP at /mcp and the API's documentation at /docs."""
    import uvicorn

    from server.access import UnsafeBindingError, check_binding, is_loopback
    from server.app import build_app
    from server.chat.settings import open_responder
    from server.live.websocket import MOST_BYTES

    chosen = _choose(toolsets, tools, exclude, read_only)
    settings = Settings()
    token = settings.auth
    try:
        check_binding(host, token)
    except UnsafeBindingError as error:
        complain(str(error))
        raise typer.Exit(2) from error
    # Beyond the loopback code runs only where every layer confines it.
    with open_workshop(allow_reduced=is_loopback(host)) as workshop:
        if any(tool.toolset == "python" for tool in chosen):
            Thread(target=workshop.sandbox.start, name="sandbox start", daemon=True).start()
        complain(f"Serving on http://{host}:{port} (API at /docs, MCP at /mcp); Ctrl-C ends it.")
        app = build_app(
            chosen,
            workshop,
            token=token,
            loopback=is_loopback(host),
            limits=settings.limits,
            responder=open_responder(chosen, workshop, settings),
        )
        uvicorn.run(
            app,
            host=host,
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=2,
            ws_max_size=MOST_BYTES,
        )


def _choose(toolsets: str, names: str, exclude: str, read_only: bool) -> tuple[AnyTool, ...]:
    try:
        return select_tools(
            TOOLS,
            toolsets=_split(toolsets),
            names=_split(names),
            exclude=_split(exclude),
            read_only=read_only,
        )
    except UnknownChoiceError as error:
        complain(str(error))
        raise typer.Exit(2) from error


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
