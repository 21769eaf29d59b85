"""A real server on a free port of the loopback, for tests that need real clients."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from server.app import build_app
from server.limits import Limits
from server.selection import AnyTool
from tools import TOOLS
from tools.context import Workshop


@contextmanager
def running(
    workshop: Workshop, limits: Limits | None = None, tools: tuple[AnyTool, ...] = TOOLS, **options: Any
) -> Iterator[str]:
    """Serve the application in a thread; give host and port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    app = build_app(tools, workshop, limits=limits, **options)
    # The SansIO implementation: websockets' old one warns that it is deprecated.
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
