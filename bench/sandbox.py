"""How much the sandbox costs, as ratios against what one would use without it.

`python bench/sandbox.py` takes about a minute. Against a restarted Jupyter kernel it measures only where ipykernel
and jupyter_client can be imported.
"""

import contextlib
import datetime as dt
import importlib.util
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
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
EVERYTHING = ("landlock", "seccomp", "rlimits")


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


def snippets(box: Sandbox, folder: Path) -> None:
    """A three-line snippet through the door, beside an interpreter that starts and imports for it."""
    import pandas as pd

    frame = drive()
    path = folder / "drive.pkl"
    pd.DataFrame(frame.columns).to_pickle(path)
    command = [sys.executable, "-I", "-c", FRESH.format(path=str(path))]

    def ours() -> None:
        result = box.run(SNIPPET, {"drive": frame})
        if result.status != "ok":
            raise RuntimeError(f"{result.status}: {result.error}")

    timed(ours, 3, 0.5)
    alone, queued = timed(ours, 40, 0.5), timed(ours, 40)
    fresh = timed(lambda: subprocess.run(command, check=True, capture_output=True), 7)
    median = statistics.median
    row(
        "three-line snippet, one at a time, against a fresh interpreter",
        spread(alone),
        spread(fresh),
        f"{median(fresh) / median(alone):.0f}x",
        ">= 40x",
    )
    row(
        "the same, one straight after the other",
        spread(queued),
        spread(fresh),
        f"{median(fresh) / median(queued):.0f}x",
    )
    row(
        "p99 against median, one at a time",
        f"{np.percentile(alone, 99):.1f} ms",
        f"{median(alone):.1f} ms",
        f"{np.percentile(alone, 99) / median(alone):.1f}x",
        "< 2x idle",
    )
    if importlib.util.find_spec("jupyter_client") and importlib.util.find_spec("ipykernel"):
        kernel = jupyter(path)
        row(
            "the same, against a restarted Jupyter kernel",
            spread(alone),
            spread(kernel),
            f"{median(kernel) / median(alone):.0f}x",
            ">= 50x",
        )


def jupyter(path: Path) -> list[float]:
    """Restart a Jupyter kernel and run the snippet in it, a few times."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready()

    def restarted() -> None:
        manager.restart_kernel(now=True)
        client.wait_for_ready()
        client.execute_interactive(FRESH.format(path=str(path)), output_hook=lambda _: None)

    taken = timed(restarted, 5)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    return taken


def layers(folder: Path) -> None:
    """The same run with the kernel's layers and without any, turn by turn, in children that nobody warmed up."""
    with contextlib.ExitStack() as stack:
        hosts = {
            name: stack.enter_context(contextlib.closing(Host(without, quick=True)))
            for name, without in (("confined", ()), ("bare", EVERYTHING))
        }
        taken: dict[str, list[float]] = {name: [] for name in hosts}
        for host in hosts.values():
            host.start()
        for _ in range(60):
            for name, host in hosts.items():
                taken[name] += timed(lambda host=host: straight(host, SNIPPET, drive(), folder), 1)  # type: ignore[misc]
                host.settle()
        confined, bare = (statistics.median(taken[name]) for name in ("confined", "bare"))
    row(
        "a run with all layers, against one with none",
        spread(taken["confined"]),
        spread(taken["bare"]),
        f"{(confined / bare - 1) * 100:+.0f} %",
        "< 10 %",
    )


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


BIG = """import mmap, os, time
fd = load_session.__self__._fds["big"]
size = os.fstat(fd).st_size
def ours():
    table = load_session()
    table.iloc[0, 0] = 1.0
    loaded.append(time.perf_counter())
    return table.to_numpy(copy=False)[::512].sum()
def mapped():
    memory = mmap.mmap(fd, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    values = np.frombuffer(memory, np.float64)
    values[0] = 1.0
    return values[::512].sum()
taken, loaded = {"ours": [], "mapped": [], "loaded": []}, []
for _ in range(25):
    for do in (ours, mapped):
        start = time.perf_counter()
        do()
        taken[do.__name__].append((time.perf_counter() - start) * 1000)
        taken["loaded"] += [(moment - start) * 1000 for moment in loaded]
        loaded.clear()
{name: float(np.median(times)) for name, times in taken.items()}
"""


