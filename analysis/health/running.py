"""Checks of how the engine runs: roughness, misfire counts, idle speed, vacuum, cranking, oil."""

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

ROUGHNESS = Rule(
    "idle-roughness",
    "Roughness of the warm idle",
    "ignition",
    0.8,
    "second differences of idle rpm: 1 to 8 rpm on healthy recordings, 14 and more with a misfiring cylinder; ours",
    "two minutes of warm idle with rpm twice a second, speed and coolant_temp",
    "Swap coils and plugs between cylinders and see whether the misfire follows.",
)
MISFIRES = Rule(
    "misfire-counts",
    "Misfires counted by the ECU",
    "ignition",
    0.9,
    "service 06, monitors A1 to AD (SAE J1979); limits are the car's own",
    "monitor tests (service 06) of monitors A1 to AD after a drive",
    "Swap coil and plug of the cylinder that counts; then injector and compression.",
)
IDLE_SPEED = Rule(
    "idle-speed",
    "Idle speed when warm",
    "engine mechanical",
    0.4,
    "petrol and diesel car engines idle at 600 to 900 rpm when warm, air conditioning on up to 950; ours",
    "a minute of warm idle with rpm, speed and coolant_temp",
    "Look for unmetered air, a dirty throttle body and loads that stay on.",
)
VACUUM = Rule(
    "manifold-vacuum",
    "Manifold pressure at warm idle",
    "engine mechanical",
    0.7,
    "27 to 37 kPa at warm idle on healthy petrol recordings, 60 to 70 kPa of vacuum in workshop manuals; edges ours",
    "a minute of warm idle with intake_pressure, rpm, speed and coolant_temp",
    "Check for vacuum leaks, then valve timing and compression.",
)
CRANKING = Rule(
    "cranking-speed",
    "Cranking speed",
    "engine mechanical",
    0.4,
    "starters turn petrol and diesel engines at 150 to 300 rpm; edges ours",
    "an engine start recorded with rpm as fast as the adapter can",
    "Check battery, starter and their cables before the engine.",
)
OIL = Rule(
    "oil-temperature",
    "Highest oil temperature",
    "engine mechanical",
    0.7,
    "mineral and synthetic oils are safe to about 130 °C in the sump; edges ours",
    "a warm drive with oil_temp",
    "Check oil level and grade, oil cooler and coolant.",
    safety=True,
)


def roughness(car: Car) -> Outcome:
    """Judge how unsteady the settled warm idle is from reading to reading."""
    lost = missing(car, "rpm", "coolant_temp")
    if lost is not None:
        return lost
    track = car.timeline["rpm"]
    if track.period_s > 1.5:
        return Unjudged(f"rpm every {track.period_s:.1f} s is too slow to see roughness; 1.5 s are needed")
    settled = car.settled_idle[car.timeline.place(track.times_s)]
    values = track.values
    inner = settled[2:] & settled[1:-1] & settled[:-2] & ~track.gaps[1:] & ~track.gaps[:-1]
    seconds = float(np.count_nonzero(inner)) * track.period_s
    if seconds < 30:
        return Unjudged(f"only {seconds:.0f} s of settled warm idle; 30 s are needed")
    jumps = np.abs(values[2:] - 2 * values[1:-1] + values[:-2])[inner]
    # The 75 % quantile of a normal variable is 1.15 standard deviations; a second difference has sqrt(6) of one.
    rough = float(np.quantile(jumps, 0.75)) / 1.15 / 6**0.5
    sign = between(rough, 8.5, 20)
    return Judged(
        sign,
        enough(seconds, 90),
        [car.evidence("rpm", "roughness (second differences)", rough, "8.5 rpm or less", car.settled_idle)],
        f"The warm idle is rough by {rough:.1f} rpm from reading to reading.",
        {"rough_idle": sign},
    )


