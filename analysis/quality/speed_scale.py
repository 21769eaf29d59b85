"""Finds a road speed on a wrong scale, by everything else that tells how fast the car really was.

Witnesses: a position receiver's speed and positions, the odometer, the gear ratios, the power the engine had, and
the step the speed comes in. Each gives the factor by which the speed reads too high (below 1: too low).
"""

from dataclasses import dataclass

import numpy as np

from analysis.driving.distance import distance_counter, odometer_km
from analysis.driving.gears import gears
from analysis.engine import Engine
from analysis.facts import VehicleFacts
from analysis.findings import Evidence, Finding
from analysis.quality.positions import chord_factors
from analysis.quality.pulling_power import apparent_mass_kg, lightest_plausible_kg
from analysis.quality.signals import common_step

KNOWN_FACTORS = {
    1.609: "as if km/h had been taken for mph and converted once more",
    0.621: "as if mph had been taken for km/h",
    3.6: "as if km/h had been taken for m/s and converted once more",
    0.278: "as if m/s had been taken for km/h",
    2.0: "a factor of 2",
    4.0: "a factor of 4, as of a raw value that counts quarters",
    0.25: "a factor of 1/4",
    10.0: "a factor of 10",
    20.0: "a factor of 20",
    0.05: "a factor of 1/20",
}
_TOLERATED = (0.87, 1.15)
_TOP_GEAR_RPM_PER_KMH = 11.0
"""No road car turns slower in its longest gear: 1100 rpm at 100 km/h."""
_USUAL_TOP_GEAR = 26.0
_SHORTEST_GEAR = 200.0
_MISTAKEN = (1.609, 4.0, 20.0)


@dataclass(frozen=True, slots=True)
class Witness:
    """What one source says of the speed: its factor (1 is right, None: only that it is wrong), and how sure."""

    factor: float | None
    confidence: float
    evidence: Evidence


def speed_scale(engine: Engine, vehicle: VehicleFacts | None = None) -> Finding | None:
    """Return a finding if the road speed reads too high or too low by a factor, else None."""
    if engine.timeline.untimed or not engine.timeline.has("speed", readings=20) or not engine.moving.any():
        return None
    witnesses = [w for w in _witnesses(engine, vehicle) if w is not None]
    witnesses.sort(key=lambda witness: -witness.confidence)
    against = [w for w in witnesses if w.factor is None or not _TOLERATED[0] <= w.factor <= _TOLERATED[1]]
    # A witness that measures speed itself and finds it right outweighs those that only infer.
    if not against or against[0].confidence < witnesses[0].confidence:
        return None
    return _finding(against[0].factor or likeliest_factor(engine, vehicle), against)


def likeliest_factor(engine: Engine, vehicle: VehicleFacts | None) -> float:
    """Return which of the factors commonly mistaken makes gear ratios and engine power look most usual."""
    ratios = [gear.rpm_per_kmh.value or np.nan for gear in gears(engine)[0]]
    usual_kg = 2 * lightest_plausible_kg(engine, vehicle)

    def oddity(factor: float) -> float:
        odd = abs(np.log(ratios[-1] * factor / _USUAL_TOP_GEAR)) if ratios else 0.0
        odd += 2.0 if ratios and ratios[0] * factor > _SHORTEST_GEAR else 0.0
        mass = apparent_mass_kg(engine, vehicle, speed_factor=factor)
        return float(odd + abs(np.log(max(mass.value, 1.0) / usual_kg)) if mass else odd)

    step = _step(engine)
    return step.factor if step and step.factor else min(_MISTAKEN, key=oddity)


def _finding(factor: float, against: list[Witness]) -> Finding:
    named, meaning = known_factor(factor)
    high = "too high" if factor > 1 else "too low"
    times = named if factor > 1 else 1 / named
    return Finding(
        rule="speed-wrong-scale",
        title=f"Speed reads about {times:.3g} times {high}",
        system="recording",
        severity="warning",
        confidence=against[0].confidence,
        evidence=[witness.evidence for witness in against],
        explanation=(
            f"{len(against)} independent signs say so; the surest puts the factor at {factor:.3g}: {meaning}. "
            "Distances, fuel per distance and gear ratios of this session are wrong by the same factor."
        ),
        recommendation="Check the unit and the decoding of the speed before using this session.",
        source="speed against position receiver, odometer, gear ratios and engine power",
    )


