"""The one notion of time: cleaned series, their gaps, and their alignment to a common grid.

`Track` is one signal in strictly increasing time that knows where its gaps are; `Timeline` holds the tracks
of a window and a regular grid of moments. A value on the grid is the last reading, as long as it is not older
than the signal's own rate allows; beyond that it is NaN. Nothing is interpolated or held across a gap.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.ordering import Repairs, in_order
from analysis.table import Floats, SignalSeries, SignalTable

Bools = NDArray[np.bool_]
Gap = tuple[float, float, str]

GAP_PERIODS = 3.0
"""An interval this many times the usual one is a gap (and at least SHORTEST_GAP_S)."""
SHORTEST_GAP_S = 1.0
_NEIGHBOURS = 5
_FINEST_S = 0.1
_MOST_MOMENTS = 400_000


@dataclass(frozen=True)
class Track:
    """One signal's finite readings in strictly increasing time.

    `gaps` marks the intervals between neighbouring readings that are gaps (one fewer than readings);
    `period_s` is the median interval (NaN below two readings), `max_age_s` how long a reading speaks for.
    """

    signal: str
    unit: str
    times_s: Floats
    values: Floats
    gaps: Bools
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
        """Seconds each reading stands for under the trapezoid rule; gaps count nothing."""
        covered = np.where(self.gaps, 0.0, self.intervals_s)
        weights = np.zeros(len(self))
        weights[:-1] += covered / 2
        weights[1:] += covered / 2
        return weights

    @property
    def covered_s(self) -> float:
        """Seconds between readings that are not gaps."""
        return float(self.weights_s.sum())

    def integral(self) -> float:
        """Integrate the values over time by the trapezoid rule, gaps left out (unit x s)."""
        return float(self.weights_s @ self.values)

    def at(self, moments_s: Floats) -> Floats:
        """Return the last reading at each moment (ascending), NaN where it is too old or there is none."""
        if not len(self):
            return np.full(moments_s.size, np.nan)
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
    intervals = np.diff(times_s)
    period = float(np.median(intervals)) if intervals.size else float("nan")
    limit = max(GAP_PERIODS * period, SHORTEST_GAP_S) if intervals.size else SHORTEST_GAP_S
    gaps = _gaps(intervals, limit)
    for start_s, end_s, _ in recorded:
        gaps |= (times_s[:-1] < end_s) & (times_s[1:] > start_s)
    return Track(
        series.signal, series.unit, times_s, values, gaps, period, limit, series.low, series.high, repairs
    )


def _gaps(intervals_s: Floats, limit_s: float) -> Bools:
    """Mark intervals over the limit, unless the readings around come as slowly (the rate changed)."""
    gaps = intervals_s > limit_s
    candidates = np.flatnonzero(gaps)
    if not candidates.size or intervals_s.size < 2 * _NEIGHBOURS + 1:
        return gaps
    around = np.clip(candidates[:, None] + np.arange(-_NEIGHBOURS, _NEIGHBOURS + 1), 0, intervals_s.size - 1)
    local = np.median(intervals_s[around], axis=1)
    gaps[candidates] = intervals_s[candidates] > np.maximum(GAP_PERIODS * local, limit_s)
    return gaps


class Timeline(Mapping[str, Track]):
    """The tracks of a window by signal name, and their values on one regular grid of moments.

    `moments_s` (n) are the grid's times, `step_s` apart; each stands for the `step_s` seconds after it.
    """

    def __init__(
        self,
        table: SignalTable,
        *,
        gaps: Sequence[Gap] = (),
        start_s: float | None = None,
        end_s: float | None = None,
        step_s: float | None = None,
    ) -> None:
        window = table if start_s is None and end_s is None else table.between(start_s, end_s)
        self.recorded_gaps = tuple(gaps)
        self._tracks = {name: track_of(series, gaps) for name, series in window.items()}
        self._held: dict[str, Floats] = {}
        filled = [track for track in self._tracks.values() if len(track)]
        self.start_s = float(min((t.times_s[0] for t in filled), default=0.0))
        self.end_s = float(max((t.times_s[-1] for t in filled), default=0.0))
        self.step_s = step_s or self._natural_step()

    def __getitem__(self, name: str) -> Track:
        return self._tracks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tracks)

    def __len__(self) -> int:
        return len(self._tracks)

    def _natural_step(self) -> float:
        """Take the rate of the fastest signal, but no finer than 0.1 s and no more than 400 000 moments."""
        fastest = min((t.period_s for t in self._tracks.values() if len(t) > 2), default=1.0)
        return max(fastest, _FINEST_S, (self.end_s - self.start_s) / _MOST_MOMENTS)

    def has(self, *names: str, readings: int = 2) -> bool:
        """Say whether every named signal has at least so many readings."""
        return all(name in self._tracks and len(self._tracks[name]) >= readings for name in names)

    def first_of(self, *names: str) -> str | None:
        """Return the first of these signals that the session has, or None."""
        return next((name for name in names if self.has(name)), None)

    @cached_property
    def moments_s(self) -> Floats:
        """The moments of the grid, ascending, in seconds since session start."""
        count = max(1, round((self.end_s - self.start_s) / self.step_s))
        return self.start_s + self.step_s * np.arange(count, dtype=np.float64)

    def held(self, name: str) -> Floats:
        """Return a signal at every moment: its last reading, NaN where that is too old or there is none."""
        if name not in self._held:
            if name not in self._tracks:
                return np.full(self.moments_s.size, np.nan)
            held = self._tracks[name].at(self.moments_s)
            for start_s, end_s, _ in self.recorded_gaps:
                held[(self.moments_s > start_s) & (self.moments_s < end_s)] = np.nan
            held.setflags(write=False)
            self._held[name] = held
        return self._held[name]

    def age_s(self, name: str) -> Floats:
        """Return how old the value of a signal is at every moment, NaN where there is no value."""
        track = self._tracks[name]
        place = np.maximum(np.searchsorted(track.times_s, self.moments_s, side="right") - 1, 0)
        age = self.moments_s - track.times_s[place]
        return np.where(np.isnan(self.held(name)), np.nan, age)

    def place(self, times_s: Floats) -> NDArray[np.intp]:
        """Return the index of the moment each time falls to (the last moment not after it)."""
        place = np.floor((times_s - self.start_s) / self.step_s + 1e-6).astype(np.intp)
        return np.clip(place, 0, self.moments_s.size - 1)

    def seconds(self, where: Bools) -> float:
        """Return the seconds that the marked moments stand for."""
        return float(np.count_nonzero(where)) * self.step_s

    def total(self, per_second: Floats, where: Bools | None = None) -> float:
        """Sum a rate given per second on the grid over time, moments without a value left out (rate x s)."""
        known = np.isfinite(per_second) if where is None else np.isfinite(per_second) & where
        return float(per_second[known].sum()) * self.step_s


def runs(where: Bools) -> NDArray[np.intp]:
    """Return the stretches of True as rows (first index, index after the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], where, [False]))))
    return edges.reshape(-1, 2)
