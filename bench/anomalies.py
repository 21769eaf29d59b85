"""How well anomalies are found: simulated faults and injected sensor faults, against a plain z-score.

Counted honestly: false alarms per hour on healthy drives that nothing was learned from, the share of healthy time in
alarm, faults found at those thresholds, the share of reported stretches that touch a fault, and point-wise F1. Point
adjustment is not used: it makes a random score look excellent (Kim et al. 2022).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from analysis.anomalies import detect, learn_baseline
from analysis.table import SignalSeries, SignalTable
from vehicle.simulator import FAULTS, UNITS, SimulatorOptions, drive

SECONDS, FAULT_AT_S = 900.0, 400.0
CYCLES = ("mixed", "city", "highway")
SIGNALS = [
    "rpm",
    "speed",
    "coolant_temp",
    "engine_load",
    "maf",
    "intake_pressure",
    "intake_temp",
    "ambiant_air_temp",
    "throttle_pos",
    "accelerator_pos_d",
    "short_fuel_trim_1",
    "long_fuel_trim_1",
    "fuel_status",
    "control_module_voltage",
    "fuel_pressure",
    "o2_b1s1",
    "o2_b1s2",
    "timing_advance",
    "commanded_equiv_ratio",
    "barometric_pressure",
]
Spans = list[tuple[float, float]]


@dataclass(frozen=True)
class Drive:
    """One drive, and where its fault is (None: healthy)."""

    name: str
    table: SignalTable
    fault: tuple[float, float] | None = None


def simulated(name: str, seed: int, fault: str = "", severity: float = 1.0) -> Drive:
    options = SimulatorOptions(
        seed=seed,
        cycle=CYCLES[seed % 3],
        ambient=float((20, -3, 29, 11, 5, 25)[seed % 6]),
        warm=seed % 4 == 3,
        fault=fault,
        severity=severity,
        fault_at=FAULT_AT_S,
    )
    signals = drive(SECONDS, options=options)
    table = SignalTable({n: SignalSeries(n, UNITS[n], *signals[n]) for n in SIGNALS})
    return Drive(name, table, (FAULT_AT_S, SECONDS) if fault else None)


def injected(healthy: Drive, kind: str, rng: np.random.Generator) -> Drive:
    """Put a sensor fault into a healthy drive."""
    signal, change, lasting = SENSOR_FAULTS[kind]
    one = healthy.table[signal]
    start = float(rng.uniform(500, 600))
    where = (one.times_s >= start) & (one.times_s < start + lasting)
    values = one.values.copy()
    values[where] = change(values[where])
    changed = SignalSeries(signal, one.unit, one.times_s, values)
    return Drive(kind, SignalTable({**healthy.table, signal: changed}), (start, start + lasting))


SENSOR_FAULTS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray], float]] = {
    "coolant spike": ("coolant_temp", lambda v: v + 35, 0.1),
    "rpm spike": ("rpm", lambda v: v + 3500, 0.1),
    "pressure drift": ("intake_pressure", lambda v: v + np.linspace(0, 25, v.size), 240.0),
    "pressure bias": ("intake_pressure", lambda v: v + 10, 240.0),
    "air meter stuck": ("maf", lambda v: np.full(v.size, v[0]), 90.0),
    "air meter dropout": ("maf", lambda v: np.zeros(v.size), 5.0),
    "coolant bias": ("coolant_temp", lambda v: v - 20, 240.0),
    "trim +14 %": ("long_fuel_trim_1", lambda v: v + 14, 240.0),
}


def z_score(table: SignalTable) -> Spans:
    """The usual first try: every signal over its whole session, beyond three standard deviations."""
    spans: Spans = []
    for one in table.values():
        spread = one.values.std()
        if spread > 0:
            places = np.flatnonzero(np.abs(one.values - one.values.mean()) > 3 * spread)
            for part in np.split(places, np.flatnonzero(np.diff(places) > 100) + 1) if places.size else ():
                spans.append((float(one.times_s[part[0]]), float(one.times_s[part[-1]])))
    return spans


def scored(detector: Callable[[SignalTable], Spans], drives: list[Drive]) -> dict[str, float]:
    """Run a detector over drives and count."""
    grid = np.arange(0, SECONDS, 0.5)
    alarms = healthy_s = alarm_s = found = faults = hits = reported = 0.0
    true = positive = both = 0
    took = []
    for one in drives:
        began = perf_counter()
        spans = detector(one.table)
        took.append(perf_counter() - began)
        alarm = np.zeros(grid.size, bool)
        for start, end in spans:
            alarm |= (grid >= start - 0.5) & (grid <= end + 0.5)
        if one.fault is None:
            alarms += len(spans)
            healthy_s += SECONDS
            alarm_s += alarm.sum() * 0.5
            continue
        truth = (grid >= one.fault[0] - 0.5) & (grid <= one.fault[1] + 0.5)
        touching = [span for span in spans if span[1] >= one.fault[0] - 1 and span[0] <= one.fault[1] + 5]
        faults += 1
        found += bool(touching)
        hits += len(touching)
        reported += len(spans)
        true, positive, both = true + truth.sum(), positive + alarm.sum(), both + (truth & alarm).sum()
    precision, recall = both / max(positive, 1), both / max(true, 1)
    return {
        "alarms/h": alarms / (healthy_s / 3600),
        "time %": 100 * alarm_s / healthy_s,
        "found": found / faults,
        "stretches right": hits / max(reported, 1),
        "F1": 2 * precision * recall / max(precision + recall, 1e-9),
        "ms": 1000 * float(np.median(took)),
    }


def jobs() -> Iterator[tuple[str, int, str, float]]:
    yield from (("baseline", 100 + k, "", 1.0) for k in range(6))
    yield from (("healthy", 200 + k, "", 1.0) for k in range(6))
    for k, fault in enumerate(FAULTS):
        yield from ((fault, 300 + k, fault, severity) for severity in (1.0, 0.5))


def main() -> None:
    """Print the table."""
    with ProcessPoolExecutor(2) as pool:
        drives = list(pool.map(simulated, *zip(*jobs(), strict=True)))
    baseline_drives, healthy = drives[:6], drives[6:12]
    rng = np.random.default_rng(7)
    sensors = [injected(healthy[k % 6], kind, rng) for k, kind in enumerate(SENSOR_FAULTS)]
    tested = healthy + drives[12:] + sensors
    began = perf_counter()
    baseline = learn_baseline([one.table for one in baseline_drives])
    print(f"baseline: {baseline.notes[0]}, learned in {perf_counter() - began:.2f} s")
    print(f"{len(healthy)} healthy drives, {len(drives) - 12} simulated faults, {len(sensors)} sensor faults")

    def found(sensitivity: float, *, learned: bool) -> Callable[[SignalTable], Spans]:
        known = baseline if learned else None
        return lambda table: [
            (a.start_s, a.end_s) for a in detect(table, sensitivity=sensitivity, baseline=known).anomalies
        ]

    rows: dict[str, Callable[[SignalTable], Spans]] = {"z-score over 3 (the alternative)": z_score}
    for learned in (False, True):
        for level in (0.25, 0.5, 0.75, 1.0):
            rows[f"{'baseline' if learned else 'rules only'}, sensitivity {level}"] = found(
                level, learned=learned
            )
    print(f"{'':34}{'alarms/h':>10}{'time %':>9}{'found':>8}{'stretches right':>17}{'F1':>7}{'ms':>7}")
    for name, detector in rows.items():
        r = scored(detector, tested)
        print(
            f"{name:34}{r['alarms/h']:10.1f}{r['time %']:9.2f}{r['found']:8.0%}{r['stretches right']:17.0%}"
            f"{r['F1']:7.2f}{r['ms']:7.0f}"
        )
    missed = [
        one.name
        for one in tested
        if one.fault and not scored(found(0.5, learned=True), [healthy[0], one])["found"]
    ]
    print("missed with a baseline at normal sensitivity:", ", ".join(missed) or "none")


if __name__ == "__main__":
    main()
