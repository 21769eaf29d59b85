"""Puts a series into strictly increasing time and counts what had to be repaired on the way."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.table import Floats

# A block of readings after a step back is told from late arrivals by how many readings already hold its time.
_CLAIMED = 3
_EXAMINED = 200


@dataclass(frozen=True, slots=True)
class Repairs:
    """What was wrong with the order of a series; `steps` holds (time before, size in s) of clock steps."""

    missing: int = 0
    duplicates: int = 0
    backward: int = 0
    unplaced: int = 0
    repeated: int = 0
    steps: tuple[tuple[float, float], ...] = ()


def in_order(times_s: Floats, values: Floats) -> tuple[Floats, Floats, Repairs]:
    """Return finite readings in strictly increasing time, and what was repaired.

    Late arrivals are sorted in. Where the clock stepped back over time that already has readings, the later
    readings are left out: both cannot be right. Of readings at one time the last is kept.
    """
    finite = np.isfinite(times_s) & np.isfinite(values)
    missing = int(times_s.size - np.count_nonzero(finite))
    if missing:
        times_s, values = times_s[finite], values[finite]
    forward = np.diff(times_s)
    if not forward.size or forward.min() > 0:
        return times_s, values, Repairs(missing=missing)
    backward = int(np.count_nonzero(forward < 0))
    steps, unplaced = _clock_steps(times_s, values, np.flatnonzero(forward < 0) + 1)
    if unplaced.any():
        times_s, values = times_s[~unplaced], values[~unplaced]
    order = np.argsort(times_s, kind="stable")
    times_s, values = times_s[order], values[order]
    last = np.append(np.diff(times_s) > 0, True)
    repairs = Repairs(
        missing=missing,
        duplicates=int(last.size - np.count_nonzero(last)),
        backward=backward,
        unplaced=int(np.count_nonzero(unplaced)),
        steps=steps,
    )
    return times_s[last], values[last], repairs


def _clock_steps(
    times_s: Floats, values: Floats, places: NDArray[np.intp]
) -> tuple[tuple[tuple[float, float], ...], NDArray[np.bool_]]:
    """Tell clock steps among the steps back at `places`, and which readings they leave without a place."""
    unplaced = np.zeros(times_s.size, dtype=bool)
    steps: list[tuple[float, float]] = []
    reached = np.maximum.accumulate(times_s)
    period = float(np.median(np.diff(np.unique(times_s)))) if times_s[0] != times_s[-1] else 0.0
    for place in places[:_EXAMINED]:
        if unplaced[place]:
            continue
        passed = np.flatnonzero(times_s[place:] > reached[place - 1])
        end = place + int(passed[0]) if passed.size else times_s.size
        if _claims_taken_time(times_s, values, int(place), end, period):
            unplaced[place:end] = True
            steps.append((float(times_s[place - 1]), float(times_s[place] - times_s[place - 1])))
    return tuple(steps), unplaced


def _claims_taken_time(times_s: Floats, values: Floats, place: int, end: int, period_s: float) -> bool:
    """Say whether the readings from `place` to `end` run through time that earlier readings already hold.

    Late arrivals fill time that is still empty, and a part delivered twice repeats its values: no steps.
    """
    block = times_s[place:end]
    intervals = np.diff(block)
    if block.size < _CLAIMED or intervals.min() < 0 or np.median(intervals) > 2 * period_s:
        return False
    taken = (times_s[:place] >= block[0]) & (times_s[:place] <= block[-1])
    if 2 * np.count_nonzero(taken) < block.size:
        return False
    _, here, there = np.intersect1d(block, times_s[:place], return_indices=True)
    same = np.count_nonzero(values[place:end][here] == values[:place][there])
    return bool(2 * same < block.size or here.size == 0)
