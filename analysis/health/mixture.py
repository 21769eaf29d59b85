"""Checks of fuel and air: trims at idle and under load, fuel pressure, closed loop."""

import numpy as np

from analysis.health.checking import (
    Car,
    Judge,
    Judged,
    Outcome,
    Rule,
    Unjudged,
    between,
    enough,
    median,
    missing,
)
from analysis.table import Floats
from analysis.timeline import Bools

_TRIM_SOURCE = "normal within 8 %, lean from +10 %, rich from -10 % (ecomotif; GM fuel-trim monitor)"
_UNUSED = 99.0
TRIMS_IDLE = Rule(
    "trims-idle",
    "Fuel trims at warm idle",
    "fuel and air",
    0.9,
    _TRIM_SOURCE,
    "two minutes of warm idle with short_fuel_trim_1, long_fuel_trim_1, rpm, speed and coolant_temp",
    "Lean at idle only: look for unmetered air behind the air mass sensor (smoke test).",
)
TRIMS_LOAD = Rule(
    "trims-load",
    "Fuel trims at 1500 to 3800 rpm",
    "fuel and air",
    0.9,
    _TRIM_SOURCE + "; idle against 2500 rpm separates a vacuum leak from fuel delivery and air mass sensor",
    "ten minutes of warm driving with the fuel trims, rpm, speed and coolant_temp",
    "Lean under load too: check fuel pressure under load and the air mass sensor.",
)
FUEL_PRESSURE = Rule(
    "fuel-pressure",
    "Fuel pressure and its hold under load",
    "fuel and air",
    0.7,
    "a regulator holds pressure within a few per cent over flow; limits are our judgement (makers' P0087 near 300 kPa)",
    "a drive with one full-load pull and fuel_pressure (or the rail pressure) with maf or fuel_rate",
    "Measure fuel pressure and delivery; check filter, pump supply voltage and regulator.",
)
CLOSED_LOOP = Rule(
    "closed-loop",
    "Mixture control working when warm",
    "fuel and air",
    0.5,
    "SAE J1979 PID 03: warm and without load or overrun the control is closed; share is our judgement",
    "ten minutes of warm driving with fuel_status",
    "Find out why the control stays open: coolant temperature reading, oxygen sensors, stored codes.",
)


def trims(car: Car, bank: int = 1) -> Floats:
    """Return short plus long trim of a bank in %, NaN where the ECU says that it is not used."""
    short, long = car.held(f"short_fuel_trim_{bank}"), car.held(f"long_fuel_trim_{bank}")
    return np.where((short < _UNUSED) & (long < _UNUSED), short + long, np.nan)


def _worst_bank(car: Car, where: Bools) -> tuple[float, int, float]:
    """Return the level of the bank whose trim is farthest from zero, that bank, and the seconds seen."""
    found = (float("nan"), 1, 0.0)
    for bank in (1, 2):
        values = trims(car, bank)
        known = where & np.isfinite(values)
        level = median(values, known)
        if np.isfinite(level) and not abs(level) <= abs(found[0]):
            found = (level, bank, car.seconds(known))
    return found


def _trims_at(car: Car, where: Bools, place: str, full_s: float) -> Outcome:
    lost = missing(car, "short_fuel_trim_1", "long_fuel_trim_1")
    if lost is not None:
        return Unjudged("a diesel has no fuel trims of this kind", False) if car.diesel else lost
    level, bank, seconds = _worst_bank(car, where)
    if seconds < 15:
        return Unjudged(f"only {seconds:.0f} s {place}; 15 s are needed")
    lean, rich = between(level, 5, 15), between(level, -5, -15)
    name = "idle" if place.endswith("idle") else "load"
    return Judged(
        between(abs(level), 8, 20),
        enough(seconds, full_s),
        [car.evidence(f"long_fuel_trim_{bank}", "median of short + long trim", level, "within ±8 %", where)],
        f"Trims ask for {level:+.1f} % fuel {place}, {'lean' if level > 0 else 'rich'} side, bank {bank}.",
        {f"lean_{name}": lean, f"rich_{name}": rich},
    )


