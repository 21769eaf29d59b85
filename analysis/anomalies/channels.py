"""A channel is one check over time: a deviation, its limits, and the stretches in which it passes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from analysis.anomalies.smoothing import averaged
from analysis.results.anomalies import Anomaly, AnomalyKind, Limits
from analysis.table import Floats
from analysis.timeline import Timeline
from analysis.tracks import Bools

MERGED_S = 30.0
"""Stretches with less than this between them in which the check applied and was kept are one anomaly."""
_SHORTEST_S = 1.0
_PRESENT_S = 5.0
_BORNE_OUT = 2.0


@dataclass(frozen=True)
class Channel:
    """One check: the deviation at every moment (NaN where it does not apply), and the limits it has to keep.

    `signal` is whose fault it would be, `unit` that of the deviation; `expected` and `explanation` are texts,
    the latter with {value}, {deviation}, {direction} and {times} to fill in.
    """

    name: str
    signal: str
    kind: AnomalyKind
    deviation: Floats
    unit: str
    limits: Sequence[Limits]
    expected: str
    explanation: str
    baseline: bool = False
    percent: bool = False
    lasting_s: float = _SHORTEST_S
    shown: Floats | None = field(default=None)

    def scores(self, step_s: float) -> Floats:
        """Return the deviation over its limit at every moment: the largest over all averaging times.

        A long average counts only as far as the last seconds bear it out, at twice what they show: it would
        otherwise go on for minutes after the fault has gone.
        """
        where = np.isfinite(self.deviation)
        deviation = self.deviation[where]
        mean = cache(lambda seconds, clip: averaged(deviation, seconds, step_s, clip))
        worst = np.full(deviation.size, -np.inf)
        for limits in self.limits:
            smooth = mean(limits.averaged_s, limits.clip)
            if limits.averaged_s > _PRESENT_S:
                now = _BORNE_OUT * mean(_PRESENT_S, limits.clip)
                smooth = np.where(smooth > 0, np.clip(now, 0, smooth), np.clip(now, smooth, 0))
            worst = np.maximum(worst, np.where(smooth > 0, smooth / limits.above, -smooth / limits.below))
        scores = np.full(where.size, np.nan)
        scores[where] = worst
        return scores


def anomalies_of(channel: Channel, scores: Floats, timeline: Timeline, factor: float) -> list[Anomaly]:
    """Return the stretches in which a channel's scores reach the factor, as anomalies."""
    applies = np.flatnonzero(np.isfinite(scores))
    over = np.flatnonzero(scores[applies] >= factor)
    if not over.size:
        return []
    # Time in which the check does not apply separates nothing: a leak is one leak across all idles of a drive.
    cuts = np.flatnonzero(np.diff(over) * timeline.step_s > MERGED_S) + 1
    found = [_anomaly(channel, timeline, scores, applies[part]) for part in np.split(over, cuts)]
    return [anomaly for anomaly in found if anomaly is not None]


def _anomaly(
    channel: Channel, timeline: Timeline, scores: Floats, places: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> Anomaly | None:
    if places.size * timeline.step_s < channel.lasting_s:
        return None
    step_s, moments = timeline.step_s, timeline.moments_s
    score = float(scores[places].max())
    deviation = float(np.median(channel.deviation[places]))
    shown = channel.shown if channel.shown is not None else timeline.held(channel.signal)
    seen = shown[places][np.isfinite(shown[places])]
    if not seen.size:
        return None
    value = float(np.median(seen))
    limit = min(channel.limits, key=lambda limits: limits.averaged_s)
    allowed = limit.above if deviation > 0 else limit.below
    if not np.isfinite(allowed):
        allowed = min(limit.above, limit.below)
    size = abs(np.expm1(deviation)) * 100 if channel.percent else abs(deviation)
    text = channel.explanation.format(
        value=value,
        deviation=size,
        direction="above" if deviation > 0 else "below",
        times=f"{moments[places[0]]:.0f} to {moments[places[-1]] + step_s:.0f} s",
    )
    return Anomaly(
        signal=channel.signal,
        unit=_unit(channel, timeline),
        kind=channel.kind,
        channel=channel.name,
        start_s=float(moments[places[0]]),
        end_s=float(moments[places[-1]] + step_s),
        score=score,
        value=value,
        expected=channel.expected,
        deviation=deviation,
        limit=allowed,
        samples=int(places.size),
        baseline=channel.baseline,
        explanation=text,
    )


def _unit(channel: Channel, timeline: Timeline) -> str:
    if channel.shown is None and channel.signal in timeline:
        return timeline[channel.signal].unit
    return channel.unit


def moments_where(signal: Floats, where: Bools) -> Floats:
    """Return a signal at the moments where it applies, NaN elsewhere."""
    return np.where(where, signal, np.nan)
