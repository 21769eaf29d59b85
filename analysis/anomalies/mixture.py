"""How far the control unit has to correct the mixture: the trims, and how they differ between light load and heavy."""

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.table import Floats
from analysis.tracks import Bools

_LIGHT, _HEAVY = 38.0, 50.0
"""Calculated load in per cent below which an engine idles, rolls or coasts, and above which it pulls."""
_MEAN_S = 15.0


def trim_sum(conditions: Conditions, bank: str) -> Floats | None:
    """Return short plus long trim of a bank at every moment, None where neither or only one was recorded."""
    short, long = f"short_fuel_trim_{bank}", f"long_fuel_trim_{bank}"
    timeline = conditions.timeline
    if not timeline.has(short, long):
        return None
    # A trim that never leaves one value is not fitted: it reads 99.2 % throughout.
    if all(np.ptp(timeline[name].values) == 0 for name in (short, long)):
        return None
    return timeline.held(short) + timeline.held(long)


def closed_loop_trim(conditions: Conditions, bank: str) -> Floats | None:
    """Return short plus long trim of a bank while the mixture is controlled."""
    total = trim_sum(conditions, bank)
    return None if total is None else np.where(conditions.closed_loop, total, np.nan)


def trim_at_light_load(conditions: Conditions, bank: str) -> Floats | None:
    """Return how much higher the trims of a bank are at light load than under load, in per cent.

    Air past the throttle is a large share of little air and a small one of much; fuel of another kind or pressure
    shifts both alike.
    """
    total = closed_loop_trim(conditions, bank)
    if total is None or not conditions.timeline.has("engine_load"):
        return None
    load, step_s = conditions.timeline.held("engine_load"), conditions.timeline.step_s
    light, heavy = (_latest_mean(total, where, step_s) for where in (load < _LIGHT, load > _HEAVY))
    return np.where(conditions.closed_loop, light - heavy, np.nan)


def _latest_mean(values: Floats, where: Bools, step_s: float) -> Floats:
    """Return at every moment the mean over the last 15 s of a state, NaN until it has lasted so long in all."""
    places, count = np.flatnonzero(where & np.isfinite(values)), max(1, round(_MEAN_S / step_s))
    latest = np.full(values.size, np.nan)
    if places.size < count:
        return latest
    total = np.concatenate(([0.0], np.cumsum(values[places])))
    means = (total[count:] - total[:-count]) / count
    told = np.zeros(values.size, dtype=np.intp)
    told[places[count - 1 :]] = 1
    behind = np.cumsum(told)
    latest[behind > 0] = means[behind[behind > 0] - 1]
    return latest
