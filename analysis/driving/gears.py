"""Gear ratios from clusters of engine speed over road speed."""

import numpy as np

from analysis.engine import Engine
from analysis.findings import derived
from analysis.results.driving import Gear
from analysis.table import Floats
from analysis.tracks import runs

_SLOWEST_KMH = 12.0
_BIN = 0.02
_SAME_GEAR = 0.06
_FEWEST_SHARE = 0.015
_FEWEST_S = 8.0
_MOST_GEARS = 10


def gears(engine: Engine) -> tuple[list[Gear], str | None]:
    """Return the overall ratios the drive shows, shortest first, or none and the reason.

    A ratio is a peak of ln(rpm / speed) over moments with closed driveline: the ratio holds still for 1.5 s.
    """
    if "running" in engine.why_not or not engine.timeline.has("speed"):
        return [], "gear ratios need both rpm and speed"
    ratios = steady_log_ratios(engine)
    step_s = engine.timeline.step_s
    if ratios.size * step_s < 60:
        return [], f"only {ratios.size * step_s:.0f} s with a steady ratio of rpm to speed; 60 s are needed"
    peaks = _peaks(ratios, max(_FEWEST_S / step_s, _FEWEST_SHARE * ratios.size))
    shares = [np.abs(ratios - peak) < _SAME_GEAR for peak in peaks]
    told = sum(int(near.sum()) for near in shares)
    if not peaks or not _clustered(ratios, peaks):
        return [], "rpm over speed shows no clusters (continuously variable or slipping transmission)"
    pairs = sorted(zip(peaks, shares, strict=True), key=lambda pair: -pair[0])
    return [_gear(number, ratios[near], told) for number, (_, near) in enumerate(pairs, start=1)], None


def _clustered(ratios: Floats, peaks: list[float]) -> bool:
    """Say whether most ratios lie close to a peak, and clearly more than evenly spread ones would."""
    close = np.min([np.abs(ratios - peak) for peak in peaks], axis=0) < _SAME_GEAR / 2
    evenly = len(peaks) * _SAME_GEAR / max(float(np.ptp(ratios)), _SAME_GEAR)
    return bool(close.mean() > max(0.5, min(1.6 * evenly, 0.9)))


def _gear(number: int, ratios: Floats, told: int) -> Gear:
    low, middle, high = (float(value) for value in np.exp(np.quantile(ratios, (0.05, 0.5, 0.95))))
    method = "cluster of rpm / speed while the ratio holds still; bounds: its 5 % and 95 % quantiles"
    usage = derived(100 * ratios.size / told, "%", "share of the moments in any gear", samples=ratios.size)
    ratio = derived(middle, "rpm/(km/h)", method, low=low, high=high, samples=ratios.size)
    return Gear(number=number, rpm_per_kmh=ratio, usage=usage)


def steady_log_ratios(engine: Engine) -> Floats:
    """Return ln(rpm / speed) of the moments at which it holds still within 3 % for 1.5 s."""
    fast = engine.running & (engine.speed_kmh >= _SLOWEST_KMH) & (engine.rpm > 900)
    ratio = np.full(engine.rpm.size, np.nan)
    ratio[fast] = np.log(engine.rpm[fast] / engine.speed_kmh[fast])
    apart = max(1, round(1.5 / engine.timeline.step_s))
    still = np.zeros(ratio.size, dtype=bool)
    still[apart:] = np.abs(ratio[apart:] - ratio[:-apart]) < 0.03
    return ratio[still]


def _peaks(ratios: Floats, fewest: float) -> list[float]:
    """Return the modes of a histogram, strongest first, none nearer than the width of a gear."""
    edges = np.arange(ratios.min() - 4 * _BIN, ratios.max() + 5 * _BIN, _BIN)
    counts, _ = np.histogram(ratios, edges)
    smooth = np.convolve(counts, (1.0, 2.0, 3.0, 2.0, 1.0), mode="same") / 3
    centres = edges[:-1] + _BIN / 2
    peaks: list[float] = []
    while len(peaks) < _MOST_GEARS and smooth.size and smooth.max() >= fewest:
        best = int(np.argmax(smooth))
        rising = 0 < best < smooth.size - 1 and smooth[best] >= max(smooth[best - 1], smooth[best + 1])
        near = np.abs(ratios - centres[best]) < _SAME_GEAR
        if rising and all(abs(centres[best] - peak) > 2 * _SAME_GEAR for peak in peaks):
            peaks.append(float(np.median(ratios[near])))
        smooth = np.where(np.abs(centres - centres[best]) < 1.5 * _SAME_GEAR, 0, smooth)
    return peaks


def in_gear_share(engine: Engine) -> float:
    """Return the share of fast moments at which the ratio of rpm to speed holds still."""
    fast = int(np.count_nonzero(engine.running & (engine.speed_kmh >= _SLOWEST_KMH)))
    return steady_log_ratios(engine).size / fast if fast and len(runs(engine.running)) else 0.0
