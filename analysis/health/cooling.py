"""Checks of the cooling system: warm-up, regulation, overheating, the coolant sensor."""

import numpy as np

from analysis.fuel.air import VOLUMETRIC_EFFICIENCY, speed_density_g_s
from analysis.health.checking import Car, Judge, Judged, Outcome, Rule, Unjudged, between, enough, missing
from analysis.table import Floats
from analysis.timeline import Bools

_REACH_C = 75.0
_P0128 = (
    "P0128 of Kia/Hyundai (under 74 °C when 85 °C is due, from 1.4 kg of air, start at -8 to 63 °C) and Toyota; "
    "air per kelvin and litre: 16 to 26 g on healthy engines of 1.5 and 2.0 L, limits ours"
)
WARM_UP = Rule(
    "warm-up",
    "Warm-up against the heat put in",
    "cooling",
    0.8,
    _P0128,
    "a cold start (coolant below 63 °C) recorded until 85 °C with coolant_temp, rpm, speed and maf, or "
    "intake_pressure with intake_temp; the displacement saved with the vehicle",
    "Check the thermostat: the upper hose should stay cool until the coolant is near 80 °C.",
)
REGULATION = Rule(
    "coolant-regulation",
    "Coolant temperature once warmed through",
    "cooling",
    0.9,
    "thermostats regulate at 82 to 105 °C; under 74 °C is P0128 territory (Kia, Toyota)",
    "at least 15 minutes of driving from the start with coolant_temp, rpm and speed",
    "Replace a thermostat that lets the coolant fall below 75 °C on the road.",
)
OVERHEATING = Rule(
    "overheating",
    "Highest coolant temperature",
    "cooling",
    1.0,
    "boiling under 1.1 bar cap pressure at about 122 °C; makers' warnings at 112 to 120 °C; lower edge ours",
    "a warm drive with slow traffic and a stop of some minutes, with coolant_temp and rpm",
    "Stop if it rises further. Check coolant level, fan, radiator and water pump.",
    safety=True,
)
SENSOR = Rule(
    "coolant-sensor",
    "Coolant sensor moving with the engine",
    "cooling",
    0.6,
    "physics: coolant changes by several kelvins within minutes of a start; limits ours",
    "a cold start recorded for ten minutes with coolant_temp and rpm",
    "Measure the sensor's resistance against its table and check its plug and wiring.",
)


def _burnt_air_kg(car: Car) -> Floats | None:
    """Return the air burnt since the recording began in kg, None where it is not known."""
    if car.has("maf"):
        flow = car.held("maf")
    elif car.vehicle.displacement_l and car.has("intake_pressure", "intake_temp", "rpm"):
        flow = speed_density_g_s(car.timeline, car.vehicle.displacement_l, VOLUMETRIC_EFFICIENCY)
    else:
        return None
    burning = car.engine.running & ~car.engine.overrun & np.isfinite(flow)
    return np.cumsum(np.where(burning, flow, 0.0)) * car.timeline.step_s / 1000


def warm_up(car: Car) -> Outcome:
    """Judge the air burnt per kelvin of warming, to 75 °C or to the end of the recording."""
    lost = missing(car, "coolant_temp", "rpm")
    if lost is not None:
        return lost
    if car.diesel:
        return Unjudged("a diesel's air does not tell its heat", False)
    air, size = _burnt_air_kg(car), car.vehicle.displacement_l
    if air is None or size is None:
        return Unjudged("needs the displacement, and maf or intake_pressure with intake_temp")
    coolant = car.held("coolant_temp")
    known = np.flatnonzero(car.engine.running & np.isfinite(coolant))
    if not known.size or not -8 <= coolant[known[0]] <= 55:
        return Unjudged("no start from between -8 and 55 °C in this recording")
    first = known[0]
    reached = known[coolant[known] >= _REACH_C]
    last = reached[0] if reached.size else known[-1]
    gained = max(1.0, float(coolant[last] - coolant[first]))
    burnt = float(air[last] - air[first])
    if not reached.size and burnt < 0.030 * size * (_REACH_C - coolant[first]):
        return Unjudged(
            f"coolant reached {coolant[last]:.0f} °C; the drive was too short to expect {_REACH_C:.0f} °C"
        )
    per_kelvin = 1000 * burnt / gained / size
    where = np.zeros(coolant.size, dtype=bool)
    where[first : last + 1] = True
    said = f"from {coolant[first]:.0f} to {coolant[last]:.0f} °C"
    slow = between(per_kelvin, 32, 60)
    return Judged(
        slow,
        enough(gained, 30) if reached.size else 1.0,
        [
            car.evidence(
                "coolant_temp", f"air per kelvin and litre {said}", per_kelvin, "16 to 30", where, "g/(K L)"
            )
        ],
        f"Warming {said} took {burnt:.1f} kg of air, {per_kelvin:.0f} g per kelvin and litre of displacement.",
        {"slow_warm_up": slow},
    )


