"""Readings as they were taken: some logs repeat a value over several rows until it is read again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.quality.stuck import RESTLESS
from analysis.table import Floats
from analysis.timeline import Timeline
from analysis.tracks import Track

_FEWEST_CHANGES = 30
_SOONER = 0.05


@dataclass(frozen=True)
class Readings:
    """Stretches of one value in a track: index of the first row, of the last, and the value of each.

    `rows` is how many rows a reading lasts at least; a stretch shorter than twice that is a single reading.
    """

    first: NDArray[np.intp]
    last: NDArray[np.intp]
    values: Floats
    rows: int

    @property
    def single(self) -> NDArray[np.bool_]:
        """Which stretches are one reading only."""
        return self.last - self.first + 1 < 2 * self.rows


def readings_of(track: Track, rows: int) -> Readings:
    """Cut a track where its value changes."""
    first = np.concatenate(([0], np.flatnonzero(np.diff(track.values) != 0) + 1))
    last = np.append(first[1:] - 1, len(track) - 1)
    return Readings(first, last, track.values[first], rows)


def rows_held(timeline: Timeline) -> dict[float, int]:
    """Return, per interval between rows, how many rows a reading lasts at least, where that is more than one.

    Told from signals that never rest while an engine works: hardly any of their changes come sooner. Tracks of
    another rate are taken to be read anew in every row.
    """
    apart: dict[float, list[NDArray[np.intp]]] = {}
    for name in RESTLESS:
        if timeline.has(name):
            changes = np.flatnonzero(np.diff(timeline[name].values) != 0)
            apart.setdefault(round(timeline[name].period_s, 3), []).append(np.diff(changes))
    held = {}
    for period_s, several in apart.items():
        rows = np.concatenate(several)
        sooner = np.cumsum(np.bincount(rows)) if rows.size >= _FEWEST_CHANGES else np.zeros(0)
        least = int(np.searchsorted(sooner, _SOONER * rows.size, side="right"))
        if least > 1:
            held[period_s] = least
    return held
