"""Whether a signal's companion shares what a single reading shows: load and manifold pressure move together."""

import numpy as np
from numpy.typing import NDArray

from analysis.anomalies.conditions import Conditions
from analysis.anomalies.readings import Readings
from analysis.engine import RUNNING_RPM
from analysis.table import Floats
from analysis.timeline import Timeline

COMPANIONS = {"intake_pressure": "engine_load", "engine_load": "intake_pressure"}
"""Both measure how far the cylinders fill, so that a blip of the pedal moves both, by nearly 1 kPa per per cent."""
_FEWEST_S = 60.0
_AMBIENT_KPA = 106.0
"""Air pressure at sea level hardly exceeds this."""
_SENSORS_KPA = 6.0
"""An engine without boost never draws in more than the air around; two sensors agree within 3 % of 100 kPa each."""
_UNSURE = 12.0
_PER_SHARED = 2.0
_PER_THROTTLE = 3.0
_PER_RPM = 0.01
"""Read in turn, signals miss each other's peaks: what may come from a blip, per kPa or per cent that the companion
shows of it, per per cent of throttle, and per rpm."""


def why_alone(name: str, conditions: Conditions) -> str | None:
    """Return why a signal cannot be held against its companion, None if it can."""
    timeline = conditions.timeline
    missing = [one for one in _needed(name) if not timeline.has(one)]
    if missing:
        return f"not recorded: {', '.join(missing)}"
    if conditions.unthrottled:
        return "this engine has no throttle that would move both"
    running = timeline.held("rpm") >= RUNNING_RPM
    companion = timeline.held(COMPANIONS[name])[running]
    known = companion[np.isfinite(companion)]
    if known.size * timeline.step_s < _FEWEST_S or np.ptp(known) < _UNSURE:
        return f"{COMPANIONS[name]} hardly moves in this session"
    return None


def _needed(name: str) -> tuple[str, ...]:
    return (COMPANIONS[name], "rpm", "throttle_pos")


def unexplained(
    name: str, conditions: Conditions, cut: Readings, where: NDArray[np.intp], sides: Floats
) -> Floats:
    """Return how far some readings lie beyond all that their companion shows around them, over what they may.

    What belongs to a level of the companion is told by the line through this session's readings. `sides` is +1 for
    readings above their neighbours, -1 for those below. Only where `why_alone` is None.
    """
    timeline, around, side = conditions.timeline, _around(name, conditions, cut, where), sides[:, None]
    values, other = (timeline.held(one) for one in (name, COMPANIONS[name]))
    running = (conditions.engine.rpm >= RUNNING_RPM) & np.isfinite(values) & np.isfinite(other)
    line = _line(values[running], other[running])
    companion, rpm, throttle = (
        timeline[one].at(around.ravel()).reshape(around.shape) for one in _needed(name)
    )
    expected = side * np.polyval(line, companion)
    beyond = sides * cut.values[where] - expected.max(axis=1)
    room = _UNSURE + _PER_SHARED * _blip(expected)
    room += _PER_THROTTLE * _blip(side * throttle) + _PER_RPM * np.ptp(rpm, axis=1)
    alone: Floats = beyond / room
    if name == "intake_pressure":
        alone = np.fmax(alone, _over_ambient(cut.values[where], values[running], timeline))
    return np.nan_to_num(alone)


def _line(values: Floats, companion: Floats) -> Floats:
    """Return slope and offset of the line that fits a signal over its companion best."""
    apart = companion - companion.mean()
    slope = float((apart * values).sum() / (apart * apart).sum())
    return np.array([slope, values.mean() - slope * companion.mean()])


def _over_ambient(values: Floats, running_kpa: Floats, timeline: Timeline) -> Floats:
    """Return by how much pressures exceed the air around, over what sensors differ; 0 for engines with boost."""
    ambient = _AMBIENT_KPA
    if timeline.has("barometric_pressure"):
        ambient = float(np.median(timeline["barometric_pressure"].values))
    boosted = np.quantile(running_kpa, 0.99) > ambient + _SENSORS_KPA
    return np.zeros(values.size) if boosted else (values - ambient) / _SENSORS_KPA


def _blip(values: Floats) -> Floats:
    """Return how far each row of values rises above both its ends."""
    blip: Floats = values.max(axis=1) - np.maximum(values[:, 0], values[:, -1])
    return blip


def _around(name: str, conditions: Conditions, cut: Readings, where: NDArray[np.intp]) -> Floats:
    """Return the times from a reading of the slowest signal before each reading to one after it."""
    timeline = conditions.timeline
    period_s = timeline[name].period_s
    slowest_s = max(conditions.reading_s(one) for one in _needed(name))
    apart = max(cut.rows, round(slowest_s / period_s)) + 1
    rows = cut.first[where, None] + np.arange(-apart, 2 * cut.rows - 1 + apart)
    times_s: Floats = timeline[name].times_s[np.clip(rows, 0, len(timeline[name]) - 1)]
    return times_s
