"""How much the sandbox costs, as ratios against what one would use without it.

`python bench/sandbox.py` takes about three minutes. Against a restarted Jupyter kernel it measures only where ipykernel
and jupyter_client can be imported.
"""

import contextlib
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sandbox_memory import big_session, memory
from sandboxed import FRESH, SNIPPET, drive, row, spread, straight, timed

from sandbox.host import Host
from sandbox.results import Limits
from sandbox.runner import Sandbox

EVERYTHING = ("landlock", "seccomp", "rlimits")


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
    alone, queued = timed(ours, 100, 0.5), timed(ours, 100)
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
        ">= 40x",
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
    else:
        row(
            "the same, against a restarted Jupyter kernel",
            spread(alone),
            "ipykernel is not installed",
            "?",
            ">= 50x",
        )


def jupyter(path: Path) -> list[float]:
    """Restart a Jupyter kernel and run the snippet in it, a few times."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager()
    manager.start_kernel(stderr=subprocess.DEVNULL)
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
        pairs = zip(taken["confined"], taken["bare"], strict=True)
        ratio = statistics.median(confined / bare for confined, bare in pairs)
    row(
        "a run with all layers, against one with none",
        spread(taken["confined"]),
        spread(taken["bare"]),
        f"{(ratio - 1) * 100:+.1f} %",
        "< 10 %",
    )


def ending(box: Sandbox) -> None:
    """How long after its time an endless run is gone."""
    started = time.perf_counter()
    box.run("while True: pass", {}, Limits(wall_s=5))
    took_s = time.perf_counter() - started
    row(
        "an endless run with 5 s to live",
        f"{took_s:.2f} s",
        "5 s",
        f"{took_s / 5:.3f}x",
        "< 5.2 s, 1.04x",
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
