"""Correlations between signals, judged by effective samples: readings in a row are not independent."""

import numpy as np

from analysis.results.relations import Correlation, Correlations
from analysis.table import Floats
from analysis.timeline import Timeline

FEWEST_EFFECTIVE = 10.0
"""Pairs with fewer independent samples have no correlation worth naming."""
_CLEAR = 0.05
_MOST_MOMENTS = 4096
_ROUNDING = 1e-12
_METHOD = (
    "Pearson r on means over {step:.3g} s; effective samples from both autocorrelations (Bretherton 1999), the "
    "smaller of the full and the first-order form; interval by Fisher z at {level:.0%}; Benjamini-Hochberg over "
    "all pairs"
)


def correlations(timeline: Timeline, *, confidence_level: float = 0.95) -> Correlations:
    """Return the correlations of all pairs of signals that carry at least ten effective samples."""
    from scipy.special import stdtr

    if timeline.untimed or timeline.end_s - timeline.start_s < FEWEST_EFFECTIVE:
        reason = timeline.untimed or f"a session of {timeline.end_s - timeline.start_s:.1f} s is too short"
        return Correlations(method="none", pairs=[], refused=dict.fromkeys(timeline, reason))
    step_s, names, grid, refused = _means(timeline)
    method = _METHOD.format(step=step_s, level=confidence_level)
    if len(names) < 2:
        return Correlations(method=method, pairs=[], refused=refused)
    known = np.isfinite(grid)
    r, shared = _pearson(grid, known)
    effective = np.minimum(_effective(grid, known, shared), shared)
    first, second = np.triu_indices(len(names), k=1)
    r, n, shared = r[first, second], effective[first, second], shared[first, second]
    enough = (n >= FEWEST_EFFECTIVE) & np.isfinite(r)
    for i, j, count in zip(first[~enough], second[~enough], n[~enough], strict=True):
        refused[f"{names[i]} ~ {names[j]}"] = f"only {max(count, 0):.1f} effective samples of 10 needed"
    first, second, r, n, shared = first[enough], second[enough], r[enough], n[enough], shared[enough]
    t = np.abs(r) * np.sqrt((n - 2) / np.maximum(1 - r * r, 1e-12))
    p = 2 * stdtr(n - 2, -t)
    adjusted = benjamini_hochberg(p)
    low, high = _fisher(r, n, confidence_level)
    pairs = [
        Correlation(
            first=names[first[k]],
            second=names[second[k]],
            r=float(r[k]),
            low=float(low[k]),
            high=float(high[k]),
            effective_samples=float(n[k]),
            samples=int(shared[k]),
            p_value=float(p[k]),
            p_adjusted=float(adjusted[k]),
            significant=bool(adjusted[k] < 1 - confidence_level),
        )
        for k in np.argsort(-np.abs(r), kind="stable")
    ]
    return Correlations(method=method, pairs=pairs, refused=refused)


def _means(timeline: Timeline) -> tuple[float, list[str], Floats, dict[str, str]]:
    """Return step, names, means per step (signals x steps, NaN where nothing was read) and refused signals."""
    span_s = timeline.end_s - timeline.start_s
    slowest = max((t.period_s for t in timeline.values() if len(t) > 10 and t.period_s < 5), default=1.0)
    step_s = max(1.0, slowest, span_s / _MOST_MOMENTS)
    count = int(span_s / step_s) + 1
    rows, names, refused = [], [], {}
    for name, track in timeline.items():
        if len(track) < FEWEST_EFFECTIVE or np.ptp(track.values) == 0:
            refused[name] = "constant" if len(track) >= FEWEST_EFFECTIVE else "fewer than ten readings"
            continue
        place = ((track.times_s - timeline.start_s) / step_s).astype(np.intp)
        filled = np.bincount(place, minlength=count)
        with np.errstate(invalid="ignore"):
            means = np.bincount(place, track.values, minlength=count) / np.where(filled, filled, np.nan)
        known = means[filled > 0]
        if np.ptp(known) <= _ROUNDING * np.abs(known).max():
            refused[name] = f"constant at steps of {step_s:.3g} s"
            continue
        rows.append(means)
        names.append(name)
    return step_s, names, np.array(rows).reshape(len(names), count), refused


def _pearson(grid: Floats, known: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> tuple[Floats, Floats]:
    """Return r and the number of shared moments of every pair, over the moments both are known."""
    mask = known.astype(np.float64)
    centred = np.where(known, grid - np.nanmean(grid, axis=1, keepdims=True), 0.0)
    shared = mask @ mask.T
    with np.errstate(invalid="ignore", divide="ignore"):
        total = centred @ mask.T
        square = (centred**2) @ mask.T - total**2 / shared
        cross = centred @ centred.T - total * total.T / shared
        r = cross / np.sqrt(square * square.T)
    return np.clip(r, -1.0, 1.0), shared


def _effective(
    grid: Floats, known: np.ndarray[tuple[int, int], np.dtype[np.bool_]], shared: Floats
) -> Floats:
    """Return the effective sample size of every pair: the smaller of full-autocorrelation and AR(1) form."""
    rho = autocorrelations(grid, known)
    count = grid.shape[1]
    taper = 1 - np.arange(1, count) / count
    inflation = 1 + 2 * (rho[:, 1:] * taper) @ rho[:, 1:].T
    product = np.clip(np.outer(rho[:, 1], rho[:, 1]), -0.99, 0.9999)
    full = shared / np.maximum(inflation, 1e-9)
    first_order = shared * (1 - product) / (1 + product)
    # A negative sum is an estimate gone wrong on a short series, not a sign of extra information.
    return np.where(inflation > 0, np.minimum(full, first_order), first_order)


def autocorrelations(
    grid: Floats, known: np.ndarray[tuple[int, int], np.dtype[np.bool_]] | None = None
) -> Floats:
    """Return the autocorrelation at every lag of each row by FFT (rows x lags); NaN are left out pairwise."""
    known = np.isfinite(grid) if known is None else known
    centred = np.where(known, grid - np.nanmean(grid, axis=1, keepdims=True), 0.0)
    count = grid.shape[1]
    size = 1 << (2 * count - 1).bit_length()
    spectrum = np.fft.rfft(centred, size, axis=1)
    products = np.fft.irfft(np.abs(spectrum) ** 2, size, axis=1)[:, :count]
    if known.all():
        pairs = np.broadcast_to(np.arange(count, 0, -1.0), products.shape)
    else:
        shape = np.fft.rfft(known.astype(np.float64), size, axis=1)
        pairs = np.round(np.fft.irfft(np.abs(shape) ** 2, size, axis=1)[:, :count])
    covariance = np.where(pairs >= 1, products / np.maximum(pairs, 1), 0.0)
    rho: Floats = np.clip(covariance / covariance[:, :1], -1.0, 1.0)
    return rho


def _fisher(r: Floats, n: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the interval of r by Fisher's z with n effective samples."""
    from scipy.special import ndtri

    z = np.arctanh(np.clip(r, -0.999999, 0.999999))
    half = ndtri(0.5 + level / 2) / np.sqrt(np.maximum(n - 3, 1e-9))
    return np.tanh(z - half), np.tanh(z + half)


def benjamini_hochberg(p: Floats) -> Floats:
    """Return p-values adjusted for the false discovery rate (Benjamini and Hochberg 1995)."""
    if not p.size:
        return p
    order = np.argsort(p)
    scaled = p[order] * p.size / np.arange(1, p.size + 1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return adjusted
