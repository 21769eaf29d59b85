"""Which cell of a row was really read, where a logger asks for one parameter per row, in turn.

A row repeats the last value of every parameter but one. A changed cell was surely read in its row. Between two
changed cells whose places in the turn agree, every row's read cell follows from the turn; where they disagree,
requests were skipped in between, and only the changed cells are known to have been read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_AGREEING = 0.9
MOST_WITH_SEVERAL_CHANGES = 0.01


class Fresh(NamedTuple):
    """Which cells were read; `unsettled` marks rows of which it is not known what was read."""

    cells: NDArray[np.bool_]
    unsettled: NDArray[np.bool_]


def changed_cells(values: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which cells differ from the row above; `before` is the row above the first."""
    above = np.vstack((before[np.newaxis, :], values[:-1]))
    return np.asarray((values != above) & ~(np.isnan(values) & np.isnan(above)))


def turns(changed: NDArray[np.bool_], first_row: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows with exactly one changed cell, and where each stands in the turn (0 .. columns-1)."""
    rows = np.flatnonzero(changed.sum(axis=1) == 1)
    columns = changed[rows].argmax(axis=1)
    return rows, (columns - rows - first_row) % changed.shape[1]


def is_rotation(values: NDArray[np.float64]) -> bool:
    """Tell whether rows look like one request per row, in the order of the columns."""
    if len(values) < 2 or values.shape[1] < 2:
        return False
    changed = changed_cells(values[1:], values[0])
    rows, places = turns(changed, 1)
    several = (changed.sum(axis=1) > 1).mean()
    if len(rows) <= values.shape[1] or several > MOST_WITH_SEVERAL_CHANGES:
        return False
    return bool((np.diff(places) == 0).mean() >= FEWEST_AGREEING)


class Rotation:
    """Follows the turn through a log that comes in pieces."""

    def __init__(self, columns: int) -> None:
        self._row = 0
        self._before = np.full(columns, np.nan)
        self._place: int | None = None

    def fresh(self, values: NDArray[np.float64], *, last: bool) -> tuple[Fresh, int]:
        """Return what was read in the first rows, and how many rows that settles."""
        changed = changed_cells(values, self._before)
        if self._row == 0 and changed[0].sum() > 1:
            changed[0] = False  # what the first row repeats was read before the log began
        rows, places = turns(changed, self._row)
        settled = len(values) if last or not len(rows) else int(rows[-1]) + 1
        place = self._places(rows, places, settled)
        cells = changed[:settled].copy()
        known = np.flatnonzero(place >= 0)
        cells[known, (place[known] + known + self._row) % values.shape[1]] = True
        cells &= ~np.isnan(values[:settled])
        self._row += settled
        self._before = values[settled - 1]
        self._place = int(places[-1]) if len(places) else self._place
        return Fresh(cells, (place < 0) & ~changed[:settled].any(axis=1)), settled

    def _places(self, rows: NDArray[np.intp], places: NDArray[np.intp], settled: int) -> NDArray[np.intp]:
        """Return each row's place in the turn, -1 where the changes around it disagree."""
        start = self._place if self._place is not None else (int(places[0]) if len(places) else -1)
        at = np.concatenate(([-1], rows))
        known = np.concatenate(([start], places))
        index = np.arange(settled)
        before = np.searchsorted(at, index, side="right") - 1
        after = np.minimum(np.searchsorted(at, index, side="left"), len(at) - 1)
        return np.where(known[before] == known[after], known[before], -1)
