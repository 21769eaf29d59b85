"""Whether the engine warms up as it used to, over the work it has done since its start."""

from collections.abc import Sequence

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.results.anomalies import WarmUpCurve
from analysis.table import Floats

_STEP = 400.0
_LONGEST = 60
_STARTS_BELOW_C = 55.0


def work_since_start(conditions: Conditions) -> Floats:
    """Return the work since the engine started: revolutions weighted by load or manifold pressure, in 1."""
    engine, timeline = conditions.engine, conditions.timeline
    weight = np.ones(engine.rpm.size)
    if timeline.has("engine_load"):
        weight = timeline.held("engine_load") / 30.0
    elif timeline.has("intake_pressure"):
        weight = timeline.held("intake_pressure") / 35.0
    turned = np.where(engine.running, engine.rpm / 60 * np.nan_to_num(weight), 0.0) * timeline.step_s
    total = np.cumsum(turned)
    started = np.maximum.accumulate(np.where(engine.off, total, -engine.past.work))
    return total - started


def cold_starts(conditions: Conditions) -> Floats:
    """Return the coolant temperature at the start of the run each moment belongs to, NaN for warm starts."""
    engine = conditions.engine
    coolant = conditions.timeline.held("coolant_temp")
    begun = np.zeros(coolant.size, dtype=bool)
    begun[1:] = engine.running[1:] & ~engine.running[:-1]
    begun[0] = engine.running[0] and not engine.past.running_s
    place = np.maximum.accumulate(np.where(begun & np.isfinite(coolant), np.arange(coolant.size), -1))
    start = np.where(place >= 0, coolant[place], engine.past.cold_start_c)
    return np.where(start < _STARTS_BELOW_C, start, np.nan)


def learn_warm_up(sessions: Sequence[Conditions]) -> WarmUpCurve | None:
    """Return the least coolant temperature seen at each amount of work after cold starts, None if there were none."""
    least = np.full(_LONGEST, np.inf)
    coldest = np.inf
    for conditions in sessions:
        if not conditions.timeline.has("coolant_temp", "rpm"):
            continue
        start = cold_starts(conditions)
        coolant = conditions.timeline.held("coolant_temp")
        known = np.isfinite(start) & np.isfinite(coolant) & conditions.engine.running
        if not known.any():
            continue
        place = np.minimum(work_since_start(conditions)[known] / _STEP, _LONGEST - 1).astype(np.intp)
        np.minimum.at(least, place, coolant[known])
        coldest = min(coldest, float(start[known].min()))
    if not np.isfinite(coldest):
        return None
    seen = np.where(np.isfinite(least), least, -60.0)
    # Work only adds heat while warming up: a later step can expect no less than an earlier one did.
    return WarmUpCurve(step=_STEP, least_c=[float(v) for v in seen], coldest_start_c=coldest)


def cold_by(conditions: Conditions, curve: WarmUpCurve) -> Floats:
    """Return how far coolant lies from the least this car showed at the same work, NaN where not comparable."""
    if not conditions.timeline.has("coolant_temp", "rpm"):
        return np.full(conditions.timeline.moments_s.size, np.nan)
    coolant, start = conditions.timeline.held("coolant_temp"), cold_starts(conditions)
    place = np.minimum(work_since_start(conditions) / curve.step, _LONGEST - 1).astype(np.intp)
    comparable = conditions.engine.running & (start >= curve.coldest_start_c - 3)
    expected = np.asarray(curve.least_c)[place]
    return np.where(comparable & (expected > 20) & (expected < 85), coolant - expected, np.nan)
