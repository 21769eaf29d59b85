"""Median maps over one or two signals, read by interpolation, silent where nothing was learned."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.results.anomalies import ContextMap
from analysis.table import Floats

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


def cells(keys: Sequence[Floats], edges: Sequence[Floats]) -> NDArray[np.intp]:
    """Return the cell each moment falls into, flattened over the keys; -1 outside or where a key is unknown."""
    place = np.zeros(keys[0].size, dtype=np.intp)
    outside = np.zeros(keys[0].size, dtype=bool)
    for key, edge in zip(keys, edges, strict=True):
        index = np.searchsorted(edge, key, side="right") - 1
        outside |= ~np.isfinite(key) | (index < 0) | (index >= edge.size - 1)
        place = place * (edge.size - 1) + np.clip(index, 0, edge.size - 2)
    place[outside] = -1
    return place


def learn_map(names: Sequence[str], keys: Sequence[Floats], values: Floats, step_s: float) -> ContextMap:
    """Learn the median of values per cell of the keys; no keys means one median over everything."""
    edges = [GRIDS[name] for name in names]
    shape = [edge.size - 1 for edge in edges]
    known = np.isfinite(values)
    place = cells([key[known] for key in keys], edges) if names else np.zeros(int(known.sum()), dtype=np.intp)
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


def read_map(learned: ContextMap, keys: Sequence[Floats], size: int) -> Floats:
    """Return what a map expects at every moment, interpolated between cell centres, NaN where it is silent."""
    medians = np.array([[np.nan if v is None else v for v in row] for row in learned.medians])
    if not learned.keys:
        return np.full(size, medians[0, 0])
    edges = [np.asarray(edge) for edge in learned.edges]
    own = cells(keys, edges)
    flat = medians.reshape(-1)
    inside = (own >= 0) & np.isfinite(flat[own])
    return np.where(inside, _interpolated(medians, keys, edges), np.nan)


def _interpolated(medians: Floats, keys: Sequence[Floats], edges: Sequence[Floats]) -> Floats:
    """Weight the cells around each moment by nearness to their centres, cells without a median left out."""
    shape = [edge.size - 1 for edge in edges]
    corners = [_neighbours(key, edge) for key, edge in zip(keys, edges, strict=True)]
    total, weight = np.zeros(keys[0].size), np.zeros(keys[0].size)
    flat = medians.reshape(-1)
    for choice in range(2 ** len(keys)):
        place = np.zeros(keys[0].size, dtype=np.intp)
        share = np.ones(keys[0].size)
        for axis, (lower, towards) in enumerate(corners):
            upper = bool(choice >> axis & 1)
            place = place * shape[axis] + np.clip(lower + upper, 0, shape[axis] - 1)
            share = share * (towards if upper else 1 - towards)
        level = flat[place]
        known = np.isfinite(level)
        total += np.where(known, share * level, 0.0)
        weight += np.where(known, share, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 1e-6, total / weight, np.nan)


def _neighbours(key: Floats, edge: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Return the cell whose centre lies below each value, and how far towards the next centre the value is."""
    centres = (edge[:-1] + edge[1:]) / 2
    filled = np.where(np.isfinite(key), key, centres[0])
    lower = np.clip(np.searchsorted(centres, filled, side="right") - 1, 0, max(centres.size - 2, 0))
    towards = (filled - centres[lower]) / (centres[lower + 1] - centres[lower])
    return lower, np.clip(towards, 0.0, 1.0)
