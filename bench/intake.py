"""Live intake over HTTP: rate held, delay until subscribers have it, CPU per reading against a bare FastAPI route
that parses the same bodies, at the same pace, and does nothing.

Run: .venv/bin/python bench/intake.py [seconds]
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import websockets

sys.path.insert(0, str(Path(__file__).parent))

from served import client, cpu_s, memory_mb, server

SIGNALS = [
    "rpm", "speed", "coolant_temp", "engine_load", "throttle_pos", "maf", "intake_pressure", "intake_temp",
    "short_fuel_trim_1", "long_fuel_trim_1", "control_module_voltage", "timing_advance", "o2_b1s1", "o2_b1s2",
    "barometric_pressure", "ambiant_air_temp", "oil_temp", "fuel_level", "relative_throttle_pos", "absolute_load",
]  # fmt: skip
LEVELS = [2200, 60, 88, 35, 18, 14, 45, 24, 1, 2, 14, 12, 0.4, 0.6, 98, 17, 92, 55, 9, 30]
VEHICLES, RATE_HZ = 100, 10.0
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0


def body(second: float, rows: int, hz: float) -> bytes:
    """Return a batch of columns: `rows` rows at `hz`, with values that move as smoothly as a car's."""
    times = second + np.arange(rows) / hz
    columns = {"t_s": [round(float(time_s), 4) for time_s in times]}
    for phase, (name, level) in enumerate(zip(SIGNALS, LEVELS, strict=True)):
        values = level * (1 + 0.02 * np.sin(times / 7 + phase))
        columns[name] = [round(float(value), 2) for value in values]
    return json.dumps({"start": "2026-05-04T08:30:00Z", "columns": columns}).encode()


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


class Load(NamedTuple):
    """Who sends how much to whom."""

    title: str
    vehicles: int
    rows: int
    hz: float
    subscribers: int


class Held(NamedTuple):
    """What a server did under a load: CPU in µs a reading, and the rest in words."""

    cpu_us: float
    said: str


async def hold(kind: str, port: int, process: int, load: Load) -> Held:
    """Send from all vehicles at once with subscribers listening; those of a bare route would hear nothing."""
    sessions = await new_sessions(port, load.vehicles) if kind == "ours" else ["s"] * load.vehicles
    sent: dict[str, float] = {}
    delays: list[float] = []
    answers: list[float] = []
    ready = asyncio.Barrier(load.vehicles + 1)
    every = load.rows / load.hz
    phases = [number / load.vehicles * every for number in range(load.vehicles)]
    sources = [
        asyncio.create_task(source(port, one, load.rows, load.hz, sent, answers, phase, ready))
        for one, phase in zip(sessions, phases, strict=True)
    ]
    listening = [
        asyncio.create_task(subscriber(port, sessions[number % load.vehicles], sent, delays))
        for number in range(load.subscribers if kind == "ours" else 0)
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
    readings = len(answers) * load.rows * len(SIGNALS)
    said = (
        f"{readings:,} readings at {load.vehicles * load.hz * len(SIGNALS):,.0f}/s, all answered after {taken:.2f} s "
        f"of {SECONDS - every + phases[-1]:.2f} s planned; answers {spread(answers)}; {memory_mb(process):.0f} MB"
    )
    if delays:
        said += f"; to subscribers {spread(delays)}, {len(delays)} samples told"
    return Held(1e6 * cpu / readings, said)


def spread(seconds: list[float]) -> str:
    """Return median and 99th percentile in milliseconds."""
    return f"p50 {1e3 * np.percentile(seconds, 50):.1f} ms, p99 {1e3 * np.percentile(seconds, 99):.1f} ms"


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


def under_load() -> None:
    """Print what each load costs and takes, against the bare route under the same load."""
    for load in (
        Load("100 vehicles at 10 Hz, a batch a second, nobody listening", VEHICLES, 10, RATE_HZ, 0),
        Load("100 vehicles at 10 Hz, a batch a second, 100 subscribers", VEHICLES, 10, RATE_HZ, 100),
        Load("1 source at 1000 Hz, 10 batches a second, 1 subscriber", 1, 100, 1000.0, 1),
    ):
        held = {}
        for kind in ("bare", "ours"):
            with server(kind) as (port, process):
                held[kind] = asyncio.run(hold(kind, port, process, load))
        ours, other = held["ours"], held["bare"]
        print(
            f"{load.title} ({len(SIGNALS)} signals each):\n  ours {ours.cpu_us:.2f} µs of CPU a reading, "
            f"bare {other.cpu_us:.2f}, ratio {ours.cpu_us / other.cpu_us:.2f}\n  {ours.said}"
        )


def back_to_back() -> None:
    """Print CPU per reading where each sender sends as soon as it is answered: ours then waits for the disk."""
    print("One batch straight after the other, nobody listening:")
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
    under_load()
    back_to_back()


if __name__ == "__main__":
    main()
