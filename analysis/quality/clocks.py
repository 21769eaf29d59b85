"""What the times of a whole recording say: common gaps, clock steps, rows that repeat older values."""

from itertools import pairwise

import numpy as np

from analysis.results.quality import ClockStep, TimeGap
from analysis.timeline import Timeline
from analysis.tracks import Gap, Track


def common_gaps(timeline: Timeline) -> list[Gap]:
    """Return the stretches in which no signal has a reading, with the recorder's reason where it gave one."""
    tracks = [track for track in timeline.values() if len(track) > 1]
    if not tracks:
        return []
    fastest = min(tracks, key=lambda track: track.period_s)
    limit_s = fastest.max_age_s
    candidates = np.flatnonzero(fastest.intervals_s > limit_s)
    spans = [(float(fastest.times_s[i]), float(fastest.times_s[i + 1])) for i in candidates]
    ends = _edges(fastest, timeline)
    gaps: list[Gap] = []
    for start_s, end_s in [*spans, *ends]:
        gaps += [(a, b, "no readings") for a, b in _empty(start_s, end_s, tracks) if b - a > limit_s]
    return [_with_reason(gap, timeline.recorded_gaps) for gap in sorted(gaps)]


def _edges(fastest: Track, timeline: Timeline) -> list[tuple[float, float]]:
    """Return the time before the fastest signal's first reading and after its last."""
    return [
        (timeline.start_s, float(fastest.times_s[0])),
        (float(fastest.times_s[-1]), timeline.end_s),
    ]


def _empty(start_s: float, end_s: float, tracks: list[Track]) -> list[tuple[float, float]]:
    """Split a stretch at the readings any track has within it."""
    inside = [
        t.times_s[np.searchsorted(t.times_s, start_s) : np.searchsorted(t.times_s, end_s)] for t in tracks
    ]
    edges = np.unique(np.concatenate([[start_s, end_s], *inside]))
    return [(float(a), float(b)) for a, b in pairwise(edges)]


def _with_reason(gap: Gap, recorded: tuple[Gap, ...]) -> Gap:
    """Put the recorder's reason to a gap where it gave one."""
    start_s, end_s, reason = gap
    told = [why for start, end, why in recorded if start < end_s and end > start_s]
    return start_s, end_s, "; ".join(told) or reason


def as_time_gaps(gaps: list[Gap]) -> list[TimeGap]:
    """Turn gaps into result models."""
    return [TimeGap(start_s=start, end_s=end, reason=reason) for start, end, reason in gaps]


def clock_steps(timeline: Timeline) -> list[ClockStep]:
    """Merge the backward clock steps of all signals that happen at the same time."""
    steps: list[ClockStep] = []
    found = sorted((at, size, name) for name, track in timeline.items() for at, size in track.repairs.steps)
    for at_s, step_s, name in found:
        if steps and at_s - steps[-1].at_s < 5 and abs(step_s - steps[-1].step_s) < 5:
            steps[-1] = steps[-1].model_copy(update={"signals": [*steps[-1].signals, name]})
        else:
            steps.append(ClockStep(at_s=at_s, step_s=step_s, signals=[name]))
    return steps


def held_values(timeline: Timeline) -> str | None:
    """Say so if the rows of the log repeat older values, so that only part of them was really read."""
    if timeline.rows_per_reading is None:
        return None
    return (
        f"The log's rows repeat older values: each signal is really read only every {timeline.rows_per_reading} "
        "rows. The repeats were left out, and rates and samples count what was read."
    )
