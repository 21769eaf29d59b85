"""Median maps over one or two signals, read by interpolation, silent where nothing was learned."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.results.anomalies import ContextMap
from analysis.table import Floats
from analysis.timeline import Timeline

GRIDS: dict[str, Floats] = {
    "rpm": np.array(
        [400, 700, 850, 1000, 1250, 1500, 1750, 2000, 2300, 2600, 3000, 3500, 4000, 5000, 6000, 8000.0]
    ),
    "intake_pressure": np.arange(10, 300, 6.0),
    "engine_load": np.arange(0, 106, 6.0),
    "throttle_pos": np.concatenate((np.arange(0, 40, 2.5), np.arange(40, 105, 10.0))),
    "accelerator_pos_d": np.arange(0, 105, 5.0),
    "speed": np.array([0, 5, 20, 40, 60, 80, 100, 120, 140, 180, 250.0]),
}
"""The edges of the cells of each key; own choice, fine enough that a cell hardly changes within."""
FEWEST_S = 5.0
FEWEST = 8
_LARGEST_CELL = 4000


@dataclass(frozen=True, slots=True)
class Located:
    """Where each value of a key lies: its cell (-1: in none), the centre below it, how far towards the next."""

    cell: NDArray[np.intp]
    lower: NDArray[np.intp]
    towards: Floats


def locate(key: Floats, edges: Floats) -> Located:
    """Find the cell of each value of a key; values at the last edge or beyond lie in none."""
    count = edges.size - 1
    index = np.searchsorted(edges, key, side="right") - 1
    inside = (index >= 0) & (index < count)
    index = np.where(inside, index, 0)
    centres = (edges[:-1] + edges[1:]) / 2
    filled = np.where(inside, key, centres[0])
    lower = np.clip(index - (filled < centres[index]), 0, max(count - 2, 0))
    towards = np.clip((filled - centres[lower]) / (centres[lower + 1] - centres[lower]), 0.0, 1.0)
    return Located(np.where(inside, index, -1), lower, towards)


def cells(located: Sequence[Located], shape: Sequence[int]) -> NDArray[np.intp]:
    """Return the cell each moment falls into, flattened over the keys; -1 outside or where a key is unknown."""
    place = np.zeros(located[0].cell.size, dtype=np.intp)
    outside = np.zeros(place.size, dtype=bool)
    for one, count in zip(located, shape, strict=True):
        outside |= one.cell < 0
        place = place * count + one.cell
    place[outside] = -1
    return place


def learn_map(names: Sequence[str], keys: Sequence[Floats], values: Floats, step_s: float) -> ContextMap:
    """Learn the median of values per cell of the keys; no keys means one median over everything."""
    edges = [GRIDS[name] for name in names]
    shape = [edge.size - 1 for edge in edges]
    known = np.isfinite(values)
    located = [locate(key[known], edge) for key, edge in zip(keys, edges, strict=True)]
    place = cells(located, shape) if names else np.zeros(int(known.sum()), dtype=np.intp)
    medians = _medians(place, values[known], int(np.prod(shape)) if names else 1, step_s)
    return ContextMap(
        keys=list(names),
        edges=[[float(value) for value in edge] for edge in edges],
        medians=_rows(medians.reshape(shape) if names else medians),
    )


def _medians(place: NDArray[np.intp], values: Floats, count: int, step_s: float) -> Floats:
    """Return the median of the values in each cell, NaN where too few fall in."""
    order = np.argsort(place, kind="stable")
    cuts = np.searchsorted(place[order], np.arange(count + 1))
    medians = np.full(count, np.nan)
    fewest = max(FEWEST, FEWEST_S / step_s)
    for cell in np.flatnonzero(np.diff(cuts) >= fewest):
        chosen = order[cuts[cell] : cuts[cell + 1]]
        # Evenly thinned: the median of 4000 readings is as good as that of 100 000.
        medians[cell] = np.median(values[chosen[:: -(-chosen.size // _LARGEST_CELL)]])
    return medians


def _rows(medians: Floats) -> list[list[float | None]]:
    table = np.atleast_2d(medians)
    return [[None if np.isnan(value) else float(value) for value in row] for row in table]


class MapReader:
    """Reads maps at the moments of a timeline; what several maps share a key for is looked up once."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._located: dict[tuple[str, tuple[float, ...]], Located] = {}

    def read(self, learned: ContextMap) -> Floats:
        """Return what a map expects at every moment, NaN where it is silent."""
        located = [self._locate(name, edge) for name, edge in zip(learned.keys, learned.edges, strict=True)]
        return _read(learned, located, self._timeline.moments_s.size)

    def _locate(self, name: str, edges: Sequence[float]) -> Located:
        known = (name, tuple(edges))
        if known not in self._located:
            self._located[known] = locate(self._timeline.held(name), np.asarray(edges))
        return self._located[known]


def read_map(learned: ContextMap, keys: Sequence[Floats], size: int) -> Floats:
    """Return what a map expects for keys of `size` values, NaN where it is silent."""
    located = [locate(key, np.asarray(edge)) for key, edge in zip(keys, learned.edges, strict=True)]
    return _read(learned, located, size)


def _read(learned: ContextMap, located: Sequence[Located], size: int) -> Floats:
    """Interpolate between cell centres, silent outside the cells something was learned in."""
    medians = np.array([[np.nan if v is None else v for v in row] for row in learned.medians])
    if not located:
        return np.full(size, medians[0, 0])
    shape = [len(edge) - 1 for edge in learned.edges]
    flat = medians.reshape(-1)
    own = cells(located, shape)
    where = np.flatnonzero((own >= 0) & np.isfinite(flat[own]))
    expected = np.full(size, np.nan)
    near = [Located(one.cell, one.lower[where], one.towards[where]) for one in located]
    expected[where] = _interpolated(flat, near, shape)
    return expected


def _interpolated(flat: Floats, located: Sequence[Located], shape: Sequence[int]) -> Floats:
    """Weight the cells around each moment by nearness to their centres, cells without a median left out."""
    level, known = np.nan_to_num(flat), np.isfinite(flat).astype(np.float64)
    size = located[0].lower.size
    total, weight = np.zeros(size), np.zeros(size)
    for choice in range(2 ** len(located)):
        place: NDArray[np.intp] | int = 0
        share: Floats | float = 1.0
        for axis, one in enumerate(located):
            upper = choice >> axis & 1
            place = place * shape[axis] + one.lower + upper
            share = share * (one.towards if upper else 1 - one.towards)
        total += share * level[place]
        weight += share * known[place]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 1e-6, total / weight, np.nan)
