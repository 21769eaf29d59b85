"""Signals that repeat one value while the engine's other signals move."""

import numpy as np
from numpy.typing import NDArray

from analysis.results.quality import StuckRun
from analysis.timeline import Timeline
from analysis.tracks import Track

STUCK_AFTER_S = 30.0
# Only signals that never rest while an engine works. Speed repeats at cruise, pedals and temperatures rest.
RESTLESS = ("rpm", "intake_pressure", "maf", "engine_load", "absolute_load")
_MOVED_BY = {"rpm": 300.0, "intake_pressure": 12.0, "maf": 5.0, "engine_load": 20.0, "speed": 15.0}
_LISTED = 20


def stuck_runs(name: str, timeline: Timeline) -> list[StuckRun]:
    """Return the stretches in which a signal repeats one value for 30 s although others clearly move.

    Zero is no stuck value: an engine that stands reads zero, and impossible zeros have rules of their own.
    """
    track = timeline[name]
    if name.split("@")[0] not in RESTLESS or len(track) < 10:
        return []
    found = []
    for first, last in unchanged_runs(track, STUCK_AFTER_S):
        start_s, end_s = float(track.times_s[first]), float(track.times_s[last])
        moved = _moved(name, timeline, start_s, end_s)
        if moved and track.values[first] != 0:
            value, samples = float(track.values[first]), int(last - first + 1)
            found.append(StuckRun(start_s=start_s, end_s=end_s, value=value, samples=samples, moved=moved))
    return found[:_LISTED]


def unchanged_runs(track: Track, at_least_s: float) -> NDArray[np.intp]:
    """Return stretches of one repeated value as rows (first index, last index), gaps not bridged."""
    ends = np.append(np.flatnonzero((np.diff(track.values) != 0) | track.gaps), len(track) - 1)
    starts = np.append(0, ends[:-1] + 1)
    long = track.times_s[ends] - track.times_s[starts] >= at_least_s
    return np.stack((starts[long], ends[long]), axis=1)


def _moved(name: str, timeline: Timeline, start_s: float, end_s: float) -> str:
    """Say which other signals moved within a stretch; empty unless two do, or the only one there is."""
    moved, asked = [], 0
    for other, by in _MOVED_BY.items():
        if other == name or not timeline.has(other):
            continue
        track = timeline[other]
        first, last = np.searchsorted(track.times_s, (start_s, end_s))
        values = track.values[first:last]
        if values.size < 5:
            continue
        asked += 1
        low, high = np.quantile(values, (0.05, 0.95))
        if high - low >= by:
            moved.append(f"{other} from {low:.4g} to {high:.4g} {track.unit}")
    return ", ".join(moved) if len(moved) >= min(2, asked) else ""
