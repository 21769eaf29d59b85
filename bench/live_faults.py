"""How soon the live checks tell each simulated fault, beside the verdict of the finished session, and what they cost.

"Could tell" is the first moment at which `detect`, given the readings until then, finds what was told live: the live
checks run the same code, so their delay beyond it is the pace of their looks. "Began" is where `detect` places the
anomaly's start in the finished session.

Run: .venv/bin/python bench/live_faults.py
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

import numpy as np  # noqa: E402
from anomaly_benchmark.drives import SIGNALS  # noqa: E402

from analysis.anomalies import detect, learn_baseline  # noqa: E402
from analysis.results.anomalies import Baseline, LiveAnomaly  # noqa: E402
from analysis.streaming.anomalies import WINDOW_S, AnomalyWatch  # noqa: E402
from analysis.table import SignalSeries, SignalTable  # noqa: E402
from server.live.anomalies import LOOK_S, Anomalies  # noqa: E402
from tools.context import Workshop  # noqa: E402
from vehicle.runs import Run  # noqa: E402
from vehicle.simulator import FAULTS, UNITS, SimulatorOptions, drive  # noqa: E402

SECONDS, FAULT_AT_S, SHARE, SESSIONS = 900.0, 240.0, 0.1, 100


def driven(hz: float = 2.0, **options: object) -> SignalTable:
    """Drive the simulated car."""
    signals = drive(SECONDS, hz, options=SimulatorOptions(cycle="city", **options))
    return SignalTable({name: SignalSeries(name, UNITS[name], *signals[name]) for name in SIGNALS})


def told_live(table: SignalTable, baseline: Baseline) -> list[tuple[float, LiveAnomaly]]:
    """Look at a drive as it goes on, and return when each alert was raised, and for what."""
    watch, told = AnomalyWatch(), []
    watch.judge_by(baseline)
    for start_s in np.arange(0.0, SECONDS, LOOK_S):
        changes = watch.look(table.between(start_s, start_s + LOOK_S - 1e-6))
        details = [change.detail for change in changes if change.is_raised and change.detail]
        told += [(float(one["told_s"]), one["anomaly"]) for one in details]
    return told


def could_tell_s(table: SignalTable, baseline: Baseline, told_s: float, anomaly: LiveAnomaly) -> float:
    """Return the first second at which the batch form finds what was told, going back from there."""
    at_s = told_s
    while any(
        (one.signal, one.kind) == (anomaly.signal, anomaly.kind) and one.end_s >= anomaly.start_s
        for one in detect(table.between(None, at_s - 1), baseline=baseline).anomalies
    ):
        at_s -= 1
    return at_s


def print_faults(baseline: Baseline) -> None:
    """Print the delay and both verdicts of every fault."""
    head = "fault from 240 s | batch verdict | live | began | could tell | told"
    print(f"| {head} |\n|---|---|---|---|---|---|")
    for number, fault in enumerate(("", *FAULTS)):
        # A thermostat shows while the engine warms up: that drive begins cold, with the fault.
        is_cold = fault == "thermostat_stuck_open"
        at_s = FAULT_AT_S if fault and not is_cold else 0.0
        table = driven(seed=31 + number, fault=fault, fault_at=at_s, warm=not is_cold)
        whole = detect(table, baseline=baseline).anomalies
        told = told_live(table, baseline)
        verdict = {(one.signal, one.kind) for one in whole}
        live = {(one.signal, one.kind) for _, one in told}
        says = "the same" if live == verdict else f"lost {verdict - live}, more {live - verdict}"
        name = f"{fault or 'none'}{' (from 0 s, cold)' if is_cold else ''}"
        if not whole:
            print(f"| {name} | nothing | {says} | | | |")
            continue
        told_s, first = min((one for one in told if one[1].signal == whole[0].signal), key=lambda one: one[0])
        began = next(one for one in whole if (one.signal, one.kind) == (first.signal, first.kind))
        print(
            f"| {name} | {', '.join(sorted(f'{signal} {kind}' for signal, kind in verdict))} | {says} "
            f"| {began.start_s:.0f} s | {could_tell_s(table, baseline, told_s, first):.0f} s | {told_s:.0f} s |"
        )


def cpu_ms(work: Callable[[], object], times: int) -> float:
    """Return the least CPU time of a piece of work in ms."""
    taken = []
    for _ in range(times):
        began = time.thread_time()
        work()
        taken.append(time.thread_time() - began)
    return min(taken) * 1e3


def look_ms(table: SignalTable, baseline: Baseline | None) -> float:
    """Return the CPU of a look at a full window, averaged over the looks after it is full."""
    watch = AnomalyWatch()
    watch.judge_by(baseline)
    watch.look(table.between(None, WINDOW_S))
    taken = []
    for start_s in np.arange(WINDOW_S + 1e-6, SECONDS, LOOK_S):
        fresh = table.between(start_s, start_s + LOOK_S - 1e-6)
        began = time.thread_time()
        watch.look(fresh)
        taken.append(time.thread_time() - began)
    return float(np.mean(taken)) * 1e3


def print_costs(baseline: Baseline) -> None:
    """Print what a look costs beside the batch form, and what handing a batch over costs."""
    table = driven(10.0, seed=7, warm=True)
    print(
        f"\n| a look at 20 signals at 10 Hz, window {WINDOW_S:.0f} s | CPU | `detect`, {SECONDS:.0f} s | ratio | ",
        end="",
    )
    print(f"pace of {SESSIONS} sessions at {100 * SHARE:.0f} % of a core |\n|---|---|---|---|---|")
    for name, known in (("by rules", None), ("with a baseline", baseline)):
        one, whole = look_ms(table, known), cpu_ms(lambda k=known: detect(table, baseline=k), 3)
        pace_s = max(LOOK_S, SESSIONS * one / 1e3 / SHARE)
        print(f"| {name} | {one:.1f} ms | {whole:.1f} ms | {one / whole:.2f} | {pace_s:.0f} s |")
    watch = AnomalyWatch()
    watch.look(table.between(None, WINDOW_S))
    print(
        f"\nA full window holds {watch.readings:,} readings, {8 * watch.readings / 1e6:.1f} MB with shared times."
    )
    print(f"Handing over a batch of 200 readings costs the intake {take_us(table):.1f} µs.")


def take_us(table: SignalTable) -> float:
    """Return what `take` costs per batch in µs, sessions never being due."""
    times_us = np.arange(10, dtype=np.int64) * 100_000
    runs = [Run(name, one.unit, "", times_us, one.values[:10], "") for name, one in table.items()]
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder), f"sqlite:///{folder}/none.db")
        anomalies = Anomalies(workshop, lambda *_: None, SHARE)
        return cpu_ms(
            lambda: [anomalies.take("one", None, runs, (), 200, 1_000_000) for _ in range(1000)], 20
        )


def main() -> None:
    """Print the tables."""

    baseline = learn_baseline(
        [driven(seed=seed, warm=warm) for seed, warm in ((1, True), (2, False), (3, True))]
    )
    print_faults(baseline)
    print_costs(baseline)


if __name__ == "__main__":
    main()
