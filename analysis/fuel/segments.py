"""Divides a drive into idle, city, mixed and highway, with the fuel of each."""

import numpy as np

from analysis.engine import Engine
from analysis.fuel.estimate import Estimate, distance, per_distance
from analysis.results.fuel import FuelSegment, SegmentKind
from analysis.timeline import Bools, runs

WINDOW_S = 120.0
_CITY_BELOW_KMH, _HIGHWAY_FROM_KMH = 40.0, 70.0
_HIGHWAY_STOPS, _IDLE_STOPS = 0.05, 0.95
KINDS: dict[SegmentKind, str] = {
    "idle": "120 s windows in which the car stands for 95 % of the time or more",
    "city": "120 s windows with a mean speed below 40 km/h; their stops count",
    "mixed": "120 s windows that are neither city nor highway",
    "highway": "120 s windows with a mean speed of 70 km/h or more that stand for under 5 % of the time",
}
"""The limits are our own: no standard divides a recorded drive."""


def kinds(engine: Engine) -> dict[SegmentKind, Bools]:
    """Return the moments of each kind of driving; only moments with the engine on or the car moving count."""
    speed = engine.speed_kmh
    window = np.floor(np.arange(speed.size) * engine.timeline.step_s / WINDOW_S + 1e-9).astype(np.intp)
    counted = np.isfinite(speed) & (engine.running | engine.moving)
    number = np.bincount(window, counted)
    least = np.maximum(number, 1)
    mean = np.bincount(window, np.where(counted, speed, 0.0)) / least
    stops = np.bincount(window, counted & engine.standing) / least
    idle = stops >= _IDLE_STOPS
    city = ~idle & (mean < _CITY_BELOW_KMH)
    highway = ~idle & (mean >= _HIGHWAY_FROM_KMH) & (stops < _HIGHWAY_STOPS)
    of_window = {"idle": idle, "city": city, "mixed": ~(idle | city | highway), "highway": highway}
    return {kind: counted & of_window[kind][window] for kind in KINDS}


def segments(estimate: Estimate, confidence_level: float) -> list[FuelSegment]:
    """Return fuel, distance and economy of each kind of driving the session holds."""
    if "standing" in estimate.engine.why_not:
        return []
    return [
        _segment(kind, where, estimate, confidence_level)
        for kind, where in kinds(estimate.engine).items()
        if (where & estimate.known).any()
    ]


def _segment(kind: SegmentKind, where: Bools, estimate: Estimate, level: float) -> FuelSegment:
    known = where & estimate.known
    driven = distance(estimate.engine, known, level)
    method = f"{estimate.said} over distance, in {kind} windows"
    return FuelSegment(
        kind=kind,
        definition=KINDS[kind],
        duration_s=estimate.engine.timeline.seconds(known),
        distance_km=driven.quantity("road speed summed over these moments"),
        fuel_l=estimate.litres(known, f"summed over {kind} windows"),
        l_per_100km=per_distance(estimate.volume_l(known), estimate.relative, driven, "L/100km", method),
        stretches=len(runs(where)),
    )