def big_session(box: Sandbox, folder: Path) -> None:
    """A million rows of twenty signals into a run, to be written to; beside mapping the same bytes there."""
    rows, columns = 1_000_000, 20
    values = {f"x_{number}": np.random.default_rng(number).random(rows) for number in range(columns)}
    frame = Frame("big", np.arange(rows) * 1000, values, {}, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    encoding = timed(lambda: os.close(encode(frame).fd), 3)
    pickled = statistics.median(timed(lambda: pickle.loads(pickle.dumps(values)), 3))
    taken = straight(host_of(box), BIG, frame, folder)
    row(
        "1,000,000 x 20 as a writable table, every page looked at, against mapping the same bytes",
        f"{taken['ours']:.1f} ms",
        f"{taken['mapped']:.1f} ms",
        f"{taken['ours'] / taken['mapped']:.1f}x",
        "< 2x",
    )
    row(
        "the same, not looked at, against pickling and unpickling",
        f"{taken['loaded']:.1f} ms",
        f"{pickled:.0f} ms",
        f"{pickled / taken['loaded']:.0f}x less",
    )
    row("encoding it, once per session and version", f"{statistics.median(encoding):.0f} ms", "", "")


def host_of(box: Sandbox) -> Host:
    """Return what forks a sandbox's runs."""
    if box._host is None:
        raise RuntimeError(f"the sandbox is off: {box.status().reason}")
    return box._host


def memory(box: Sandbox) -> None:
    """How much memory is a run's own, beside that of an interpreter of its own."""
    fresh = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            FRESH.split("df =")[0] + "print(open('/proc/self/smaps_rollup').read())",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    box.run(SNIPPET, {"drive": drive()}, workspace="memory")
    host, workspaces = host_of(box), box._workspaces
    assert workspaces is not None
    pid = workspaces._all["memory"].worker.child.pid
    own, zygote = (
        private_mb(Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")),
        private_mb(Path(f"/proc/{host.hello['pid']}/smaps_rollup").read_text(encoding="ascii")),
    )
    row(
        "memory of a run's own, against an interpreter's",
        f"{own:.0f} MB",
        f"{private_mb(fresh):.0f} MB",
        f"{private_mb(fresh) / own:.0f}x less",
    )
    row("memory of the zygote's own, for all runs together", f"{zygote:.0f} MB", "", "")


def private_mb(rollup: str) -> float:
    """Return the private memory in a smaps_rollup."""
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_")) / 1024


def ending(box: Sandbox) -> None:
    """How long after its time an endless run is gone."""
    started = time.perf_counter()
    box.run("while True: pass", {}, Limits(wall_s=5))
    took_s = time.perf_counter() - started
    row(
        "an endless run with 5 s to live",
        f"{took_s:.2f} s",
        "5 s",
        f"+{(took_s - 5) * 1000:.0f} ms",
        "< 5.2 s",
    )


def main() -> None:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="obd-bench-")))
        box = stack.enter_context(Sandbox(folder))
        started = time.perf_counter()
        report = box.start()
        print(
            f"{report.platform}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; tier {report.tier}; "
            f"ready after {time.perf_counter() - started:.1f} s\n"
        )
        time.sleep(6)  # what the zygote imports while idle
        print("| what | ours | other | ratio | goal |\n|---|---|---|---|---|")
        snippets(box, folder)
        big_session(box, folder)
        memory(box)
        ending(box)
        layers(folder)


if __name__ == "__main__":
    main()