def known_factor(factor: float) -> tuple[float, str]:
    """Return the known factor nearest to one found, within 12 %, and what it means; else the factor itself."""
    nearest = min(KNOWN_FACTORS, key=lambda known: abs(np.log(factor / known)))
    if abs(np.log(factor / nearest)) < 0.12:
        return nearest, KNOWN_FACTORS[nearest]
    return factor, "no factor commonly mistaken"


def _witnesses(engine: Engine, vehicle: VehicleFacts | None) -> list[Witness | None]:
    return [
        _receiver(engine),
        _positions(engine),
        _odometer(engine),
        _gears(engine),
        _power(engine, vehicle),
        _step(engine),
    ]


def _receiver(engine: Engine) -> Witness | None:
    """Compare with the position receiver's speed, moment by moment."""
    speed, other = engine.timeline.held("speed"), engine.timeline.held("gps_speed")
    both = (speed > 10) & (other > 5)
    if np.count_nonzero(both) * engine.timeline.step_s < 30:
        return None
    factor = float(np.median(speed[both] / other[both]))
    return _witness(factor, 0.95, "gps_speed", "ratio", "speed / gps_speed, median", int(both.sum()))


def _positions(engine: Engine) -> Witness | None:
    """Compare with the distance between positions."""
    if not engine.timeline.has("latitude", "longitude", readings=20):
        return None
    factors = chord_factors(engine.timeline)
    if factors.size < 10:
        return None
    factor = float(np.median(factors))
    return _witness(factor, 0.9, "latitude", "ratio", "distance by speed / between positions", factors.size)


def _odometer(engine: Engine) -> Witness | None:
    """Compare with the odometer's distance."""
    track = distance_counter(engine.timeline)
    if track is None:
        return None
    moved = odometer_km(engine.timeline).value or 0.0
    if moved < 0.5 or np.count_nonzero(np.diff(track.values)) < 5:
        return None
    speed = engine.timeline["speed"]
    within = (speed.times_s >= track.times_s[0]) & (speed.times_s <= track.times_s[-1])
    factor = float(speed.weights_s[within] @ speed.values[within]) / 3600 / moved
    return _witness(factor, 0.9, "odometer", "ratio", "distance by speed / by odometer", len(track))


def _gears(engine: Engine) -> Witness | None:
    """Compare the longest gear with what road cars have; tells only speeds far too high."""
    ratios, _ = gears(engine)
    if not ratios:
        return None
    longest = ratios[-1].rpm_per_kmh
    found = longest.value or 0.0
    if found >= _TOP_GEAR_RPM_PER_KMH:
        return None
    expected = f"at least {_TOP_GEAR_RPM_PER_KMH:g} rpm/(km/h), usually 20 to 45"
    return _witness(
        None,
        0.85,
        "rpm",
        "rpm/(km/h)",
        "longest gear",
        longest.samples or 0,
        value=found,
        expected=expected,
    )


def _power(engine: Engine, vehicle: VehicleFacts | None) -> Witness | None:
    """Compare the car's mass, as engine power and acceleration would have it, with what cars weigh."""
    mass = apparent_mass_kg(engine, vehicle)
    if mass is None:
        return None
    least = lightest_plausible_kg(engine, vehicle)
    if mass.value >= least:
        return None
    expected = f"at least {least:.0f} kg"
    return _witness(
        None,
        0.6,
        "speed",
        "kg",
        "mass from engine power",
        mass.samples,
        value=mass.value,
        expected=expected,
    )


def _step(engine: Engine) -> Witness | None:
    """Look at the step of the speed: cars send whole km/h."""
    track = engine.timeline["speed"]
    codes = np.unique(track.values)
    step = common_step(codes)
    if step is None or codes.size < 12 or not any(abs(step - known) < 0.01 * known for known in (4.0, 20.0)):
        return None
    expected = "1 km/h, the step of the standard's vehicle speed"
    return _witness(
        step, 0.7, "speed", "km/h", "step between values", len(track), value=step, expected=expected
    )


def _witness(
    factor: float | None,
    confidence: float,
    signal: str,
    unit: str,
    statistic: str,
    samples: int,
    *,
    value: float | None = None,
    expected: str = "1.00, within 13 %",
) -> Witness:
    evidence = Evidence(
        signal=signal,
        unit=unit,
        statistic=statistic,
        value=factor if value is None else value,
        expected=expected,
        samples=samples,
    )
    return Witness(factor, confidence, evidence)
