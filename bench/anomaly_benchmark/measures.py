"""How well a score over time tells faults: VUS-PR, events found, precision and false alarms per hour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anomaly_benchmark.drives import GRID_S, Drive

MERGED_S = 30.0
_BUFFERS_S = (0.0, 5.0, 10.0, 15.0, 20.0)
_THRESHOLDS = 250


@dataclass(frozen=True)
class Trace:
    """A drive and what a detector scores at every moment of the benchmark's grid."""

    drive: Drive
    scores: np.ndarray


def vus_pr(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the volume under the precision-recall surface over five buffer lengths up to 20 s.

    As Paparrizos et al. define it (VLDB 2022) and their package `vus` 0.0.6 computes it: labels fade out over half
    a buffer on either side as sqrt(1 - distance / buffer), recall counts against the mean of the labels with and
    without buffer and is weighted by the share of faults touched, 250 thresholds.
    """
    ordered = -np.sort(-scores)
    thresholds = ordered[np.linspace(0, scores.size - 1, _THRESHOLDS).astype(int)]
    alarms = (scores[None, :] >= thresholds[:, None]).astype(np.float32)
    return float(np.mean([_range_ap(alarms, truth, round(s / GRID_S)) for s in _BUFFERS_S]))


def _range_ap(alarms: np.ndarray, truth: np.ndarray, buffer: int) -> float:
    labels = _faded(truth, buffer)
    hits = alarms @ labels
    precision = hits / alarms.sum(axis=1)
    touched = [alarms[:, first:end].any(axis=1) for first, end in _runs(labels > 0)]
    # Inside the faults every label counts, alarm or not; around them only where there is an alarm.
    positives = truth.sum() + alarms @ np.where(truth, 0.0, labels) / 2
    recall = np.minimum(hits / positives, 1.0) * np.mean(touched, axis=0)
    return float(np.diff(recall, prepend=0.0) @ precision)


def _faded(truth: np.ndarray, buffer: int) -> np.ndarray:
    labels = truth.astype(float)
    for first, end in _runs(truth):
        for apart in range(1, buffer // 2 + 1):
            weight = np.sqrt(1 - apart / buffer)
            for place in (first - apart, end - 1 + apart):
                if 0 <= place < labels.size:
                    labels[place] += weight
    return np.minimum(labels, 1.0)


def _runs(where: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.diff(np.concatenate(([False], where, [False])))).reshape(-1, 2)


def episodes(scores: np.ndarray, threshold: float) -> list[tuple[int, int]]:
    """Return the alarms at a threshold; those less than 30 s apart are one."""
    found: list[tuple[int, int]] = []
    for first, end in _runs(scores >= threshold):
        if found and first - found[-1][1] <= MERGED_S / GRID_S:
            found[-1] = (found[-1][0], int(end))
        else:
            found.append((int(first), int(end)))
    return found


def hours(traces: Sequence[Trace]) -> float:
    return sum(trace.scores.size for trace in traces) * GRID_S / 3600


def alarms_per_h(traces: Sequence[Trace], threshold: float) -> float:
    return sum(len(episodes(trace.scores, threshold)) for trace in traces) / hours(traces)


def threshold_for(traces: Sequence[Trace], per_h: float = 1.0) -> float:
    """Return the least threshold that keeps healthy drives at or below so many false alarms an hour."""
    scores = np.concatenate([trace.scores for trace in traces])
    candidates = np.unique(np.quantile(scores, 1 - np.geomspace(1e-5, 1, 150)))
    for threshold in candidates:
        # An alarm that never ends is one episode, but no use: at most a tenth of healthy time may be alarm.
        if alarms_per_h(traces, threshold) <= per_h and np.mean(scores >= threshold) <= 0.1:
            return float(threshold)
    return float(np.nextafter(scores.max(), np.inf))


def touches(trace: Trace, threshold: float) -> tuple[bool, int, int]:
    """Return whether the fault is touched by an alarm, how many alarms touch it, and how many there are."""
    alarms = episodes(trace.scores, threshold)
    truth = np.flatnonzero(trace.drive.truth())
    late = 5 / GRID_S
    right = [one for one in alarms if one[1] > truth[0] - 1 and one[0] <= truth[-1] + late]
    return bool(right), len(right), len(alarms)
