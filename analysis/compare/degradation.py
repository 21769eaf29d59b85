"""Slow change over ordered sessions: one robust number per session, then Kendall, Theil-Sen, change point."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np

from analysis.compare.limits import RULES, tells_the_car
from analysis.compare.points import Drive
from analysis.correlations import benjamini_hochberg
from analysis.findings import derived
from analysis.results.compare import ChangePoint, Degradation, TrendVerdict
from analysis.results.states import StateName
from analysis.table import Floats

FEWEST_SESSIONS = 15
"""Below this a drift of 0.2 % per session hides in the 1.2 % between sessions (power under 85 % at 20)."""
CONTEXTS: tuple[StateName, ...] = ("warm idle", "steady cruise")
_FEWEST = 3
_LEAST_S = 20


@dataclass(frozen=True, slots=True)
class Drift:
    """The trend of a series over its places, or over given positions."""

    slope: float
    low: float
    high: float
    tau: float
    p_value: float


def drift(values: Floats, level: float, positions: Floats | None = None) -> Drift:
    """Return Kendall's tau and the Theil-Sen slope with Sen's interval; at least three values."""
    from scipy.stats import kendalltau, theilslopes

    places = np.arange(values.size, dtype=np.float64) if positions is None else positions
    if np.ptp(values) == 0:
        return Drift(0.0, 0.0, 0.0, 0.0, 1.0)
    slope, _, low, high = theilslopes(values, places, alpha=level)
    tau = kendalltau(places, values)
    return Drift(float(slope), float(low), float(high), float(tau.statistic), float(tau.pvalue))


def change_point(values: Floats, names: Sequence[str]) -> ChangePoint | None:
    """Return the most likely single change of level (Pettitt 1979), None below six values."""
    if values.size < 6:
        return None
    signs = np.sign(values[None, :] - values[:, None])
    scores = np.array([signs[:split, split:].sum() for split in range(1, values.size)])
    split = int(np.argmax(np.abs(scores))) + 1
    n = values.size
    p_value = min(1.0, 2 * exp(-6 * float(scores[split - 1]) ** 2 / (n**3 + n**2)))
    before, after = float(np.median(values[:split])), float(np.median(values[split:]))
    return ChangePoint(after_session=names[split - 1], before=before, after=after, p_value=p_value)


def degradation(drives: list[Drive], signals: list[str], level: float) -> list[Degradation]:
    """Return the drift of every signal in every context that at least three of the ordered drives hold."""
    found = [
        part
        for signal in signals
        for state in CONTEXTS
        if tells_the_car(signal, state) and (part := _one(drives, signal, state, level)) is not None
    ]
    adjusted = benjamini_hochberg(np.array([part.p_value for part in found]))
    return [_judged(part, float(p), level) for part, p in zip(found, adjusted, strict=True)]


def level_in(drive: Drive, signal: str, state: StateName) -> float:
    """Return the median of a signal in a state over at least twenty seconds, NaN where there is less."""
    values = drive.timeline.held(signal)
    known = values[drive.compared & drive.states.where(state) & np.isfinite(values)]
    return float(np.median(known)) if known.size >= _LEAST_S else float("nan")


def _one(drives: list[Drive], signal: str, state: StateName, level: float) -> Degradation | None:
    levels = np.array([level_in(drive, signal, state) for drive in drives])
    known = np.flatnonzero(np.isfinite(levels))
    if known.size < _FEWEST:
        return None
    values, names = levels[known], [drives[place].name for place in known]
    trend = drift(values, level)
    return Degradation(
        signal=signal,
        unit=drives[known[0]].timeline[signal].unit,
        state=state,
        sessions=names,
        values=[float(value) for value in values],
        slope_per_session=derived(
            trend.slope,
            f"{drives[known[0]].timeline[signal].unit} per session",
            "Theil-Sen over the session medians in this state, interval by Sen",
            low=trend.low,
            high=trend.high,
            samples=int(known.size),
        ),
        tau=trend.tau,
        p_value=trend.p_value,
        p_adjusted=trend.p_value,
        change_point=change_point(values, names),
        verdict="steady",
        reason="",
    )


def _judged(part: Degradation, p_adjusted: float, level: float) -> Degradation:
    """Add the verdict: a drift must be significant after adjustment and large enough to matter."""
    count = len(part.values)
    change = abs(part.slope_per_session.value or 0.0) * (count - 1)
    rule = RULES.get(part.signal)
    least = rule.minimum if rule and not rule.relative else 0.1 * abs(float(np.median(part.values)))
    verdict: TrendVerdict = "steady"
    reason = f"{change:.3g} {part.unit} over {count} sessions; {least:.3g} would matter; p = {p_adjusted:.3f}"
    if count < FEWEST_SESSIONS:
        verdict = "not enough sessions to tell"
        reason = f"{count} sessions of {FEWEST_SESSIONS} needed; {reason}"
    elif p_adjusted < 1 - level and change >= least:
        verdict = "drifts"
    return part.model_copy(update={"p_adjusted": p_adjusted, "verdict": verdict, "reason": reason})
