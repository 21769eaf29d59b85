"""Stretches in which a signal stands still, falls silent, or says what cannot be."""

from collections.abc import Iterator

import numpy as np

from analysis.quality.impossible import CONTRADICTIONS, Contradiction, contradiction_spans
from analysis.quality.stuck import STUCK_AFTER_S, stuck_runs
from analysis.results.anomalies import Anomaly
from analysis.timeline import Timeline
from analysis.tracks import Track

_NO_VACUUM_KPA = 60.0
_REFILLED_S = 3.0
_STANDING_WITH_VACUUM = Contradiction(
    "impossible-rpm-zero-vacuum",
    "Engine speed reads zero while the manifold is drawn empty",
    ("rpm", "intake_pressure"),
    lambda t: (t.held("rpm") == 0) & (t.held("intake_pressure") < _NO_VACUUM_KPA),
    f"rpm above 0 when intake_pressure stays below {_NO_VACUUM_KPA:g} kPa",
    "The manifold of an engine that stands fills with air within a second.",
    "Check the crankshaft sensor signal and the recording of rpm.",
)
_SILENT_S = 10.0
_LISTED = 20


def stretch_anomalies(timeline: Timeline) -> Iterator[Anomaly]:
    """Yield stuck, silent and impossible stretches of all signals, whatever their score."""
    for name, track in timeline.items():
        yield from _stuck(name, timeline)
        yield from _silent(name, timeline)
        yield from _outside(name, track)
    yield from _impossible(timeline)


def _stuck(name: str, timeline: Timeline) -> Iterator[Anomaly]:
    for run in stuck_runs(name, timeline):
        yield Anomaly(
            signal=name,
            unit=timeline[name].unit,
            kind="stuck",
            channel="stuck",
            start_s=run.start_s,
            end_s=run.end_s,
            score=(run.end_s - run.start_s) / STUCK_AFTER_S,
            value=run.value,
            expected="a new value at least every few seconds",
            deviation=run.end_s - run.start_s,
            limit=STUCK_AFTER_S,
            samples=run.samples,
            baseline=False,
            explanation=f"{name} repeats {run.value:g} {timeline[name].unit} while {run.moved}.",
        )


def _silent(name: str, timeline: Timeline) -> Iterator[Anomaly]:
    """Yield stretches in which one signal is silent while most others go on."""
    track = timeline[name]
    if len(track) < 20 or len(timeline) < 3:
        return
    limit_s = max(_SILENT_S, 10 * track.period_s)
    for place in np.flatnonzero(track.gaps & (track.intervals_s > limit_s / 2)):
        start_s, end_s = float(track.times_s[place]), float(track.times_s[place + 1])
        if _speaking(timeline, start_s, end_s) < 0.5 * (len(timeline) - 1):
            continue
        yield Anomaly(
            signal=name,
            unit=track.unit,
            kind="silent",
            channel="silent",
            start_s=start_s,
            end_s=end_s,
            score=min(5.0, (end_s - start_s) / limit_s),
            value=float(track.values[place]),
            expected=f"a reading about every {track.period_s:.2g} s",
            deviation=end_s - start_s,
            limit=limit_s,
            samples=2,
            baseline=False,
            explanation=f"{name} gives no reading for {end_s - start_s:.0f} s while the other signals go on.",
        )


def _speaking(timeline: Timeline, start_s: float, end_s: float) -> int:
    """Count the signals with readings through most of a stretch."""
    middle = [
        t
        for t in timeline.values()
        if len(t) and _within(t, start_s, end_s) * t.period_s > 0.5 * (end_s - start_s)
    ]
    return len(middle)


def _within(track: Track, start_s: float, end_s: float) -> int:
    first, last = np.searchsorted(track.times_s, (start_s, end_s))
    return int(last - first)


def _outside(name: str, track: Track) -> Iterator[Anomaly]:
    """Yield the readings outside the limits the standard allows, as one anomaly."""
    low = -np.inf if track.low is None else track.low
    high = np.inf if track.high is None else track.high
    where = np.flatnonzero((track.values < low) | (track.values > high))
    if where.size:
        worst = float(
            track.values[where[np.argmax(np.maximum(low - track.values[where], track.values[where] - high))]]
        )
        yield Anomaly(
            signal=name,
            unit=track.unit,
            kind="impossible",
            channel="outside limits",
            start_s=float(track.times_s[where[0]]),
            end_s=float(track.times_s[where[-1]]),
            score=2.0,
            value=worst,
            expected=f"{low:g} to {high:g} {track.unit}",
            deviation=min(worst - low, 0.0) or worst - high,
            limit=0.0,
            samples=int(where.size),
            baseline=False,
            explanation=f"{where.size} readings lie outside what the standard allows.",
        )


def _lasting_s(rule: Contradiction, timeline: Timeline) -> float:
    """Return how long signals must contradict each other: those read in turn may do so for a round."""
    slowest = max((timeline[name].period_s for name in rule.signals if timeline.has(name)), default=0.0)
    return max(_REFILLED_S if rule is _STANDING_WITH_VACUUM else 0.5, 2.5 * slowest)


def _impossible(timeline: Timeline) -> Iterator[Anomaly]:
    for rule in (*CONTRADICTIONS, _STANDING_WITH_VACUUM):
        for first, end in contradiction_spans(rule, timeline, lasting_s=_lasting_s(rule, timeline))[:_LISTED]:
            name = rule.signals[0]
            seconds = (end - first) * timeline.step_s
            yield Anomaly(
                signal=name,
                unit=timeline[name].unit,
                kind="impossible",
                channel=rule.rule,
                start_s=float(timeline.moments_s[first]),
                end_s=float(timeline.moments_s[end - 1] + timeline.step_s),
                score=1.0 + min(4.0, seconds / 2.0),
                value=float(np.nanmedian(timeline.held(name)[first:end])),
                expected=rule.expected,
                deviation=seconds,
                limit=0.5,
                samples=int(end - first),
                baseline=False,
                explanation=f"{rule.title}. {rule.explanation}",
            )
