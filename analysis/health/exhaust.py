"""Checks of emissions: oxygen sensors, catalyst, monitor tests, MIL and readiness."""

import numpy as np

from analysis.health.checking import Car, Judge, Judged, Outcome, Rule, Unjudged, between, enough
from analysis.results.health import MonitorTest
from analysis.table import Floats
from analysis.timeline import Bools

CATALYST = Rule(
    "catalyst-storage",
    "Rear oxygen sensor against the front one",
    "emissions",
    0.9,
    "rear over front activity: near 0 good, 1 spent, common limit 0.7; judged in steady warm closed loop "
    "(shoppress; Kia P0420 conditions)",
    "five minutes of steady warm driving at 50 to 100 km/h with o2_b1s1 and o2_b1s2 twice a second, fuel_status, "
    "rpm, speed and coolant_temp; narrow-band sensors only",
    "Check for exhaust leaks before the rear sensor first; then the catalyst, and what wore it out.",
)
FRONT_SENSOR = Rule(
    "front-oxygen-sensor",
    "Front oxygen sensor's switching time",
    "emissions",
    0.7,
    "eight switches and more in ten seconds at 2500 rpm is a good sensor (workshop rule): a swing of 2.5 s; edges ours",
    "five minutes of steady warm driving with o2_b1s1 twice a second or faster and fuel_status",
    "Check the front oxygen sensor's heater and wiring, exhaust leaks, then replace it.",
)
MARGINS = Rule(
    "monitor-margins",
    "Monitor tests against their limits",
    "emissions",
    0.7,
    "service 06: share of the allowed range used; over 80 % is amber (our judgement)",
    "monitor tests (service 06) after a drive that let the monitors run",
    "See which monitor is near its limit and test that part before a code is set.",
)
LAMP = Rule(
    "mil",
    "Malfunction indicator lamp",
    "emissions",
    0.5,
    "SAE J1979 PID 01",
    "readiness and trouble codes (services 01, 03, 07, 0A)",
    "Read the stored trouble codes and follow them.",
)
_SAMPLES_PER_SWING = 2.5


def _closed(car: Car) -> Bools:
    """Return steady warm closed-loop moments; without fuel_status steady warm driving has to do."""
    if not car.has("fuel_status"):
        return car.steady
    closed: Bools = car.steady & (car.held("fuel_status") == 2)
    return closed


def _activity(car: Car, name: str, where: Bools) -> tuple[int, float, float]:
    """Return switches through 0.45 V, the path of the voltage beyond its noise, and seconds over steady time."""
    track = car.timeline[name]
    inside = where[car.timeline.place(track.times_s)]
    both = inside[1:] & inside[:-1] & ~track.gaps
    rich: Bools = track.values > 0.45
    switches = int(np.count_nonzero((rich[1:] != rich[:-1]) & both))
    steps: Floats = np.maximum(np.abs(np.diff(track.values)) - 0.01, 0.0)
    return switches, float(steps[both].sum()), float(track.intervals_s[both].sum())


def _narrow_band(car: Car, name: str) -> bool:
    values = car.timeline[name].values
    return bool(np.quantile(values, 0.99) <= 1.275 and np.ptp(values) > 0.02)


def catalyst(car: Car) -> Outcome:
    """Judge the catalyst's oxygen storage by how much of the front sensor's swing the rear one still shows."""
    if car.diesel:
        return Unjudged("a diesel's catalyst does not work that way", False)
    if not car.has("o2_b1s1", "o2_b1s2", "coolant_temp"):
        return Unjudged("not recorded: o2_b1s1 and o2_b1s2 (narrow-band) with coolant_temp")
    if not (_narrow_band(car, "o2_b1s1") and _narrow_band(car, "o2_b1s2")):
        return Unjudged("the oxygen sensors are not both narrow-band, or one never moves")
    where = _closed(car)
    front_switches, front, seconds = _activity(car, "o2_b1s1", where)
    rear_switches, rear, _ = _activity(car, "o2_b1s2", where)
    if seconds < 60 or front_switches < 20:
        return Unjudged(
            f"only {seconds:.0f} s steady in closed loop with {front_switches} switches; 60 s are needed"
        )
    ratio = max(rear / front if front else 0.0, rear_switches / front_switches)
    return Judged(
        between(ratio, 0.15, 0.7),
        enough(seconds, 240),
        [
            car.evidence(
                "o2_b1s2", "activity over that of o2_b1s1", ratio, "under 0.15, limit 0.7", where, "ratio"
            )
        ],
        f"The rear sensor shows {100 * ratio:.0f} % of the front sensor's activity over {seconds:.0f} s.",
        {"catalyst_spent": between(ratio, 0.04, 0.4)},
    )


