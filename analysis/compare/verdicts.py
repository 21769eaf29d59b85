"""Turns compared rows into statements: effect, interval, adjusted significance and verdict."""

from dataclasses import dataclass
from math import inf

import numpy as np

from analysis.compare.confounders import explained_by
from analysis.compare.effects import Effect
from analysis.compare.limits import Rule
from analysis.compare.points import Matched
from analysis.correlations import benjamini_hochberg
from analysis.findings import Quantity, derived
from analysis.results.compare import Confounder, DifferenceVerdict, SignalDifference
from analysis.results.states import StateName

_SHIFT = "Hodges-Lehmann shift of 60 s block means at shared operating points; interval by block jackknife"
_DELTA = "share of matched pairs in which the session reads higher, less those in which it reads lower"


@dataclass(frozen=True)
class Row:
    """A compared signal before the adjustment for all the others."""

    signal: str
    unit: str
    state: StateName | None
    matched: Matched
    keys: tuple[str, ...]
    effect: Effect
    minimum: float
    rule: Rule


def judged(session: str, rows: list[Row], found: list[Confounder], level: float) -> list[SignalDifference]:
    """State every row, its p-value adjusted over all of them."""
    adjusted = benjamini_hochberg(np.array([row.effect.p_value for row in rows]))
    return [_stated(session, row, float(p), found, level) for row, p in zip(rows, adjusted, strict=True)]


def _stated(
    session: str, row: Row, p_adjusted: float, found: list[Confounder], level: float
) -> SignalDifference:
    from scipy.special import stdtrit

    quantile = float(stdtrit(max(row.effect.freedom, 1.0), 0.5 + level / 2))
    half = quantile * row.effect.shift_error
    verdict, reason = _verdict(row, half, p_adjusted, level)
    others = explained_by(row.signal, found)
    if verdict == "different" and others:
        reason += f"; may be explained by: {', '.join(others)}"
    matched = row.matched
    return SignalDifference(
        signal=row.signal,
        unit=row.unit,
        session=session,
        state=row.state,
        verdict=verdict,
        reason=reason,
        difference=_bounded(row.effect.shift, half, row.unit, _SHIFT, len(matched.session)),
        cliffs_delta=_bounded(
            row.effect.delta, quantile * row.effect.delta_error, "ratio", _DELTA, len(matched.session), 1.0
        ),
        minimum_effect=row.minimum,
        minimum_source=row.rule.source,
        p_value=row.effect.p_value,
        p_adjusted=p_adjusted,
        matched_on=["operating state", *row.keys],
        overlap_percent=100 * matched.overlap,
        points=matched.points,
        seconds=float(matched.session.seconds.sum()),
        reference_seconds=float(matched.reference.seconds.sum()),
        blocks=matched.session.block_count,
        reference_blocks=matched.reference.block_count,
    )


def _bounded(value: float, half: float, unit: str, method: str, samples: int, most: float = inf) -> Quantity:
    """State a value with its interval, cut off where the quantity cannot go."""
    low, high = max(-most, value - half), min(most, value + half)
    return derived(value, unit, method, low=low, high=high, samples=samples)


def _verdict(row: Row, half: float, p_adjusted: float, level: float) -> tuple[DifferenceVerdict, str]:
    """Judge: different only if significant, beyond zero by its interval, and large enough to matter."""
    shift, least = row.effect.shift, row.minimum
    size = f"{shift:+.3g} {row.unit} (±{half:.2g}), {least:.3g} would matter"
    beyond = abs(shift) > half
    if p_adjusted < 1 - level and beyond and abs(shift) >= least:
        return "different", f"{size}; p = {p_adjusted:.3f} after adjustment"
    if max(abs(shift - half), abs(shift + half)) < least:
        return "no relevant difference", f"{size}: the whole interval is smaller"
    if abs(shift) < least and half < inf and half <= 2 * least:
        return "no relevant difference", f"{size}: smaller, though the interval does not exclude more"
    return "cannot tell", f"{size}; p = {p_adjusted:.3f} after adjustment"
