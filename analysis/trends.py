"""Slow drifts of signals over a session: Theil-Sen on block medians, since raw samples are not independent."""

from math import sqrt

import numpy as np

from analysis.correlations import autocorrelations, benjamini_hochberg
from analysis.results.relations import Trend, Trends
from analysis.table import Floats
from analysis.timeline import Timeline
from analysis.tracks import Track

FEWEST_BLOCKS = 10
_MOST_BLOCKS = 40
_FEWEST_S = 60.0
_METHOD = (
    "Theil-Sen slope over medians of up to {most} blocks, no more than the signal has effective samples; "
    "Kendall's tau with ties; interval by Sen at {level:.0%}; Benjamini-Hochberg over all signals"
)


def trends(timeline: Timeline, *, confidence_level: float = 0.95) -> Trends:
    """Return the trend of every signal with at least ten independent blocks over a minute or more."""
    found: list[Trend] = []
    refused: dict[str, str] = {}
    if timeline.untimed:
        return Trends(method="none", signals=[], refused=dict.fromkeys(timeline, timeline.untimed))
    for name, track in timeline.items():
        blocks = _blocks(track)
        if isinstance(blocks, str):
            refused[name] = blocks
        else:
            found.append(_trend(name, track, *blocks, confidence_level))
    adjusted = benjamini_hochberg(np.array([trend.p_value for trend in found]))
    judged = [
        trend.model_copy(update={"p_adjusted": float(p), "significant": bool(p < 1 - confidence_level)})
        for trend, p in zip(found, adjusted, strict=True)
    ]
    method = _METHOD.format(most=_MOST_BLOCKS, level=confidence_level)
    return Trends(method=method, signals=sorted(judged, key=lambda t: t.p_adjusted), refused=refused)


def _blocks(track: Track) -> tuple[Floats, Floats] | str:
    """Return block times (h) and medians of a track, or the reason there are too few."""
    if len(track) < 2 * FEWEST_BLOCKS or track.times_s[-1] - track.times_s[0] < _FEWEST_S:
        return f"needs {2 * FEWEST_BLOCKS} readings over {_FEWEST_S:.0f} s"
    if np.ptp(track.values) == 0:
        return "constant"
    effective = _effective_samples(_means(track, 4 * _MOST_BLOCKS))
    count = min(_MOST_BLOCKS, int(effective))
    if count < FEWEST_BLOCKS:
        return f"only {effective:.1f} independent stretches of {FEWEST_BLOCKS} needed"
    times_s, medians = _medians(track, count)
    known = np.isfinite(medians)
    if np.count_nonzero(known) < FEWEST_BLOCKS:
        return f"readings in only {np.count_nonzero(known)} of {count} blocks"
    return times_s[known] / 3600, medians[known]


def _edges(track: Track, count: int) -> Floats:
    """Return the edges of so many blocks of equal length over a track."""
    return np.linspace(track.times_s[0], np.nextafter(track.times_s[-1], np.inf), count + 1)


def _means(track: Track, count: int) -> Floats:
    """Return the mean of the readings in each of so many blocks, NaN for none."""
    cuts = np.searchsorted(track.times_s, _edges(track, count))
    summed = np.concatenate(([0.0], np.cumsum(track.values - track.values[0])))
    filled = np.diff(cuts)
    with np.errstate(invalid="ignore"):
        return np.diff(summed[cuts]) / np.where(filled, filled, np.nan)


def _medians(track: Track, count: int) -> tuple[Floats, Floats]:
    """Return the middle time and the median reading of each of so many blocks, NaN for none."""
    edges = _edges(track, count)
    cuts = np.searchsorted(track.times_s, edges)
    filled = np.diff(cuts)
    block = np.repeat(np.arange(count), filled)
    padded = np.full((count, int(filled.max())), np.inf)
    padded[block, np.arange(len(track)) - cuts[:-1][block]] = track.values
    padded.sort(axis=1)
    rows = np.arange(count)
    middle = (padded[rows, np.maximum(filled - 1, 0) // 2] + padded[rows, filled // 2 % padded.shape[1]]) / 2
    return (edges[:-1] + edges[1:]) / 2, np.where(filled > 0, middle, np.nan)


def _effective_samples(medians: Floats) -> float:
    """Return how many independent values a detrended series holds (first-order form)."""
    known = np.isfinite(medians)
    index = np.arange(medians.size, dtype=np.float64)
    if np.count_nonzero(known) < FEWEST_BLOCKS:
        return 0.0
    line = np.polynomial.Polynomial.fit(index[known], medians[known], 1)
    rest = np.where(known, medians - line(index), np.nan)
    if np.nanmax(rest) - np.nanmin(rest) < 1e-12:
        return float(_MOST_BLOCKS)
    rho = float(np.clip(autocorrelations(rest[None, :])[0, 1], 0.0, 0.999))
    return float(np.count_nonzero(known)) * (1 - rho) / (1 + rho)


def _trend(name: str, track: Track, hours: Floats, medians: Floats, level: float) -> Trend:
    from scipy.special import ndtr, ndtri

    first, second = np.triu_indices(hours.size, k=1)
    rises = medians[second] - medians[first]
    slopes = np.sort(rises / (hours[second] - hours[first]))
    n, score = hours.size, float(np.sign(rises).sum())
    spread = sqrt(_score_variance(medians))
    half = float(ndtri(0.5 + level / 2)) * spread
    low = slopes[max(0, int((slopes.size - half) / 2))]
    high = slopes[min(slopes.size - 1, int((slopes.size + half) / 2) + 1)]
    z = max(0.0, abs(score) - 1) / spread if spread else 0.0
    p = float(2 * ndtr(-z))
    return Trend(
        signal=name,
        unit=track.unit,
        slope_per_hour=float(np.median(slopes)),
        low=float(low),
        high=float(high),
        tau=score / (n * (n - 1) / 2),
        p_value=p,
        p_adjusted=p,
        blocks=n,
        samples=len(track),
        significant=False,
    )


def _score_variance(medians: Floats) -> float:
    """Return the variance of Kendall's score under no trend, with ties (Kendall 1970)."""
    n = medians.size
    _, ties = np.unique(medians, return_counts=True)
    tied = float((ties * (ties - 1) * (2 * ties + 5)).sum())
    return (n * (n - 1) * (2 * n + 5) - tied) / 18