def front_sensor(car: Car) -> Outcome:
    """Judge the mean time of a full swing of the front sensor."""
    if car.diesel:
        return Unjudged("a diesel has no switching sensor", False)
    if not car.has("o2_b1s1", "coolant_temp"):
        return Unjudged("not recorded: o2_b1s1 (narrow-band) with coolant_temp")
    if not _narrow_band(car, "o2_b1s1"):
        return Unjudged("o2_b1s1 is not a narrow-band sensor, or it never moves")
    where = _closed(car)
    switches, _, seconds = _activity(car, "o2_b1s1", where)
    if seconds < 60:
        return Unjudged(f"only {seconds:.0f} s steady in closed loop; 60 s are needed")
    swing = 2 * seconds / max(switches, 1)
    period = car.timeline["o2_b1s1"].period_s
    if swing < 2.0 * period:
        return Unjudged(f"o2_b1s1 every {period:.1f} s is too slow to time its swings")
    quality = enough(seconds, 240) * enough(swing / period, _SAMPLES_PER_SWING)
    slow = between(swing, 1.9, 3.2)
    return Judged(
        slow,
        quality,
        [car.evidence("o2_b1s1", "mean time of a full swing", swing, "1.9 s or less", where, "s")],
        f"The front sensor takes {swing:.1f} s for a full swing over {seconds:.0f} s.",
        {"front_sensor_slow": between(swing, 1.6, 2.6)},
    )


def margin(test: MonitorTest) -> float | None:
    """Return how much of its allowed range a test uses, 1 at the limit; None without limits.

    Voltages sit between their limits by nature: they count only when they are outside.
    """
    low, high = test.low, test.high
    if low is None and not high:
        return None
    outside = (low is not None and test.value < low) or (high is not None and test.value > high)
    if test.unit == "V":
        return 1.2 if outside else 0.0
    if low is None or (low == 0 and high):
        return test.value / high if high else None
    if high is None:
        return 1.2 if outside else min(1.0, low / test.value) if test.value else None
    return abs(test.value - (low + high) / 2) / ((high - low) / 2) if high > low else None


def margins(car: Car) -> Outcome:
    """Judge the monitor test nearest to its limit, misfires left to their own check."""
    rated = [
        (used, test)
        for test in car.monitor_tests
        if "misfire" not in f"{test.monitor} {test.test}".lower() and (used := margin(test)) is not None
    ]
    if not rated:
        return Unjudged("no monitor tests with limits were read")
    used, worst = max(rated, key=lambda pair: pair[0])
    evidence = car.evidence(
        f"{worst.monitor} {worst.test}",
        "share of the limit",
        used,
        "0.8 or less",
        np.zeros(0, dtype=bool),
        "ratio",
    )
    said = f"{worst.monitor}, {worst.test} uses {100 * used:.0f} % of what is allowed ({len(rated)} tests)."
    sign = between(used, 0.8, 1.0)
    return Judged(sign, 1.0, [evidence], said, _monitor_signs(rated))


def _monitor_signs(rated: list[tuple[float, MonitorTest]]) -> dict[str, float]:
    """Turn tests near their limit into signs for causes."""
    signs: dict[str, float] = {}
    words = {"catalyst": "catalyst_spent", "o2": "front_sensor_slow", "oxygen": "front_sensor_slow"}
    for used, test in rated:
        for word, sign in words.items():
            if word in test.monitor.lower() and "sensor 2" not in test.monitor.lower():
                signs[sign] = max(signs.get(sign, 0.0), between(used, 0.7, 1.0))
    return signs


def lamp(car: Car) -> Outcome:
    """Judge the malfunction lamp."""
    told = car.readiness.mil_on if car.readiness else None
    if told is None and car.timeline.has("mil_on", readings=1):
        told = bool(car.timeline["mil_on"].values[-1])
    if told is None:
        return Unjudged("neither readiness nor mil_on was read")
    return Judged(
        0.7 if told else 0.0,
        1.0,
        [car.evidence("mil_on", "last", float(told), "0", np.zeros(0, dtype=bool), "code")],
        f"The malfunction lamp is {'on' if told else 'off'}.",
    )


CHECKS: tuple[tuple[Rule, Judge], ...] = (
    (CATALYST, catalyst),
    (FRONT_SENSOR, front_sensor),
    (MARGINS, margins),
    (LAMP, lamp),
)
