"""How steadily an engine idles."""

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.table import Floats
from analysis.tracks import Bools

_OVER_S = 8.0
_AFTER_STOP_S = 2.0
_NORMAL_MEDIAN = 1.652
"""The median of |x - 2y + z| over the standard deviation of independent normal x, y and z: 0.6745 x √6."""
_LOADS = ("intake_pressure", "engine_load")
_LOAD_CHANGE = 2.5
_LOAD_PASSES_S = 2.0
"""Steps of 3 kPa or 3 % in load move rpm for about two seconds; a misfire moves rpm alone."""


def idle_roughness(conditions: Conditions) -> Floats:
    """Return the scatter of rpm (as a standard deviation) over the last 8 s of calm warm idle, NaN elsewhere.

    Taken from the median of second differences over half a second (or from one reading to the next): an idle that
    moves to another level is not rough, nor is one whose load changes, as when the air conditioning comes in or the
    clutch bites. Short idles count together.
    """
    rpm, step_s = conditions.engine.rpm, conditions.timeline.step_s
    scatter = np.full(rpm.size, np.nan)
    if not conditions.timeline.has("rpm"):
        return scatter
    apart = max(1, round(max(0.5, conditions.reading_s("rpm")) / step_s))
    count = max(4, round(_OVER_S / step_s))
    places = np.flatnonzero(conditions.idle_for(_AFTER_STOP_S) & ~_loaded(conditions))
    places = places[places >= 2 * apart]
    if places.size < count:
        return scatter
    change = np.abs(rpm[places] - 2 * rpm[places - apart] + rpm[places - 2 * apart])
    windows = np.lib.stride_tricks.sliding_window_view(np.nan_to_num(change), count)
    # Neighbours within the time between two changes tell the same.
    every = max(1, min(apart, count // 8))
    scatter[places[count - 1 :]] = np.median(windows[:, ::every], axis=1) / _NORMAL_MEDIAN
    return scatter


def _loaded(conditions: Conditions) -> Bools:
    """Return the moments around which manifold pressure or load moves: rpm then moves for a reason."""
    timeline, moved = conditions.timeline, np.zeros(conditions.engine.rpm.size, dtype=bool)
    for name in _LOADS:
        if timeline.has(name):
            apart = max(1, round(max(0.5, conditions.reading_s(name)) / timeline.step_s))
            level = timeline.held(name)
            moved[apart:] |= np.abs(level[apart:] - level[:-apart]) > _LOAD_CHANGE
    return conditions.lately(moved, _LOAD_PASSES_S) | conditions.soon(moved, _LOAD_PASSES_S)
