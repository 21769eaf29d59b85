"""How long a signal of a healthy car ever rests, and sensors that rest longer."""

from collections.abc import Iterator, Sequence

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.quality.stuck import unchanged_runs
from analysis.results.anomalies import Anomaly, Baseline

_RESTING = (
    "rpm",
    "intake_pressure",
    "maf",
    "engine_load",
    "coolant_temp",
    "oil_temp",
    "control_module_voltage",
    "timing_advance",
    "short_fuel_trim_1",
    "short_fuel_trim_2",
    "o2_b1s1",
    "fuel_pressure",
)
_LEAST_S = 120.0
_TIMES = 2.0
_FEWEST_CHANGES = 20
_LOOKED_AT_S = 5.0


def learn_stillness(sessions: Sequence[Conditions]) -> dict[str, float]:
    """Return, per signal that keeps changing, the longest time it rested while a healthy car was moving."""
    longest: dict[str, float] = {}
    for name in _RESTING:
        runs, changes = [0.0], 0
        for conditions in sessions:
            if conditions.timeline.has(name):
                changes += int(np.count_nonzero(np.diff(conditions.timeline[name].values)))
                runs += [rested for *_, rested in _rests(conditions, name)]
        if changes >= _FEWEST_CHANGES * len(sessions):
            longest[name] = max(runs)
    return longest


def _rests(conditions: Conditions, name: str) -> Iterator[tuple[int, int, float]]:
    """Yield stretches without change as (first reading, last reading, seconds of them with the car moving)."""
    timeline = conditions.timeline
    track = timeline[name]
    driven = np.concatenate(([0.0], np.cumsum(conditions.engine.running & conditions.engine.moving)))
    for first, last in unchanged_runs(track, _LOOKED_AT_S):
        places = timeline.place(track.times_s[[first, last]])
        yield int(first), int(last), float(driven[places[1]] - driven[places[0]]) * timeline.step_s


def resting_anomalies(conditions: Conditions, baseline: Baseline) -> Iterator[Anomaly]:
    """Yield sensors that rest more than twice as long as this car's ever did while it was healthy and moving."""
    for name, healthy_s in baseline.rests_s.items():
        if not conditions.timeline.has(name):
            continue
        track, limit_s = conditions.timeline[name], max(_LEAST_S, _TIMES * healthy_s)
        for first, last, rested_s in _rests(conditions, name):
            if rested_s < 0.5 * limit_s:
                continue
            yield Anomaly(
                signal=name,
                unit=track.unit,
                kind="stuck",
                channel="rests too long",
                start_s=float(track.times_s[first]),
                end_s=float(track.times_s[last]),
                score=rested_s / limit_s,
                value=float(track.values[first]),
                expected=f"a change within {healthy_s:.0f} s of driving, as in this car's healthy sessions",
                deviation=rested_s,
                limit=limit_s,
                samples=last - first + 1,
                baseline=True,
                explanation=(
                    f"{name} reads {track.values[first]:g} {track.unit} throughout {rested_s:.0f} s of driving; in "
                    f"healthy sessions it never rested longer than {healthy_s:.0f} s."
                ),
            )
