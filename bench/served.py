"""The servers that the intake's benchmark compares, each in a process of its own, and a client that costs little."""

import asyncio
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))


def serve(kind: str, folder: str, ready: Connection) -> None:
    """Serve ours, or a bare route that parses the same body and does nothing."""
    import uvicorn

    # With its protocol named: asyncio sets TCP_NODELAY only where it sees one.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    ready.send(listener.getsockname()[1])
    config = uvicorn.Config(ours(Path(folder)) if kind == "ours" else bare(), log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


def ours(home: Path) -> Any:
    """Return our application without a limit of requests."""
    from server.app import build_app
    from server.limits import Limits
    from tools import TOOLS
    from tools.context import Workshop

    workshop = Workshop(home, f"sqlite:///{home / 'bench.db'}")
    return build_app(TOOLS, workshop, limits=Limits(requests_per_s=0))


def bare() -> Any:
    """Return what FastAPI costs by itself."""
    from datetime import datetime

    from fastapi import FastAPI
    from pydantic import BaseModel

    class Columns(BaseModel):
        start: datetime | None = None
        columns: dict[str, list[float | None]]
        units: dict[str, str] = {}

    app = FastAPI()

    @app.post("/api/sessions/{session_id}/data")
    async def take(session_id: str, columns: Columns) -> dict[str, Any]:
        return {"accepted": 0, "session_id": session_id}

    return app


@contextmanager
def server(kind: str) -> Iterator[tuple[int, int]]:
    """Run a server in a process of its own; give its port and process id."""
    spawning = multiprocessing.get_context("spawn")
    mine, theirs = spawning.Pipe()
    with tempfile.TemporaryDirectory(prefix="obd-agent-bench") as folder:
        process = spawning.Process(target=serve, args=(kind, folder, theirs), daemon=True)
        process.start()
        port = mine.recv()
        wait_until_ready(port)
        try:
            yield port, process.pid or 0
        finally:
            process.terminate()
            process.join(10)


def wait_until_ready(port: int) -> None:
    """Wait until the server answers anything."""
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server did not start")


def cpu_s(process: int) -> float:
    """Return the CPU seconds a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(process: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


class Client:
    """One keep-alive connection that costs the machine as little as can be."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def post(self, path: str, data: bytes) -> dict[str, Any]:
        """Send a JSON body and return the answer."""
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length:")[2].split()[0])
        content = await self._reader.readexactly(length)
        status = int(answer.split()[1])
        if status >= 300:
            raise SystemExit(f"{status}: {content[:300]!r}")
        return json.loads(content)


@asynccontextmanager
async def client(port: int) -> Any:
    """Open a connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield Client(reader, writer)
    writer.close()
