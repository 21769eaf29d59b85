"""Whether rpm and speed still belong to one of the gears the car has."""

from collections.abc import Sequence

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.driving.gears import gears
from analysis.table import Floats

_FASTEST_RATIO_CHANGE = 0.02
_SLOWEST_KMH = 15.0


def learn_gears(sessions: Sequence[Conditions]) -> list[float]:
    """Return ln(rpm per km/h) of the gears seen in the sessions, longest first; empty where there are none."""
    found: list[float] = []
    for conditions in sessions:
        for gear in gears(conditions.engine)[0]:
            log_ratio = float(np.log(gear.rpm_per_kmh.value or 1.0))
            if all(abs(log_ratio - known) > 0.06 for known in found):
                found.append(log_ratio)
    return sorted(found)


def slip(conditions: Conditions, log_ratios: Sequence[float]) -> Floats:
    """Return how far ln(rpm / speed) lies from the nearest gear while driving steadily under power, else NaN.

    Only moments within the range of the gears count, with the ratio changing slower than 2 % a second: shifting and
    clutching pass through every ratio.
    """
    engine, step_s = conditions.engine, conditions.timeline.step_s
    driving = (
        conditions.fuelled & conditions.steady & (engine.speed_kmh >= _SLOWEST_KMH) & (engine.rpm > 1100)
    )
    ratio = np.full(engine.rpm.size, np.nan)
    ratio[driving] = np.log(engine.rpm[driving] / engine.speed_kmh[driving])
    apart = max(1, round(2.0 / step_s))
    change = np.full(ratio.size, np.inf)
    change[apart:] = np.abs(ratio[apart:] - ratio[:-apart])
    ratio[~(change < _FASTEST_RATIO_CHANGE * apart * step_s)] = np.nan
    # Beyond the gears seen there may be others: only what lies between them can be slip.
    ratio[(ratio > log_ratios[-1] + 0.05) | (ratio < log_ratios[0] - 0.05)] = np.nan
    distances = np.array([ratio - log_ratio for log_ratio in log_ratios])
    nearest = np.argmin(np.nan_to_num(np.abs(distances), nan=np.inf), axis=0)
    slipping: Floats = distances[nearest, np.arange(ratio.size)]
    return slipping
