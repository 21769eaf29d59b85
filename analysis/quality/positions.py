"""Distances between recorded positions."""

import numpy as np

from analysis.table import Floats
from analysis.timeline import Timeline

EARTH_RADIUS_M = 6_371_000.0
_CHORD_S = 5.0


def great_circle_m(latitude: Floats, longitude: Floats) -> Floats:
    """Return the distance in m between neighbouring positions given in degrees (haversine formula)."""
    phi, lam = np.radians(latitude), np.radians(longitude)
    half = np.sin(np.diff(phi) / 2) ** 2 + np.cos(phi[:-1]) * np.cos(phi[1:]) * np.sin(np.diff(lam) / 2) ** 2
    metres: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return metres


def chord_factors(timeline: Timeline) -> Floats:
    """Return, per 5 s chord driven above 20 km/h, the distance by speed over that between positions."""
    step = max(1, round(_CHORD_S / timeline.step_s))
    speed = timeline.held("speed")
    driven = np.concatenate(([0.0], np.cumsum(speed[:-1]) * timeline.step_s / 3.6))
    places = np.arange(0, speed.size, step)
    chord = great_circle_m(timeline.held("latitude")[places], timeline.held("longitude")[places])
    by_speed = np.diff(driven[places])
    span_s = step * timeline.step_s
    with np.errstate(invalid="ignore", divide="ignore"):
        good = (by_speed > span_s * 20 / 3.6) & (chord > span_s * 2)
        return (by_speed / chord)[good & np.isfinite(by_speed) & np.isfinite(chord)]
