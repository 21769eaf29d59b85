"""What the sandbox's benchmarks share: the snippet, the session it works on, and how a figure is printed."""

import datetime as dt
import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from sandbox.frames import Frame, encode
from sandbox.host import Host
from sandbox.jobs import Job, carry_out
from sandbox.results import Limits
from sandbox.runner import Sandbox

SNIPPET = """df = load_session()
df["band"] = (df["speed"] // 20).astype(int)
df.groupby("band")["rpm"].agg(["mean", "max"])
"""
FRESH = """import pandas as pd, numpy as np, scipy.stats, matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot
df = pd.read_pickle({path!r})
df["band"] = (df["speed"] // 20).astype(int)
print(df.groupby("band")["rpm"].agg(["mean", "max"]).to_json())
"""


def drive() -> Frame:
    """Return a session of forty minutes."""
    places = np.arange(2400)
    columns = {"rpm": np.linspace(800.0, 3000.0, 2400), "speed": np.abs(np.sin(places / 100)) * 90}
    return Frame("drive", places * 1_000_000, columns, {}, dt.datetime(2026, 1, 1, tzinfo=dt.UTC), version=1)


def timed(do: Callable[[], object], times: int, pause_s: float = 0.0) -> list[float]:
    """Return how long each of several runs took, in milliseconds."""
    taken = []
    for _ in range(times):
        time.sleep(pause_s)
        started = time.perf_counter()
        do()
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def spread(taken: list[float]) -> str:
    """Return median and 99th percentile."""
    return f"{statistics.median(taken):.1f} ms, p99 {np.percentile(taken, 99):.1f}"


def row(what: str, ours: str, other: str, ratio: str, goal: str = "") -> None:
    print(f"| {what} | {ours} | {other} | {ratio} | {goal} |", flush=True)


def straight(host: Host, code: str, frame: Frame, folder: Path) -> Any:
    """Run code past the gate in a freshly forked worker and return its result's value."""
    host.forgo_spare()
    shared = encode(frame)
    worker = host.worker()
    try:
        job = Job(uuid.uuid4().hex, code, Limits(), "full", folder, {}, {frame.session_id: shared.fd})
        result = carry_out(job, worker)
        if result.status != "ok" or result.result is None:
            raise RuntimeError(f"{result.status}: {result.error}")
        return result.result.value
    finally:
        os.close(shared.fd)
        host.dismiss(worker)


def host_of(box: Sandbox) -> Host:
    """Return what forks a sandbox's runs."""
    if box._host is None:
        raise RuntimeError(f"the sandbox is off: {box.status().reason}")
    return box._host
