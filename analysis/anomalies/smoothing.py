"""Exponentially weighted means of series with holes, in numpy alone."""

import numpy as np

from analysis.table import Floats

# Within a block weights span e^15: far from overflow, and sums keep nine digits.
_SPAN = 15.0


def ewma(values: Floats, seconds: float, step_s: float) -> Floats:
    """Return the exponentially weighted mean with a time constant in seconds; NaN stay NaN and change nothing.

    The mean starts at zero, so that a deviation has to last before it shows. A time constant of zero, or shorter
    than a step, returns the values themselves.
    """
    if seconds <= step_s:
        return values
    known = np.isfinite(values)
    smooth = np.full(values.size, np.nan)
    smooth[known] = _decay(values[known], step_s / seconds)
    return smooth


def averaged(values: Floats, seconds: float, step_s: float, clip: float | None) -> Floats:
    """Return the running mean of values clipped to ±clip, so that a few wild moments cannot make an average."""
    if clip is None or seconds <= step_s:
        return ewma(values, seconds, step_s)
    return ewma(np.clip(values, -clip, clip), seconds, step_s)


def _decay(values: Floats, rate: float) -> Floats:
    """Filter y[n] = e^-r y[n-1] + (1 - e^-r) x[n], a block at a time: within a block it is a scaled running sum."""
    if not values.size:
        return values
    block = max(1, int(_SPAN / rate))
    count = -(-values.size // block)
    padded = np.zeros(count * block)
    padded[: values.size] = values
    growth = np.exp(rate * np.arange(block))
    blocks = -np.expm1(-rate) * np.cumsum(padded.reshape(count, block) * growth, axis=1) / growth
    fading = np.exp(-rate * np.arange(1, block + 1))
    carried = 0.0
    for row in blocks:
        row += carried * fading
        carried = float(row[-1])
    smooth: Floats = blocks.reshape(-1)[: values.size]
    return smooth
