"""Checks the recording's clock against the engine's own: the run time it counts since its start."""

from dataclasses import dataclass

import numpy as np

from analysis.findings import Evidence, Finding
from analysis.results.quality import ClockStep
from analysis.timeline import Timeline
from analysis.tracks import Track, runs

_STEP_S = 5.0
_RATE = 0.03
_FEWEST_S = 120.0


@dataclass(frozen=True, slots=True)
class ClockRate:
    """Seconds the engine counted over those the recording counted, and how long that was."""

    rate: float
    seconds: float
    samples: int


def jumps_by_run_time(timeline: Timeline) -> list[ClockStep]:
    """Return places where the recording's clock moved on by more (or less) than the engine counted."""
    if not timeline.has("run_time") or timeline.untimed:
        return []
    track = timeline["run_time"]
    counted, passed = np.diff(track.values), track.intervals_s
    surplus = passed - counted * clock_rate_s_per_s(track)
    # A count that falls back is a new start of the engine, and a pause of the recording is no step.
    where = np.flatnonzero((counted >= 0) & (np.abs(surplus) > np.maximum(_STEP_S, 3 * track.period_s)))
    running = (track.values[:-1] > 0) & (counted > 0)
    return [
        ClockStep(at_s=float(track.times_s[place]), step_s=float(surplus[place]), signals=["run_time"])
        for place in where
        if running[place]
    ]


def clock_rate_s_per_s(track: Track) -> float:
    """Return seconds of the recording per second of the engine's count, 1 where that cannot be told."""
    rate = clock_rate(track)
    return 1 / rate.rate if rate else 1.0


def clock_rate(track: Track) -> ClockRate | None:
    """Return how fast the engine's count runs in the recording's time, over stretches without gap or restart."""
    counting = (np.diff(track.values) >= 0) & ~track.gaps & (track.values[1:] > 0)
    rates, seconds, samples = [], [], 0
    for first, end in runs(counting):
        passed = float(track.times_s[end] - track.times_s[first])
        counted = float(track.values[end] - track.values[first])
        if passed >= _FEWEST_S and counted > 0:
            rates.append(counted / passed)
            seconds.append(passed)
            samples += int(end - first + 1)
    if not rates:
        return None
    return ClockRate(float(np.average(rates, weights=seconds)), float(sum(seconds)), samples)


def clock_rate_finding(timeline: Timeline) -> Finding | None:
    """Return a finding if the recording's clock runs at another rate than the engine's, by more than 3 %."""
    if not timeline.has("run_time", readings=10) or timeline.untimed:
        return None
    found = clock_rate(timeline["run_time"])
    if found is None or abs(found.rate - 1) <= _RATE:
        return None
    return Finding(
        rule="clock-rate",
        title=f"The recording's clock runs {1 / found.rate:.3g} times as fast as the engine's",
        system="recording",
        severity="warning",
        confidence=0.85,
        evidence=[
            Evidence(
                signal="run_time",
                unit="s/s",
                statistic="seconds the engine counted per recorded second",
                value=found.rate,
                expected="1.00 within 3 %",
                samples=found.samples,
            )
        ],
        explanation=(
            f"Over {found.seconds:.0f} recorded seconds the engine counted {found.rate * found.seconds:.0f} s of "
            "running. Durations, distances and rates of this session are off by that factor."
        ),
        recommendation="Import the log again with the period its rows really came at.",
        source="own rule: run time since engine start (SAE J1979 PID 1F) against recorded time",
    )
