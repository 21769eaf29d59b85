"""The faults that are injected: sensor faults and car faults, with their sizes, into tables of healthy drives."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from analysis.table import SignalSeries, SignalTable
from anomaly_benchmark.drives import Drive

PHYSICAL = {
    "vacuum leak": ("vacuum_leak", 1.0),
    "air meter scale": ("maf_under_reading", 0.8),
    "thermostat": ("thermostat_stuck_open", 0.8),
    "cooling failure": ("overheating", 1.0),
    "misfire": ("misfire", 1.0),
    "weak alternator": ("weak_alternator", 1.0),
    "fuel pressure": ("fuel_pressure_low", 0.4),
}
"""Faults generated in the simulator's physics: its name, and the severity. 0.8 of the air meter fault loses 14 %
at idle and up to 22 % at full flow; 0.4 of the pressure fault loses 15 %."""

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Injection:
    """A change of one signal's readings that lasts so long (0: one reading)."""

    signal: str
    change: Change
    lasting_s: float


def _offset(by: float) -> Change:
    return lambda values, _: values + by


def _drift(to: float) -> Change:
    return lambda values, _: values + np.linspace(0, to, values.size)


def _scaled(by: float) -> Change:
    return lambda values, _: values * by


def _stuck(values: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.full(values.size, values[0])


def _zero(values: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.zeros(values.size)


def _capped(at: float) -> Change:
    return lambda values, _: np.minimum(values, at)


def _falling(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.linspace(12.3, 11.8, values.size) + rng.normal(0, 0.05, values.size)


_SPIKES = [
    Injection("coolant_temp", _offset(35), 0),
    Injection("rpm", _offset(3500), 0),
    Injection("intake_temp", _offset(40), 0),
    Injection("speed", _offset(60), 0),
    Injection("control_module_voltage", _offset(-5), 0),
]
SENSOR: dict[str, list[Injection]] = {
    "spike": _SPIKES,
    "drift": [
        Injection("intake_pressure", _drift(25), 300),
        Injection("maf", _drift(8), 300),
        Injection("coolant_temp", _drift(-25), 300),
        Injection("control_module_voltage", _drift(-1.5), 300),
    ],
    "stuck": [
        Injection("maf", _stuck, 120),
        Injection("intake_pressure", _stuck, 120),
        Injection("rpm", _stuck, 120),
        Injection("throttle_pos", _stuck, 120),
    ],
    "dropout": [
        Injection("maf", _zero, 8),
        Injection("intake_pressure", _zero, 8),
        Injection("rpm", _zero, 8),
        Injection("coolant_temp", _offset(-200), 8),
    ],
    "bias": [
        Injection("intake_pressure", _offset(10), 240),
        Injection("maf", _scaled(1.2), 240),
        Injection("coolant_temp", _offset(-20), 240),
        Injection("engine_load", _offset(15), 240),
    ],
}
REAL: dict[str, list[Injection]] = {
    "spike": [*_SPIKES],
    "drift": [
        Injection("intake_pressure", _drift(25), 180),
        Injection("coolant_temp", _drift(-25), 180),
        Injection("control_module_voltage", _drift(-1.5), 180),
    ],
    "stuck": [
        Injection("intake_pressure", _stuck, 90),
        Injection("rpm", _stuck, 90),
        Injection("engine_load", _stuck, 90),
    ],
    "dropout": [
        Injection("intake_pressure", _zero, 8),
        Injection("rpm", _zero, 8),
        Injection("coolant_temp", _offset(-200), 8),
    ],
    "bias": [
        Injection("intake_pressure", _offset(10), 180),
        Injection("coolant_temp", _offset(-20), 180),
        Injection("engine_load", _offset(15), 180),
    ],
    "pressure scale": [Injection("intake_pressure", _scaled(1.25), 240)],
    "weak alternator": [Injection("control_module_voltage", _falling, 240)],
    "fuel pressure": [Injection("long_fuel_trim_1", _offset(14), 240)],
}
"""Into real recordings; three further kinds need the engine's state and are made by `in_state`."""
DIESEL: dict[str, list[Injection]] = {
    "spike": [one for one in _SPIKES if one.signal != "control_module_voltage"],
    "drift": [Injection("coolant_temp", _drift(-25), 300), Injection("maf", _drift(15), 300)],
    "stuck": [Injection(name, _stuck, 120) for name in ("maf", "intake_pressure", "rpm")],
    "dropout": [Injection(name, _zero, 12) for name in ("maf", "intake_pressure", "rpm")],
    "bias": [Injection("coolant_temp", _offset(-20), 300), Injection("maf", _offset(10), 300)],
    "air meter scale": [Injection("maf", _scaled(0.75), 600)] * 3,
}
IN_STATE = ("vacuum leak", "thermostat", "misfire")


def inject(healthy: Drive, kind: str, injection: Injection, rng: np.random.Generator) -> Drive:
    """Put one change into a healthy drive, at a time when the engine runs and other readings go on."""
    one = healthy.table[injection.signal]
    start = _start_s(healthy, injection.lasting_s, rng)
    if injection.lasting_s:
        where = (one.times_s >= start) & (one.times_s < start + injection.lasting_s)
    else:
        where = np.arange(one.times_s.size) == np.searchsorted(one.times_s, start)
    values = one.values.copy()
    values[where] = injection.change(values[where], rng)
    return _faulty(healthy, f"{kind} {injection.signal}", kind, {injection.signal: values}, where)


def in_state(healthy: Drive, kind: str, rng: np.random.Generator) -> Drive:
    """Put a fault into a real drive that shows in one state of the engine only: idling, or warm."""
    table = healthy.table
    start = _start_s(healthy, 240.0, rng)
    times = table["rpm"].times_s
    after = times >= start
    if kind == "thermostat":
        coolant = table["coolant_temp"].values
        return _faulty(healthy, kind, kind, {"coolant_temp": np.minimum(coolant, 64.0)}, coolant > 64.0)
    standing = (table["speed"].values < 1) & (table["rpm"].values > 400) & after
    if kind == "misfire":
        # The log repeats each reading over several rows; what it reads wrongly, it repeats too.
        reading = np.cumsum(np.diff(table["rpm"].values, prepend=0.0) != 0)
        values = table["rpm"].values + np.where(standing, rng.normal(0, 45, times.size)[reading - 1], 0)
        return _faulty(healthy, kind, kind, {"rpm": values}, standing)
    # Air past the throttle weighs most at idle, and hardly where the throttle is open.
    share = np.clip((60 - table["intake_pressure"].values) / 30, 0, 1)
    trims = table["long_fuel_trim_1"].values + np.where(after, 16 * share, 0)
    return _faulty(healthy, kind, kind, {"long_fuel_trim_1": trims}, after)


def _faulty(healthy: Drive, name: str, kind: str, changed: dict[str, np.ndarray], where: np.ndarray) -> Drive:
    table = dict(healthy.table)
    for signal, values in changed.items():
        one = table[signal]
        table[signal] = SignalSeries(signal, one.unit, one.times_s, values, one.low, one.high)
    times = healthy.table[next(iter(changed))].times_s[where]
    span = (float(times[0]), float(times[-1])) if times.size else None
    return replace(healthy, name=f"{name} in {healthy.name}", kind=kind, table=SignalTable(table), fault=span)


def _start_s(healthy: Drive, lasting_s: float, rng: np.random.Generator) -> float:
    """Choose a start in the second quarter of the drive or later, so that the fault fits in."""
    first, last = healthy.span_s
    latest = max(last - lasting_s - 20, first + 60)
    return float(rng.uniform(min(first + 0.35 * (last - first), latest), latest))
