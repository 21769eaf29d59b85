"""What the sandbox costs in memory: a large session on its way into a run, and what a run has of its own."""

import contextlib
import datetime as dt
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sandboxed import FRESH, SNIPPET, drive, host_of, row, straight, timed

from sandbox.frames import Frame, encode
from sandbox.host import Host
from sandbox.jobs import Job, carry_out
from sandbox.results import Limits
from sandbox.runner import Sandbox

PLOT = "plt.plot(load_session()['speed'])\nplt.savefig('a.png')"
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
    once = statistics.median(encoding)
    row(
        "encoding it, once per session and version, against pickling it for every run",
        f"{once:.0f} ms",
        f"{pickled:.0f} ms",
        f"{pickled / once:.1f}x less",
    )


def memory(box: Sandbox) -> None:
    """How much memory is a run's own, beside an interpreter of its own: as it is forked, and warmed up."""
    imports = FRESH.split("df =")[0] + "print(open('/proc/self/smaps_rollup').read())"
    command = [sys.executable, "-I", "-c", imports]
    whole = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    fresh = private_mb(whole)
    with contextlib.closing(Host(quick=True)) as cold:
        cold.start()
        for what, code in (("one expression", "1"), ("the snippet", SNIPPET), ("a plot", PLOT)):
            memory_row(f"memory of a run's own, {what}, not warmed up", own_mb(cold, code), fresh, "7-19 MB")
        core = zygote(cold)
    host = host_of(box)
    host.settle()
    memory_row("the same, the snippet, warmed up while it waited", own_mb(host, SNIPPET), fresh)
    memory_row(
        "memory of the zygote, for all runs together, shared libraries apart",
        private_mb(core),
        fresh,
        "147 MB",
    )
    memory_row("the same, seaborn, scikit-learn, statsmodels, plotly too", private_mb(zygote(host)), fresh)
    resident = f"{size_mb(core, 'Rss'):.0f} MB"
    other = size_mb(whole, "Rss")
    ratio = f"{size_mb(core, 'Rss') / other:.2f}x"
    row(
        "the zygote, shared libraries included",
        resident,
        f"{other:.0f} MB in an interpreter of its own",
        ratio,
        "201 MB",
    )


def zygote(host: Host) -> str:
    """Return what the zygote holds while it has no child: with one, nothing is private to it."""
    host.settle()
    host.forgo_spare()
    return rollup(host.hello["pid"])


def memory_row(what: str, own: float, fresh: float, goal: str = "") -> None:
    row(what, f"{own:.0f} MB", f"{fresh:.0f} MB in an interpreter of its own", f"{own / fresh:.2f}x", goal)


def own_mb(host: Host, code: str) -> float:
    """Return the private memory of a worker that has run `code`."""
    shared, worker = encode(drive()), host.worker()
    time.sleep(1.5)  # warming up, where it does
    try:
        with tempfile.TemporaryDirectory() as folder:
            job = Job("memory", code, Limits(), "full", Path(folder), {}, {"drive": shared.fd}, keep=True)
            result = carry_out(job, worker)
        if result.status != "ok":
            raise RuntimeError(f"{result.status}: {result.error}")
        return private_mb(rollup(worker.child.pid))
    finally:
        os.close(shared.fd)
        host.dismiss(worker)


def rollup(pid: int) -> str:
    return Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")


def private_mb(rollup: str) -> float:
    """Return the private memory in a smaps_rollup."""
    return size_mb(rollup, "Private_")


def size_mb(rollup: str, name: str) -> float:
    """Return the sum of the lines of a smaps_rollup that begin with `name`."""
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(name)) / 1024
