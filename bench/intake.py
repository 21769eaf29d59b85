"""Live intake over HTTP: rate held, delay until subscribers have it, CPU per reading against a bare FastAPI route.

Run: .venv/bin/python bench/intake.py [seconds]
"""

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

import numpy as np
import websockets

sys.path.insert(0, str(Path(__file__).parents[1]))

SIGNALS = [
    "rpm", "speed", "coolant_temp", "engine_load", "throttle_pos", "maf", "intake_pressure", "intake_temp",
    "short_fuel_trim_1", "long_fuel_trim_1", "control_module_voltage", "timing_advance", "o2_b1s1", "o2_b1s2",
    "barometric_pressure", "ambiant_air_temp", "oil_temp", "fuel_level", "relative_throttle_pos", "absolute_load",
]  # fmt: skip
LEVELS = [2200, 60, 88, 35, 18, 14, 45, 24, 1, 2, 14, 12, 0.4, 0.6, 98, 17, 92, 55, 9, 30]
VEHICLES, RATE_HZ = 100, 10
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0


def body(second: float, rows: int, hz: float) -> bytes:
    """Return a batch of columns: `rows` rows at `hz`, with values that move as smoothly as a car's."""
    times = second + np.arange(rows) / hz
    columns = {"t_s": [round(float(time_s), 4) for time_s in times]}
    for phase, (name, level) in enumerate(zip(SIGNALS, LEVELS, strict=True)):
        values = level * (1 + 0.02 * np.sin(times / 7 + phase))
        columns[name] = [round(float(value), 2) for value in values]
    return json.dumps({"start": "2026-05-04T08:30:00Z", "columns": columns}).encode()


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


async def subscriber(port: int, session: str, sent: dict[str, float], delays: list[float]) -> None:
    """Follow a session over a WebSocket, and note how old each sample is when it comes."""
    async with websockets.connect(f"ws://127.0.0.1:{port}/ws", max_queue=None, compression=None) as socket:
        await socket.send(json.dumps({"type": "subscribe", "sessions": [session]}))
        async for message in socket:
            if '"type":"sample"' in message:
                end = json.loads(message)["data"]["end_s"]
                if (start := sent.get(f"{session} {end:.3f}")) is not None:
                    delays.append(time.perf_counter() - start)


async def source(
    port: int,
    session: str,
    rows: int,
    hz: float,
    sent: dict[str, float],
    answers: list[float],
    phase: float,
    ready: asyncio.Barrier,
) -> None:
    """Post a batch whenever one is due, for SECONDS; late ones are posted at once.

    A session's first batch, which creates its channels, is sent before the clock starts.
    """
    every = rows / hz
    batches = [body(number * every, rows, hz) for number in range(int(SECONDS / every))]
    async with client(port) as connection:
        await connection.post(f"/api/sessions/{session}/data", body(-every, rows, hz))
        await ready.wait()
        began = time.perf_counter() + phase
        for number, data in enumerate(batches):
            await asyncio.sleep(max(0.0, began + number * every - time.perf_counter()))
            start = time.perf_counter()
            sent[f"{session} {number * every + (rows - 1) / hz:.3f}"] = start
            await connection.post(f"/api/sessions/{session}/data", data)
            answers.append(time.perf_counter() - start)


async def load(port: int, process: int, vehicles: int, rows: int, hz: float, subscribers: int) -> str:
    """Send from all vehicles at once with subscribers listening; return one line of results."""
    async with client(port) as connection:
        made = [await connection.post("/api/sessions", b"{}") for _ in range(vehicles)]
    sessions = [one["id"] for one in made]
    sent: dict[str, float] = {}
    delays: list[float] = []
    answers: list[float] = []
    ready = asyncio.Barrier(vehicles + 1)
    phases = [number / vehicles * rows / hz for number in range(vehicles)]
    sources = [
        asyncio.create_task(source(port, one, rows, hz, sent, answers, phase, ready))
        for one, phase in zip(sessions, phases, strict=True)
    ]
    listening = [
        asyncio.create_task(subscriber(port, sessions[number % vehicles], sent, delays))
        for number in range(subscribers)
    ]
    # Everybody is there before the clock starts.
    await asyncio.sleep(1.5)
    await ready.wait()
    cpu, start = cpu_s(process), time.perf_counter()
    await asyncio.gather(*sources)
    taken, cpu = time.perf_counter() - start, cpu_s(process) - cpu
    await asyncio.sleep(0.5)
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    readings = len(answers) * rows * len(SIGNALS)
    planned = SECONDS - rows / hz + phases[-1]
    return (
        f"{readings:,} readings at {vehicles * hz * len(SIGNALS):,.0f}/s: all durable after {taken:.2f} s, "
        f"planned {planned:.2f} s;\n  answer p50 {1e3 * np.percentile(answers, 50):.1f} ms, "
        f"p99 {1e3 * np.percentile(answers, 99):.1f} ms; to subscriber p50 {1e3 * np.percentile(delays, 50):.1f} ms, "
        f"p99 {1e3 * np.percentile(delays, 99):.1f} ms ({len(delays)} samples told);\n  "
        f"server CPU {100 * cpu / taken:.0f} %, {1e6 * cpu / readings:.2f} µs/reading, "
        f"{memory_mb(process):.0f} MB"
    )


async def cost(port: int, process: int, sessions: list[str], batches: list[bytes]) -> float:
    """Return the server's CPU per batch in µs when each session sends the batches one after the other."""

    async def send(session: str, part: list[bytes]) -> None:
        async with client(port) as connection:
            for data in part:
                await connection.post(f"/api/sessions/{session}/data", data)

    await asyncio.gather(*(send(session, batches[:20]) for session in sessions))
    cpu = cpu_s(process)
    await asyncio.gather(*(send(session, batches[20:]) for session in sessions))
    return (cpu_s(process) - cpu) / (len(batches) - 20) / len(sessions) * 1e6


async def new_sessions(port: int, number: int) -> list[str]:
    """Make sessions and return their ids."""
    async with client(port) as connection:
        return [str((await connection.post("/api/sessions", b"{}"))["id"]) for _ in range(number)]


def ratios() -> None:
    """Print CPU per reading of ours and of the bare route, for batches of several sizes."""
    print("CPU per reading with nobody listening (bare FastAPI route that parses the same body = 1):")
    with server("ours") as (our_port, our_process), server("bare") as (bare_port, bare_process):
        for senders, rows, rounds in ((1, 10, 320), (32, 1, 50), (32, 10, 50), (32, 100, 30)):
            batches = [body(number * rows / 10, rows, 10) for number in range(rounds)]
            sessions = asyncio.run(new_sessions(our_port, senders))
            theirs = asyncio.run(cost(bare_port, bare_process, sessions, batches))
            mine = asyncio.run(cost(our_port, our_process, sessions, batches))
            n = rows * len(SIGNALS)
            print(
                f"  {senders:3} senders, {n:4} readings a batch: ours {mine / n:6.2f} µs, "
                f"bare {theirs / n:6.2f} µs, ratio {mine / theirs:.2f}"
            )


def main() -> None:
    """Measure and print."""
    ratios()
    for title, vehicles, rows, hz, subscribers in (
        ("100 vehicles x 20 signals at 10 Hz, a batch a second, 100 subscribers", VEHICLES, 10, 10.0, 100),
        ("1 source x 20 signals at 1000 Hz, 10 batches a second, 1 subscriber", 1, 100, 1000.0, 1),
    ):
        with server("ours") as (port, process):
            print(f"{title}:\n  {asyncio.run(load(port, process, vehicles, rows, hz, subscribers))}")


if __name__ == "__main__":
    main()