def trims_idle(car: Car) -> Outcome:
    """Judge trims at warm idle."""
    return _trims_at(car, car.settled_idle, "at warm idle", 60)


def trims_load(car: Car) -> Outcome:
    """Judge trims under load, and how they compare with idle."""
    outcome = _trims_at(car, car.loaded, "at 1500 to 3800 rpm", 180)
    if isinstance(outcome, Unjudged):
        return outcome
    idle, load = _worst_bank(car, car.settled_idle)[0], _worst_bank(car, car.loaded)[0]
    if np.isfinite(idle):
        outcome.signs["worse_at_idle"] = between(idle - load, 3, 10)
        outcome.signs["same_at_idle_and_load"] = 1 - between(abs(idle - load), 3, 8)
    return outcome


def fuel_pressure(car: Car) -> Outcome:
    """Judge fuel pressure: its level and what it loses at high flow."""
    name = car.timeline.first_of("fuel_pressure")
    flow = car.timeline.first_of("fuel_rate", "maf", "engine_load")
    if name is None or flow is None:
        return Unjudged("not recorded: fuel_pressure with fuel_rate, maf or engine_load")
    where = (car.engine.running_s > 10) & np.isfinite(car.held(name)) & np.isfinite(car.held(flow))
    seconds = car.seconds(where)
    if seconds < 60:
        return Unjudged(f"only {seconds:.0f} s with fuel pressure; 60 s are needed")
    pressure, amount = car.held(name), car.held(flow)
    if np.ptp(pressure[where]) == 0 and pressure[where][0] == 0:
        return Unjudged("fuel_pressure reads zero throughout: the car does not supply it")
    low, high = np.quantile(amount[where], (0.3, 0.97))
    resting, pulling = median(pressure, where & (amount <= low)), median(pressure, where & (amount >= high))
    droop = 1 - pulling / resting if resting > 0 else 0.0
    fallen, weak = between(droop, 0.03, 0.12), between(resting, 320, 240)
    return Judged(
        max(fallen, weak),
        enough(seconds, 300),
        [
            car.evidence(
                name, "median at low flow", resting, "300 kPa or more on most port injection", where
            ),
            car.evidence(name, "median at high flow", pulling, "within 3 % of that at low flow", where),
        ],
        f"Fuel pressure is {resting:.0f} kPa at low and {pulling:.0f} kPa at high flow.",
        {
            "fuel_pressure_low": max(fallen, weak),
            "fuel_pressure_good": 1 - between(max(fallen, weak), 0, 0.3),
        },
    )


def closed_loop(car: Car) -> Outcome:
    """Judge whether the mixture control closes once the engine is warm or has run ten minutes."""
    if car.diesel:
        return Unjudged("a diesel has no such control", False)
    lost = missing(car, "fuel_status", "rpm")
    if lost is not None:
        return lost
    status = car.held("fuel_status")
    due = (car.engine.warm | (car.engine.running_s > 600)) & ~car.engine.overrun & ~car.engine.full_load
    due &= np.isfinite(status) & (status > 0)
    seconds = car.seconds(due)
    if seconds < 60:
        return Unjudged(f"only {seconds:.0f} s warm; 60 s are needed")
    closed = float(np.mean((status[due] == 2) | (status[due] == 16)))
    fault = bool(np.any(status[due] == 8))
    return Judged(
        max(between(closed, 0.7, 0.2), 0.8 if fault else 0.0),
        enough(seconds, 300),
        [car.evidence("fuel_status", "share of closed loop", closed, "0.7 or more when warm", due, "ratio")],
        f"The control was closed for {100 * closed:.0f} % of the time it should have been.",
        {"open_loop": between(closed, 0.7, 0.2)},
    )


CHECKS: tuple[tuple[Rule, Judge], ...] = (
    (TRIMS_IDLE, trims_idle),
    (TRIMS_LOAD, trims_load),
    (FUEL_PRESSURE, fuel_pressure),
    (CLOSED_LOOP, closed_loop),
)
