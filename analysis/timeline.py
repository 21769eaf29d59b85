"""The one notion of time of a session: its tracks, and their alignment to a common grid of moments.

A value on the grid is the last reading, as long as it is not older than the signal's own rate allows; beyond that
it is NaN. Nothing is interpolated, and nothing is held across a gap.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.held_rows import really_read, rows_per_reading
from analysis.table import Floats, SignalTable
from analysis.tracks import Bools, Gap, Track, runs, track_of

__all__ = ["Bools", "Floats", "Gap", "Timeline", "Track", "runs"]

_FINEST_S = 0.1
_ROUNDING_S = 1e-6
"""Times are good to a microsecond: a reading this much after a moment is at it, wherever the clock began."""
_SHORTEST_PERIOD_S = 0.0005
_MOST_MOMENTS = 400_000


class Timeline(Mapping[str, Track]):
    """The tracks of a window by signal name, and their values on one regular grid of moments.

    `moments_s` (n) are the grid's times, `step_s` apart; each stands for the `step_s` seconds after it.
    `rows_per_reading` is set for logs whose rows repeat older values: only what was really read is kept.
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
        self.rows_per_reading = rows_per_reading(self._tracks)
        if self.rows_per_reading:
            self._tracks = {n: really_read(t, self.rows_per_reading, gaps) for n, t in self._tracks.items()}
        self._held: dict[str, Floats] = {}
        self._shared: tuple[Floats | None, NDArray[np.intp]] = (None, np.zeros(0, dtype=np.intp))
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
        return round(max(fastest, _FINEST_S, (self.end_s - self.start_s) / _MOST_MOMENTS), 6)

    @cached_property
    def untimed(self) -> str | None:
        """Say so if times only number the readings, as for logs without a clock; else None."""
        periods = [track.period_s for track in self._tracks.values() if len(track) > 2]
        if not periods or max(periods) >= _SHORTEST_PERIOD_S:
            return None
        return "the times of this session only number its readings and mean no duration"

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
            held = self._tracks[name].at(self.moments_s, self._places(self._tracks[name].times_s))
            for start_s, end_s, _ in self.recorded_gaps:
                held[(self.moments_s > start_s) & (self.moments_s < end_s)] = np.nan
            held.setflags(write=False)
            self._held[name] = held
        return self._held[name]

    def _places(self, times_s: Floats) -> NDArray[np.intp]:
        """Return the last of these times at or before each moment (-1: none); signals often share their times."""
        known, places = self._shared
        if known is None or not np.array_equal(known, times_s):
            places = np.searchsorted(times_s, self.moments_s + _ROUNDING_S, side="right") - 1
            self._shared = (times_s, places)
        return places

    def age_s(self, name: str) -> Floats:
        """Return how old the value of a signal is at every moment, NaN where there is no value."""
        track = self._tracks[name]
        place = np.maximum(self._places(track.times_s), 0)
        age = np.maximum(self.moments_s - track.times_s[place], 0.0)
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