def misfires(car: Car) -> Outcome:
    """Judge misfire results of service 06 against their limits."""
    tests = [test for test in car.monitor_tests if "misfire" in f"{test.monitor} {test.test}".lower()]
    judged = [(test.value / test.high, test) for test in tests if test.high]
    if not judged:
        return Unjudged("no misfire results of service 06 with limits were read")
    share, worst = max(judged, key=lambda pair: pair[0])
    sign = between(share, 0.3, 1.0)
    evidence = car.evidence(
        f"{worst.monitor} {worst.test}",
        "value over limit",
        share,
        "under 0.8",
        np.zeros(0, dtype=bool),
        "ratio",
    )
    said = f"{worst.monitor}, {worst.test}: {worst.value:g} of {worst.high:g} {worst.unit} allowed."
    return Judged(sign, 1.0, [evidence], said, {"misfire_counts": sign})


def idle_speed(car: Car) -> Outcome:
    """Judge the idle speed."""
    lost = missing(car, "rpm", "coolant_temp")
    if lost is not None:
        return lost
    seconds = car.seconds(car.settled_idle)
    if seconds < 15:
        return Unjudged(f"only {seconds:.0f} s of settled warm idle; 15 s are needed")
    level = median(car.engine.rpm, car.settled_idle)
    high, low = between(level, 950, 1250), between(level, 560, 450)
    return Judged(
        max(high, low),
        enough(seconds, 60),
        [car.evidence("rpm", "median at warm idle", level, "560 to 950 rpm", car.settled_idle)],
        f"The warm engine idles at {level:.0f} rpm.",
        {"idle_high": between(level, 850, 1150), "idle_low": low},
    )


def vacuum(car: Car) -> Outcome:
    """Judge manifold pressure at warm idle of engines with a throttle."""
    if car.diesel:
        return Unjudged("a diesel has no throttle to make vacuum", False)
    lost = missing(car, "intake_pressure", "rpm", "coolant_temp")
    if lost is not None:
        return lost
    seconds = car.seconds(car.settled_idle)
    if seconds < 15:
        return Unjudged(f"only {seconds:.0f} s of settled warm idle; 15 s are needed")
    level = median(car.held("intake_pressure"), car.settled_idle)
    if level > 85:
        return Unjudged("the engine idles without vacuum: a diesel or an engine without throttle", False)
    sign = between(level, 46, 65)
    return Judged(
        sign,
        enough(seconds, 60),
        [car.evidence("intake_pressure", "median at warm idle", level, "46 kPa or less", car.settled_idle)],
        f"Manifold pressure at warm idle is {level:.0f} kPa.",
        {"idle_pressure_high": sign},
    )


def cranking(car: Car) -> Outcome:
    """Judge how fast the starter turns the engine."""
    lost = missing(car, "rpm")
    if lost is not None:
        return lost
    speeds = car.engine.rpm[car.engine.cranking]
    if np.unique(speeds).size < 2:
        return Unjudged("no engine start was caught with two readings while cranking")
    # Readings while the starter spins up or down are lower than its speed.
    level = float(speeds.max())
    sign = between(level, 140, 80)
    return Judged(
        sign,
        enough(speeds.size * car.timeline.step_s, 2.0),
        [car.evidence("rpm", "highest while cranking", level, "140 rpm or more", car.engine.cranking)],
        f"The starter turned the engine at {level:.0f} rpm.",
        {"slow_crank": sign},
    )


def oil(car: Car) -> Outcome:
    """Judge the highest oil temperature."""
    lost = missing(car, "oil_temp")
    if lost is not None:
        return lost
    smooth = car.smooth("oil_temp")
    if not np.isfinite(smooth).any():
        return Unjudged("oil_temp has no 30 s without a gap")
    peak = float(np.nanmax(smooth))
    sign = between(peak, 128, 145)
    near = np.isfinite(smooth) & (smooth >= peak - 2)
    return Judged(
        sign,
        enough(car.seconds(car.engine.warm), 600),
        [car.evidence("oil_temp", "highest 30 s mean", peak, "128 °C or less", near)],
        f"The oil reached {peak:.0f} °C.",
        {"oil_hot": sign},
    )


CHECKS: tuple[tuple[Rule, Judge], ...] = (
    (ROUGHNESS, roughness),
    (MISFIRES, misfires),
    (IDLE_SPEED, idle_speed),
    (VACUUM, vacuum),
    (CRANKING, cranking),
    (OIL, oil),
)
