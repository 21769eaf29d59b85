"""Corrects a method by what was pumped at fill-ups."""

from collections.abc import Sequence
from math import hypot, sqrt

from analysis.fuel.estimate import Distance, Estimate, scaled
from analysis.results.fuel import Calibration, FillUp

PUMP_L = 1.0
"""How far two fillings to the click may differ (our judgement): one part of the interval."""
_RESIDUAL_PERCENT = 3.0
_LOWEST, _HIGHEST = 0.6, 1.6
_SESSION_SHARE = 0.8


def calibrated(
    estimate: Estimate, fill_ups: Sequence[FillUp], driven: Distance, confidence_level: float
) -> tuple[Estimate, list[str]]:
    """Return the estimate corrected by the fill-ups that speak for its method, and what to say about them.

    The factor is the sum of pumped litres over the sum of estimated litres of the same stretches.
    """
    pairs = [pair for fill in fill_ups if (pair := _pair(fill, estimate, driven)) is not None]
    if not pairs:
        return estimate, []
    pumped, estimated = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    factor = pumped / estimated
    if not _LOWEST <= factor <= _HIGHEST:
        said = f"the fill-ups say {factor:.2f} times what {estimate.flow.method} says"
        return estimate, [f"{said}: too far for a correction; check fuel type, displacement and the fill-ups"]
    half = hypot(
        scaled(_RESIDUAL_PERCENT, confidence_level),
        scaled(100 * sqrt(len(pairs)) * PUMP_L / pumped, confidence_level),
    )
    calibration = Calibration(
        factor=factor, low=factor * (1 - half), high=factor * (1 + half), fill_ups=len(pairs), pumped_l=pumped
    )
    return estimate.calibrated(calibration, min(half, estimate.relative)), []


def _pair(fill: FillUp, estimate: Estimate, driven: Distance) -> tuple[float, float] | None:
    """Return pumped and estimated litres of one stretch, None where the fill-up says nothing of the method."""
    if fill.estimated_l is not None:
        return (fill.litres, fill.estimated_l) if fill.method == estimate.flow.method else None
    volume = estimate.volume_l()
    if fill.distance_km is None or not volume or driven.missing or driven.km <= 0:
        return None
    share = driven.km / fill.distance_km
    return (fill.litres * share, volume) if _SESSION_SHARE <= share <= 1 / _SESSION_SHARE else None


def unused(fill_ups: Sequence[FillUp], driven: Distance) -> list[str]:
    """Say which fill-ups could not be used and what would make them so."""
    lost = [
        fill
        for fill in fill_ups
        if fill.estimated_l is None
        and (
            fill.distance_km is None
            or not _SESSION_SHARE <= driven.km / fill.distance_km <= 1 / _SESSION_SHARE
        )
    ]
    if not lost:
        return []
    why = "give estimated_l with its method, or distance_km within a fifth of this session's distance"
    return [f"{len(lost)} fill-up(s) not used for calibration: {why}"]
