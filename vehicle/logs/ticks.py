"""Times for rows whose only clock ticks in whole seconds and is read less often than rows are written.

Such a logger writes its rows at a steady period p, and stops now and then. Where the clock shows a new second
k in row i, that row was written between k and k + 1 + p seconds: the second lasts 1 s and the row may be up to
one period younger than its clock. So k - p*i stays within a band as wide as 1 + p while the logger runs, leaves
it upwards where the logger paused, and downwards where it wrote held-back rows faster. p is fitted to the
intervals without a pause, then to the stretches between pauses.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

FEWEST_TICKS = 3
_ROUNDS = 8


class Placed(NamedTuple):
    """Rows on a line of time that begins with the first row."""

    times_s: Floats
    period_s: float
    error_s: float  # half the width of the band: how far off a row may be
    pauses: list[tuple[int, float]]  # row after the pause, extra seconds
    rushes: list[int]  # rows from where some came faster than the period
    restarts: list[int]  # rows where the clock starts again
    before_first: int  # rows before the first tick
    after_last: int  # rows since the last one
    rows_per_tick: int  # usual number of rows that show the same second


def place_rows(clock_s: Floats) -> Placed | None:
    """Return times for every row from its clock in whole seconds (NaN where not read); None without ticks."""
    clock_s = _filled(clock_s)
    restarts = [int(row) for row in np.flatnonzero(np.diff(clock_s) < 0) + 1]
    spans = list(pairwise([0, *restarts, len(clock_s)]))
    parts = [_ticks(clock_s, begin, end) for begin, end in spans]
    if sum(len(rows) for rows, _ in parts) < FEWEST_TICKS + len(parts):
        return None
    period = _period(parts)
    times = np.empty(len(clock_s))
    steps: list[tuple[int, float]] = []
    free = 0.0  # the earliest time the next row can have
    for (begin, end), (rows, seconds) in zip(spans, parts, strict=True):
        shifts = _shifts(rows, seconds, period)
        steps += [(row, after - before) for (_, before), (row, after) in pairwise(shifts)]
        times[begin:end] = _on_line(begin, end, shifts, period) + free
        free = float(times[end - 1]) + period
    ticks = np.concatenate([rows for rows, _ in parts])
    pauses = [(row, step) for row, step in steps if step > 0]
    rushes = [row for row, step in steps if step <= 0]
    return Placed(
        times,
        period,
        (1 + period) / 2,
        pauses,
        rushes,
        restarts,
        int(ticks[0]),
        len(clock_s) - 1 - int(ticks[-1]),
        int(np.median(np.diff(ticks))),
    )


def _filled(clock_s: Floats) -> Floats:
    known = np.flatnonzero(np.isfinite(clock_s))
    if not len(known):
        return np.zeros(len(clock_s))
    last = known[np.maximum(np.searchsorted(known, np.arange(len(clock_s)), side="right") - 1, 0)]
    return np.asarray(clock_s[last])


def _ticks(clock_s: Floats, begin: int, end: int) -> tuple[Ints, Floats]:
    rows = np.flatnonzero(np.diff(clock_s[begin:end]) > 0) + 1 + begin
    return rows.astype(np.int64), clock_s[rows]


def _period(parts: list[tuple[Ints, Floats]]) -> float:
    """Fit the one row period of all stretches; each round cuts by the period of the round before."""
    period = _first_guess(parts)
    for _ in range(_ROUNDS):
        covariance = variance = 0.0
        for rows, seconds in parts:
            for stretch in _stretches(rows, seconds, period):
                along = rows[stretch] - rows[stretch].mean()
                covariance += float(along @ seconds[stretch])
                variance += float(along @ along)
        fitted = covariance / variance if variance else period
        if fitted <= 0 or abs(fitted - period) < 1e-9:
            break
        period = fitted
    return period


def _first_guess(parts: list[tuple[Ints, Floats]]) -> float:
    """Return the mean period over intervals that hold no pause of a second or more."""
    lasting = np.concatenate([np.diff(seconds) for _, seconds in parts])
    rows = np.concatenate([np.diff(rows) for rows, _ in parts])
    period = float(np.median(lasting / rows))
    for _ in range(_ROUNDS):
        steady = lasting - period * rows < 1
        if not steady.any():
            break
        period = float(lasting[steady].sum() / rows[steady].sum())
    return period


def _stretches(rows: Ints, seconds: Floats, period: float) -> list[slice]:
    """Cut ticks where they leave the band."""
    found: list[slice] = []
    deviation = seconds - period * rows
    begin, low, high = 0, np.inf, -np.inf
    for index, here in enumerate(deviation.tolist()):
        low, high = min(low, here), max(high, here)
        if high - low > 1 + period:
            found.append(slice(begin, index))
            begin, low, high = index, here, here
    return [*found, slice(begin, len(rows))]


def _shifts(rows: Ints, seconds: Floats, period: float) -> list[tuple[int, float]]:
    """Return for each stretch its first row and the middle of its band."""
    deviation = seconds - period * rows
    return [
        (int(rows[stretch.start]), float(deviation[stretch].min() + deviation[stretch].max()) / 2)
        for stretch in _stretches(rows, seconds, period)
        if stretch.stop > stretch.start
    ]


def _on_line(begin: int, end: int, shifts: list[tuple[int, float]], period: float) -> Floats:
    index = np.arange(begin, end)
    if not shifts:
        return np.asarray((index - begin) * period)
    firsts = np.array([row for row, _ in shifts])
    middles = np.array([shift for _, shift in shifts])
    stretch = np.maximum(np.searchsorted(firsts, index, side="right") - 1, 0)
    times = index * period + middles[stretch]
    for first in firsts - begin:  # rows that came faster run at half the period until they have caught up
        while 0 < first < len(times) and times[first] < times[first - 1] + period / 2:
            times[first] = times[first - 1] + period / 2
            first += 1
    return np.asarray(times - times[0])
