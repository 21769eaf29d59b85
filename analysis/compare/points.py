"""Operating points of a session and the cells of a signal: its mean per point and 60 s block."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.compare.limits import bins
from analysis.engine import Engine
from analysis.motion import speed_track
from analysis.states import STATE_NAMES, operating_states
from analysis.table import Floats, SignalTable
from analysis.timeline import Bools, Gap, Timeline

BLOCK_S = 60
LEAST_S = 6
"""A point counts where both sessions spent this long (12 readings at the 2 Hz of the sessions it was tried on)."""
_STEP_S = 1.0
_NOT_COMPARED = ("unknown", "off", "cranking", "cold start")
_BASE = 64


@dataclass(frozen=True)
class Cells:
    """Means of a signal per block and operating point, with the seconds each stands for."""

    blocks: NDArray[np.intp]
    points: NDArray[np.int64]
    means: Floats
    seconds: Floats

    def __len__(self) -> int:
        return int(self.means.size)

    def where(self, keep: Bools) -> "Cells":
        """Return some of the cells."""
        return Cells(self.blocks[keep], self.points[keep], self.means[keep], self.seconds[keep])

    @property
    def block_count(self) -> int:
        """Number of blocks with any cell."""
        return int(np.unique(self.blocks).size)


class Drive:
    """A session on a grid of one second, with its operating states."""

    def __init__(self, name: str, table: SignalTable, gaps: tuple[Gap, ...] = ()) -> None:
        self.name = name
        self.timeline = Timeline(table, gaps=gaps, step_s=_STEP_S)
        self.engine = Engine(self.timeline)
        self.states = operating_states(self.timeline, self.engine)
        never = [STATE_NAMES.index(state) for state in _NOT_COMPARED]
        self.compared = ~np.isin(self.states.codes, never)
        self.warmth_known = "warm" not in self.engine.why_not
        if self.warmth_known:
            self.compared &= self.engine.warm

    @property
    def speed(self) -> str | None:
        """The signal that stands for road speed."""
        track = speed_track(self.timeline)
        return track.signal if track else None

    def has(self, name: str) -> bool:
        """Say whether a signal was recorded well enough to be compared."""
        return self.timeline.has(name, readings=20)

    def cells(self, signal: str, keys: tuple[str, ...]) -> Cells:
        """Return the cells of a signal over operating points made of the state and of `keys`."""
        point = self.states.codes.astype(np.float64)
        for key in keys:
            point = point * _BASE + bins(key, self.timeline.held(key))
        values = self.timeline.held(signal)
        keep = self.compared & np.isfinite(values) & np.isfinite(point)
        block = np.arange(values.size) // round(BLOCK_S / _STEP_S)
        points, place = np.unique(point[keep].astype(np.int64), return_inverse=True)
        joint = block[keep] * max(points.size, 1) + place
        cell, inverse = np.unique(joint, return_inverse=True)
        seconds = np.bincount(inverse).astype(np.float64)
        means = np.bincount(inverse, values[keep]) / np.maximum(seconds, 1)
        return Cells(cell // max(points.size, 1), points[cell % max(points.size, 1)], means, seconds)


def state_of(points: NDArray[np.int64], keys: int) -> NDArray[np.int64]:
    """Return the operating state (a place in STATE_NAMES) that each point belongs to."""
    states: NDArray[np.int64] = points // _BASE**keys
    return states


@dataclass(frozen=True)
class Matched:
    """The cells of two sessions at the points both visited long enough."""

    reference: Cells
    session: Cells
    overlap: float

    @property
    def points(self) -> int:
        """Number of shared points."""
        return int(np.unique(self.reference.points).size)


def match(reference: Cells, session: Cells) -> Matched:
    """Keep the cells at points where both sessions spent LEAST_S or more."""
    shared = np.intersect1d(_visited(reference), _visited(session))
    first = reference.where(np.isin(reference.points, shared))
    second = session.where(np.isin(session.points, shared))
    shorter = min(reference.seconds.sum(), session.seconds.sum())
    both = min(first.seconds.sum(), second.seconds.sum())
    return Matched(first, second, float(both / shorter) if shorter > 0 else 0.0)


def _visited(cells: Cells) -> NDArray[np.int64]:
    points, place = np.unique(cells.points, return_inverse=True)
    return points[np.bincount(place, cells.seconds, points.size) >= LEAST_S]
