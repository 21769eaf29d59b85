"""One signal in strictly increasing time that knows where its gaps are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.ordering import Repairs, in_order
from analysis.table import Floats, SignalSeries

Bools = NDArray[np.bool_]
Gap = tuple[float, float, str]

GAP_PERIODS = 3.0
"""An interval this many times the usual one is a gap (and at least SHORTEST_GAP_S)."""
SHORTEST_GAP_S = 1.0
BRIDGED_S = 5.0
"""Integration crosses a gap up to this long: with both ends known, the trapezoid errs by at most a dt²/8, 9 m
for a speed at 3 m/s². Leaving the gap out would err by all of it. Gaps the recorder noted are never crossed."""
_NEIGHBOURS = 5


@dataclass(frozen=True)
class Track:
    """One signal's finite readings in strictly increasing time.

    `gaps` marks the intervals between neighbouring readings that are gaps (one fewer than readings), `breaks`
    those that integration does not cross either; `period_s` is the median interval (NaN below two readings),
    `max_age_s` how long a reading speaks for.
    """

    signal: str
    unit: str
    times_s: Floats
    values: Floats
    gaps: Bools
    breaks: Bools
    period_s: float
    max_age_s: float
    low: float | None
    high: float | None
    repairs: Repairs

    def __len__(self) -> int:
        return int(self.times_s.size)

    @cached_property
    def intervals_s(self) -> Floats:
        """Seconds from each reading to the next, gaps included."""
        return np.diff(self.times_s)

    @cached_property
    def weights_s(self) -> Floats:
        """Seconds each reading stands for under the trapezoid rule; breaks count nothing."""
        covered = np.where(self.breaks, 0.0, self.intervals_s)
        weights = np.zeros(len(self))
        weights[:-1] += covered / 2
        weights[1:] += covered / 2
        return weights

    @property
    def covered_s(self) -> float:
        """Seconds between readings that are not breaks."""
        return float(self.weights_s.sum())

    def integral(self) -> float:
        """Integrate the values over time by the trapezoid rule, breaks left out (unit x s)."""
        return float(self.weights_s @ self.values)

    def at(self, moments_s: Floats, place: NDArray[np.intp] | None = None) -> Floats:
        """Return the last reading at each moment (ascending), NaN where it is too old or there is none.

        `place` is the index of that reading (-1: none) where the caller knows it already.
        """
        if not len(self):
            return np.full(moments_s.size, np.nan)
        if place is None:
            place = np.searchsorted(self.times_s, moments_s, side="right") - 1
        held = self.values[np.maximum(place, 0)]
        # Only a reading before a gap, or the last one, can be too old.
        doubtful = np.append(self.gaps, True)[place] | (place < 0)
        if doubtful.any():
            age = moments_s[doubtful] - self.times_s[place[doubtful]]
            held[doubtful] = np.where((place[doubtful] < 0) | (age > self.max_age_s), np.nan, held[doubtful])
        return held


def track_of(series: SignalSeries, recorded: Sequence[Gap] = ()) -> Track:
    """Clean a series and find its gaps; `recorded` are gaps the recorder noted: (start_s, end_s, reason)."""
    times_s, values, repairs = in_order(series.times_s, series.values)
    return _track(series, times_s, values, repairs, recorded)


def retimed(track: Track, keep: Bools, recorded: Sequence[Gap] = ()) -> Track:
    """Return a track with only the readings to keep; its rate and gaps follow from them."""
    left_out = int(keep.size - np.count_nonzero(keep))
    return _track(
        track, track.times_s[keep], track.values[keep], replace(track.repairs, repeated=left_out), recorded
    )


def _track(
    series: SignalSeries | Track, times_s: Floats, values: Floats, repairs: Repairs, recorded: Sequence[Gap]
) -> Track:
    """Find rate, gaps and breaks of ordered readings."""
    intervals = np.diff(times_s)
    period = float(np.median(intervals)) if intervals.size else float("nan")
    limit = max(GAP_PERIODS * period, SHORTEST_GAP_S) if intervals.size else SHORTEST_GAP_S
    gaps = _gaps(intervals, limit)
    breaks = gaps & (intervals > BRIDGED_S)
    for start_s, end_s, _ in recorded:
        breaks |= (times_s[:-1] < end_s) & (times_s[1:] > start_s)
    return Track(
        signal=series.signal,
        unit=series.unit,
        times_s=times_s,
        values=values,
        gaps=gaps | breaks,
        breaks=breaks,
        period_s=period,
        max_age_s=limit,
        low=series.low,
        high=series.high,
        repairs=repairs,
    )


def _gaps(intervals_s: Floats, limit_s: float) -> Bools:
    """Mark intervals over the limit, unless the readings around come as slowly (the rate changed)."""
    gaps = intervals_s > limit_s
    candidates = np.flatnonzero(gaps)
    if not candidates.size or intervals_s.size < 2 * _NEIGHBOURS + 1:
        return gaps
    window = 2 * _NEIGHBOURS + 1
    first = np.clip(candidates - _NEIGHBOURS, 0, intervals_s.size - window)
    local = np.median(intervals_s[first[:, None] + np.arange(window)], axis=1)
    gaps[candidates] = intervals_s[candidates] > np.maximum(GAP_PERIODS * local, limit_s)
    return gaps


def runs(where: Bools) -> NDArray[np.intp]:
    """Return the stretches of True as rows (first index, index after the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], where, [False]))))
    return edges.reshape(-1, 2)
