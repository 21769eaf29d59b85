"""Checks of charging and battery: voltage on the road, at idle, while cranking, at rest."""

import numpy as np

from analysis.health.checking import Car, Judge, Judged, Outcome, Rule, Unjudged, between, enough
from analysis.timeline import Bools

_SOURCE = (
    "13.5 to 14.7 V running, under 13 V not charging, over 15 V overcharging (ApexTech, ASE L1 guide); "
    "smart alternators go lower for a while, so edges are wider than that"
)
_SIGNALS = ("control_module_voltage", "elm_voltage")
DRIVING = Rule(
    "charging-driving",
    "Charging voltage on the road",
    "charging and battery",
    1.0,
    _SOURCE,
    "five minutes of driving above 1200 rpm with control_module_voltage and rpm",
    "Measure at the battery's terminals, then belt, alternator output and its cables.",
    safety=True,
)
IDLE = Rule(
    "charging-idle",
    "Charging voltage at idle",
    "charging and battery",
    0.7,
    _SOURCE,
    "two minutes of idle with control_module_voltage and rpm",
    "Test the alternator with lights and heated screen on; check the belt.",
)
CRANKING = Rule(
    "cranking-voltage",
    "Lowest voltage while cranking",
    "charging and battery",
    0.6,
    "battery load test: 9.6 V at 21 °C is the pass limit (BCI); readings every 0.5 s may miss the dip",
    "an engine start recorded with control_module_voltage as fast as the adapter can",
    "Test the battery under load and the starter's cables.",
)
RESTING = Rule(
    "resting-voltage",
    "Voltage before the start",
    "charging and battery",
    0.4,
    "open circuit 12.6, 12.4, 12.2, 12.0 V are 100, 75, 50, 25 % (vehicleservicepros); ignition on costs about 0.3 V",
    "ten seconds with ignition on and engine off before a start, with control_module_voltage and rpm",
    "Charge the battery fully and test it.",
)


def _voltage(car: Car) -> str | None:
    return car.timeline.first_of(*_SIGNALS)


def _charging(car: Car, where: Bools, place: str, full_s: float, edges: tuple[float, float]) -> Outcome:
    """Judge the level of the voltage over some moments of running.

    On the road a smart alternator shows its charging voltage now and then even where the median is low.
    """
    name = _voltage(car)
    if name is None or not car.has("rpm"):
        return Unjudged("not recorded: control_module_voltage with rpm")
    volts = car.held(name)
    known = where & np.isfinite(volts)
    seconds = car.seconds(known)
    if seconds < 20:
        return Unjudged(f"only {seconds:.0f} s {place}; 20 s are needed")
    level, best = (float(v) for v in np.quantile(volts[known], (0.5, 0.95)))
    low = between(level if place == "at idle" else max(level, best - 0.6), *edges)
    high = between(level, 15.0, 15.6)
    return Judged(
        max(low, high),
        enough(seconds, full_s),
        [car.evidence(name, f"median {place}", level, f"{edges[0]:g} to 15.0 V", known)],
        f"The system voltage {place} is {level:.1f} V, at best {best:.1f} V.",
        {f"volts_low_{place.split()[-1]}": low, "volts_high": high},
    )


def driving(car: Car) -> Outcome:
    """Judge charging above 1200 rpm."""
    where = car.engine.running & (car.engine.rpm > 1200) & (car.engine.running_s > 20)
    return _charging(car, where, "while driving", 120, (13.0, 12.4))


def idle(car: Car) -> Outcome:
    """Judge charging at idle."""
    where = car.settled_idle if car.settled_idle.any() else car.engine.idle & (car.engine.running_s > 20)
    return _charging(car, where, "at idle", 60, (12.9, 12.2))


def cranking(car: Car) -> Outcome:
    """Judge the lowest voltage from the start of cranking to two seconds after."""
    name = _voltage(car)
    if name is None or not car.has("rpm"):
        return Unjudged("not recorded: control_module_voltage with rpm")
    if not car.engine.cranking.any():
        return Unjudged("no engine start was caught")
    volts = car.held(name)
    around = np.convolve(car.engine.cranking, np.ones(1 + 2 * round(1.0 / car.timeline.step_s)), "same") > 0
    known = around & np.isfinite(volts) & (volts > 5)
    if not known.any():
        return Unjudged("no voltage was read while cranking")
    lowest = float(volts[known].min())
    weak = between(lowest, 9.6, 7.5)
    quality = 0.7 if car.timeline[name].period_s <= 0.6 else 0.3
    return Judged(
        weak,
        quality,
        [car.evidence(name, "lowest while cranking", lowest, "9.6 V or more", known)],
        f"The voltage fell to {lowest:.1f} V while cranking, as far as the readings caught it.",
        {"crank_low": weak},
    )


def resting(car: Car) -> Outcome:
    """Judge the voltage with ignition on before the first start."""
    name = _voltage(car)
    if name is None or not car.has("rpm"):
        return Unjudged("not recorded: control_module_voltage with rpm")
    started = np.flatnonzero(car.engine.running | car.engine.cranking)
    before = np.zeros(car.engine.rpm.size, dtype=bool)
    before[: started[0] if started.size else before.size] = True
    known = before & car.engine.off & np.isfinite(car.held(name))
    seconds = car.seconds(known)
    if seconds < 2:
        return Unjudged("the engine was not seen standing before a start")
    level = float(np.median(car.held(name)[known]))
    flat = between(level, 12.1, 11.5)
    return Judged(
        flat,
        enough(seconds, 10),
        [car.evidence(name, "median before the start", level, "12.1 V or more with ignition on", known)],
        f"Before the start the system stood at {level:.1f} V.",
        {"rest_low": flat},
    )


CHECKS: tuple[tuple[Rule, Judge], ...] = (
    (DRIVING, driving),
    (IDLE, idle),
    (CRANKING, cranking),
    (RESTING, resting),
)
