"""The size of a difference between matched cells: shift, Cliff's delta, intervals, permutation."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from analysis.compare.points import Cells, Matched
from analysis.table import Floats

PERMUTATIONS = 499
_MOST_GROUPS = 16
_MOST_CORRELATION = 0.6
_MOST_PAIRS = 60_000
_STEP_SHARE = 6**-0.5  # standard deviation of the difference of two values rounded to one step


@dataclass(frozen=True, slots=True)
class Effect:
    """Shift in the signal's unit and Cliff's delta, each with standard error; p by permutation."""

    shift: float
    shift_error: float
    delta: float
    delta_error: float
    freedom: float
    p_value: float


class Pairs:
    """All pairs of a reference cell and a session cell at the same point, sorted by their difference."""

    def __init__(self, matched: Matched) -> None:
        first, second = matched.reference, matched.session
        self.first, self.second = first, second
        points = np.unique(np.concatenate((first.points, second.points)))
        self._of_first = np.searchsorted(points, first.points)
        self._of_second = np.searchsorted(points, second.points)
        self._count = points.size
        i, k = np.nonzero(self._of_first[:, None] == self._of_second[None, :])
        if i.size > _MOST_PAIRS:
            thin = np.linspace(0, i.size - 1, _MOST_PAIRS).astype(np.intp)
            i, k = i[thin], k[thin]
        differences = second.means[k] - first.means[i]
        order = np.argsort(differences, kind="stable")
        self._i, self._k, self.differences = i[order], k[order], differences[order]

    def estimate(self, weights: tuple[Floats, Floats]) -> tuple[float, float]:
        """Return the weighted Hodges-Lehmann shift and Cliff's delta for these seconds per cell.

        A point weighs as much as the session that spent less time at it.
        """
        first, second = weights
        at_first = np.bincount(self._of_first, first, self._count)
        at_second = np.bincount(self._of_second, second, self._count)
        share = np.minimum(at_first, at_second) / np.maximum(at_first * at_second, 1e-12)
        pair = share[self._of_first[self._i]] * first[self._i] * second[self._k]
        reached = np.cumsum(pair)
        if not reached.size or reached[-1] <= 0:
            return 0.0, 0.0
        middle = np.searchsorted(reached, [0.5 * reached[-1] * (1 - 1e-9), 0.5 * reached[-1] * (1 + 1e-9)])
        shift = float(self.differences[np.minimum(middle, reached.size - 1)].mean())
        return shift, float(pair @ np.sign(self.differences) / reached[-1])


def effect(matched: Matched, rng: np.random.Generator, step: float = 0.0) -> Effect:
    """Return the effect of matched cells; standard errors by a block jackknife with first-order correlation.

    `step` is the resolution of the signal: a shift is never known better than rounding to it allows.
    """
    pairs = Pairs(matched)
    first, second = matched.reference, matched.session
    shift, delta = pairs.estimate((first.seconds, second.seconds))
    left = [_left_out(pairs, side) for side in (0, 1)]
    shift_error, freedom = _standard_error([part[:, 0] for part in left])
    shift_error = max(shift_error, step * _STEP_SHARE)
    delta_error, _ = _standard_error([part[:, 1] for part in left])
    return Effect(shift, shift_error, delta, delta_error, freedom, permutation_p(matched, rng))


def _left_out(pairs: Pairs, side: int) -> Floats:
    """Return the estimates with one group of neighbouring blocks of one session left out, in order of time."""
    cells = (pairs.first, pairs.second)[side]
    groups = _groups(cells)
    rows = []
    for group in np.unique(groups):
        weights = [pairs.first.seconds, pairs.second.seconds]
        weights[side] = np.where(groups == group, 0.0, cells.seconds)
        rows.append(pairs.estimate((weights[0], weights[1])))
    return np.array(rows)


def _groups(cells: Cells) -> NDArray[np.intp]:
    """Return the group of every cell: its block in order of time, neighbours together beyond sixteen."""
    blocks, place = np.unique(cells.blocks, return_inverse=True)
    return place if blocks.size <= _MOST_GROUPS else place * _MOST_GROUPS // blocks.size


def _standard_error(left: list[Floats]) -> tuple[float, float]:
    """Return the jackknife standard error over both sessions and its degrees of freedom (Welch).

    Neighbouring blocks go together: the variance grows by (1 + rho) / (1 - rho), rho corrected for its bias.
    """
    deviations = [part - part.mean() for part in left]
    squares = [float(part @ part) for part in deviations]
    variances = [(part.size - 1) / part.size * square for part, square in zip(left, squares, strict=True)]
    total = sum(variances)
    if total <= 0:
        return 0.0, float(sum(part.size for part in left) - 2)
    products = sum(float(part[1:] @ part[:-1]) for part in deviations)
    rho = products / sum(squares) + 2 / sum(part.size for part in left)
    rho = min(max(rho, 0.0), _MOST_CORRELATION)
    freedom = total**2 / sum(v**2 / (p.size - 1) for v, p in zip(variances, left, strict=True))
    return sqrt(total * (1 + rho) / (1 - rho)), freedom


def permutation_p(matched: Matched, rng: np.random.Generator) -> float:
    """Return the two-sided p of the mean matched difference under exchange of whole blocks between sessions."""
    seconds, sums = _per_block(matched)
    count, blocks = np.unique(matched.reference.blocks).size, seconds.shape[0]
    labels = np.zeros((PERMUTATIONS + 1, blocks))
    labels[0, count:] = 1.0
    labels[1:] = rng.permuted(np.tile(labels[0], (PERMUTATIONS, 1)), axis=1)
    statistic = np.abs(_mean_differences(labels, seconds, sums))
    reached = np.count_nonzero(statistic[1:] >= statistic[0] * (1 - 1e-9))
    return float((1 + reached) / (PERMUTATIONS + 1))


def _per_block(matched: Matched) -> tuple[Floats, Floats]:
    """Return seconds and centred sums per block (rows, reference first) and point (columns)."""
    first, second = matched.reference, matched.session
    _, one = np.unique(first.blocks, return_inverse=True)
    _, two = np.unique(second.blocks, return_inverse=True)
    row = np.concatenate((one, two + int(one.max()) + 1))
    _, column = np.unique(np.concatenate((first.points, second.points)), return_inverse=True)
    weights = np.concatenate((first.seconds, second.seconds))
    means = np.concatenate((first.means, second.means))
    seconds = np.zeros((int(row.max()) + 1, int(column.max()) + 1))
    sums = np.zeros_like(seconds)
    seconds[row, column] = weights
    sums[row, column] = weights * (means - means.mean())
    return seconds, sums


def _mean_differences(labels: Floats, seconds: Floats, sums: Floats) -> Floats:
    """Return the matched mean difference for each row of labels (1: session, 0: reference) of the blocks."""
    time, total = labels @ seconds, labels @ sums
    rest_time, rest = seconds.sum(axis=0) - time, sums.sum(axis=0) - total
    both = (time > 0.5) & (rest_time > 0.5)
    difference = total / np.where(both, time, 1.0) - rest / np.where(both, rest_time, 1.0)
    weight = np.where(both, np.minimum(time, rest_time), 0.0)
    summed = (np.where(both, difference, 0.0) * weight).sum(axis=1)
    differences: Floats = summed / np.maximum(weight.sum(axis=1), 1e-9)
    return differences