def _due_warm(car: Car) -> Bools:
    """Return the moments at which an engine must have warmed through: 15 min after a start, or once at 80 °C."""
    coolant = car.held("coolant_temp")
    index = np.arange(coolant.size)
    reached = np.maximum.accumulate(np.where(coolant >= 80, index, -1)) >= 0
    run_time = car.held("run_time")
    ran = np.fmax(car.engine.running_s, np.where(np.isfinite(run_time), run_time, 0.0))
    needed_s = 1800 if car.diesel else 900
    return car.engine.running & np.isfinite(coolant) & (reached | (ran >= needed_s))


def regulation(car: Car) -> Outcome:
    """Judge the level at which the coolant is held."""
    lost = missing(car, "coolant_temp", "rpm")
    if lost is not None:
        return lost
    due = _due_warm(car)
    seconds = car.seconds(due)
    if seconds < 60:
        return Unjudged("the engine was not seen warmed through: 80 °C, or 15 min of running (a diesel: 30)")
    low, middle = (float(v) for v in np.quantile(car.held("coolant_temp")[due], (0.1, 0.5)))
    cool = max(between(middle, 78, 66), 0.8 * between(low, 74, 62))
    return Judged(
        cool,
        enough(seconds, 300),
        [car.evidence("coolant_temp", "median when warmed through", middle, "80 °C or more", due)],
        f"Warmed through, the coolant is held at {middle:.0f} °C, and at {low:.0f} °C or more for 90 % of the time.",
        {"cool_regulation": cool},
    )


def overheating(car: Car) -> Outcome:
    """Judge the highest 30 s mean of the coolant temperature."""
    lost = missing(car, "coolant_temp")
    if lost is not None:
        return lost
    smooth = car.smooth("coolant_temp")
    known = np.isfinite(smooth)
    if not known.any():
        return Unjudged("coolant_temp has no 30 s without a gap")
    peak = float(np.nanmax(smooth))
    if peak < 75 and not _due_warm(car).any():
        return Unjudged("the engine was not seen warm")
    hot = between(peak, 105, 117)
    near = known & (smooth >= peak - 2)
    return Judged(
        hot,
        enough(car.seconds(car.engine.warm), 300),
        [car.evidence("coolant_temp", "highest 30 s mean", peak, "105 °C or less", near)],
        f"The coolant reached {peak:.0f} °C (30 s mean). Some engines regulate at up to 110 °C.",
        {"hot": between(peak, 101, 112)},
    )


def sensor(car: Car) -> Outcome:
    """Judge whether the coolant reading moves at all after a start."""
    lost = missing(car, "coolant_temp", "rpm")
    if lost is not None:
        return lost
    running = car.engine.running & np.isfinite(car.held("coolant_temp"))
    seconds = car.seconds(running)
    if seconds < 300:
        return Unjudged(f"only {seconds:.0f} s running; 300 s are needed")
    coolant = car.held("coolant_temp")[running]
    span, level = float(np.ptp(coolant)), float(np.median(coolant))
    # A warm engine on a steady road may hold one value; a cold one that runs cannot.
    stuck = between(span, 3, 1) if level < 70 else 0.6 * between(span, 1.0, 0.0) * enough(seconds, 1200)
    return Judged(
        stuck,
        enough(seconds, 600),
        [car.evidence("coolant_temp", "range while running", span, "several K within minutes", running)],
        f"The coolant reading moved by {span:.0f} K around {level:.0f} °C in {seconds:.0f} s of running.",
        {"coolant_stuck": stuck},
    )


CHECKS: tuple[tuple[Rule, Judge], ...] = (
    (WARM_UP, warm_up),
    (REGULATION, regulation),
    (OVERHEATING, overheating),
    (SENSOR, sensor),
)
