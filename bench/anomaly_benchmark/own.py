"""The detector of this project as a score over time: at each moment the highest limit at which it still alarms."""

from collections.abc import Callable

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.anomalies.judgement import Judgement
from analysis.engine import Engine
from analysis.results.anomalies import Baseline
from analysis.timeline import Timeline
from anomaly_benchmark.drives import GRID_S, Drive

LEVELS = np.geomspace(0.2, 12.0, 48)


def scorer(baseline_of: Callable[[Drive], Baseline | None]) -> Callable[[Drive], np.ndarray]:
    """Make a scorer that judges each drive by the baseline it may have."""

    def score(drive: Drive) -> np.ndarray:
        judged = Judgement(Conditions(Engine(Timeline(drive.table))), baseline_of(drive))
        start, size = drive.span_s[0], drive.truth().size
        scores = _raw(judged, start, size)
        for level in LEVELS:
            for one in judged.anomalies(float(level)):
                first = max(0, int((one.start_s - start) / GRID_S))
                scores[first : int((one.end_s - start) / GRID_S) + 1] = level
        return scores

    return score


def _raw(judged: Judgement, start_s: float, size: int) -> np.ndarray:
    """Return the largest score of any check at each moment, kept below the lowest level: it only orders the rest."""
    timeline = judged.conditions.timeline
    scores = np.zeros(size)
    for channel in judged.scores:
        known = np.flatnonzero(np.isfinite(channel))
        place = np.clip(((timeline.moments_s[known] - start_s) / GRID_S).astype(int), 0, size - 1)
        np.maximum.at(scores, place, channel[known])
    return np.minimum(scores, LEVELS[0] * 0.99) * 0.5
