"""All checks of one session: every score is taken once, and can then be read at any sensitivity."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from analysis.anomalies.channels import MERGED_S, Channel, anomalies_of
from analysis.anomalies.conditions import Conditions
from analysis.anomalies.own_limits import own_channels
from analysis.anomalies.points import point_anomalies
from analysis.anomalies.rules import rule_channels
from analysis.anomalies.stillness import resting_anomalies
from analysis.anomalies.stretches import stretch_anomalies
from analysis.results.anomalies import Anomaly, Baseline
from analysis.table import Floats


class Judgement:
    """What the checks say about a session; `anomalies(factor)` reads it at one sensitivity."""

    def __init__(
        self, conditions: Conditions, baseline: Baseline | None = None, *, window_s: float | None = None
    ) -> None:
        self.conditions = conditions
        self.baseline = baseline
        channels = [*rule_channels(conditions), *(own_channels(conditions, baseline) if baseline else ())]
        self.channels = channels if window_s is None else [_averaged(one, window_s) for one in channels]

    @cached_property
    def scores(self) -> list[Floats]:
        """The score of every channel at every moment."""
        step_s = self.conditions.timeline.step_s
        return [channel.scores(step_s) for channel in self.channels]

    @cached_property
    def single(self) -> list[Anomaly]:
        """What single signals show, whatever its score."""
        return list(self._single())

    def _single(self) -> Iterator[Anomaly]:
        yield from point_anomalies(self.conditions)
        yield from stretch_anomalies(self.conditions.timeline)
        if self.baseline:
            yield from resting_anomalies(self.conditions, self.baseline)

    def anomalies(self, factor: float) -> list[Anomaly]:
        """Return what the channels and the single signals show whose score reaches the factor, not merged."""
        timeline = self.conditions.timeline
        found = [
            anomaly
            for channel, scores in zip(self.channels, self.scores, strict=True)
            for anomaly in anomalies_of(channel, scores, timeline, factor)
        ]
        return found + [anomaly for anomaly in self.single if anomaly.score >= factor]

    def kept_s(self, anomaly: Anomaly) -> float:
        """Return for how many seconds after an anomaly's end its check applied: time it did not is no all-clear."""
        timeline = self.conditions.timeline
        for channel, scores in zip(self.channels, self.scores, strict=True):
            if channel.name == anomaly.channel:
                after = scores[timeline.moments_s > anomaly.end_s]
                return float(np.count_nonzero(np.isfinite(after))) * timeline.step_s
        return timeline.end_s - anomaly.end_s


def _averaged(channel: Channel, window_s: float) -> Channel:
    """Return a channel that averages over another time, its limits taken from the nearest it has."""
    nearest = min(channel.limits, key=lambda limits: abs(limits.averaged_s - window_s))
    return replace(channel, limits=[nearest.model_copy(update={"averaged_s": window_s})])


def merged(anomalies: Sequence[Anomaly]) -> list[Anomaly]:
    """Return anomalies strongest first, of those of one signal and kind that overlap only the strongest."""
    kept: list[Anomaly] = []
    for anomaly in sorted(anomalies, key=lambda a: (-a.score, a.start_s, a.channel)):
        if not any(same(anomaly, other) for other in kept):
            kept.append(anomaly)
    return kept


def same(one: Anomaly, other: Anomaly) -> bool:
    """Say whether two anomalies of one signal and kind lie so close that they are one; spikes each stand alone."""
    if one.signal != other.signal or one.kind != other.kind or one.kind == "spike":
        return False
    return one.start_s <= other.end_s + MERGED_S and other.start_s <= one.end_s + MERGED_S
