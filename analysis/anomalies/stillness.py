"""How long a signal of a healthy car ever rests, and sensors that rest longer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.quality.stuck import unchanged_runs
from analysis.results.anomalies import Anomaly, Baseline
from analysis.tracks import Bools, Track


@dataclass(frozen=True, slots=True)
class Rest:
    """A signal that keeps changing: the least limit for its rests, and which of its seconds count.

    `state` is driving (the car moves), running (idling counts too: these change even then) or warming (the engine
    runs and the reading is below any thermostat's opening).
    """

    signal: str
    least_s: float
    state: str = "driving"

    @property
    def key(self) -> str:
        """The name of this rest in a baseline."""
        return self.signal if self.state == "driving" else f"{self.signal} while {self.state}"


_RESTING = (
    *(Rest(name, 20.0, "running") for name in ("rpm", "intake_pressure", "maf", "engine_load", "timing_advance")),
    Rest("coolant_temp", 120.0, "warming"),
    *(
        Rest(name, 120.0)
        for name in (
            "coolant_temp", "oil_temp", "control_module_voltage", "short_fuel_trim_1", "short_fuel_trim_2",
            "o2_b1s1", "fuel_pressure",
        )
    ),
)  # fmt: skip
_TIMES = 2.0
_FEWEST_CHANGES = 20
_SHORTEST_S = 5.0
_OPENS_C = 74.0


def learn_stillness(sessions: Sequence[Conditions]) -> dict[str, float]:
    """Return, per signal and state, the longest seconds it rested while a healthy car was in that state."""
    longest: dict[str, float] = {}
    for rest in _RESTING:
        runs, changes = [0.0], 0
        for conditions in sessions:
            if conditions.timeline.has(rest.signal):
                changes += int(np.count_nonzero(np.diff(conditions.timeline[rest.signal].values)))
                runs += [rested for *_, rested in _rests(conditions, rest)]
        if changes >= _FEWEST_CHANGES * len(sessions):
            longest[rest.key] = max(runs)
    return longest


def _rests(conditions: Conditions, rest: Rest) -> Iterator[tuple[int, int, float]]:
    """Yield stretches without change as (first reading, last reading, seconds of them that count)."""
    timeline = conditions.timeline
    track = timeline[rest.signal]
    counted = np.concatenate(([0.0], np.cumsum(_counts(conditions, rest))))
    spans = unchanged_runs(track, _SHORTEST_S)
    places = timeline.place(track.times_s[spans])
    rested = (counted[places[:, 1]] - counted[places[:, 0]]) * timeline.step_s
    yield from ((int(first), int(last), float(s)) for (first, last), s in zip(spans, rested, strict=True))


def _counts(conditions: Conditions, rest: Rest) -> Bools:
    """Mark the moments in which a rest counts."""
    if rest.state == "driving":
        return conditions.engine.running & conditions.engine.moving
    if rest.state == "warming":
        return conditions.engine.running & (conditions.timeline.held(rest.signal) < _OPENS_C)
    # A pressure that rests because rpm is not read, or the engine stands, says nothing.
    return conditions.engine.running


def resting_anomalies(conditions: Conditions, baseline: Baseline) -> Iterator[Anomaly]:
    """Yield sensors that rest more than twice as long as this car's ever did while it was healthy."""
    for rest in _RESTING:
        if rest.key not in baseline.rests_s or not conditions.timeline.has(rest.signal):
            continue
        healthy_s = baseline.rests_s[rest.key]
        limit_s = max(rest.least_s, _TIMES * healthy_s)
        track = conditions.timeline[rest.signal]
        for first, last, rested_s in _rests(conditions, rest):
            if rested_s >= 0.5 * limit_s:
                yield _anomaly(rest, track, (first, last), (rested_s, healthy_s, limit_s))


def _anomaly(rest: Rest, track: Track, span: tuple[int, int], seconds: tuple[float, float, float]) -> Anomaly:
    """Make an anomaly of a rest; `seconds` are rested, the longest healthy rest, and the limit."""
    (first, last), (rested_s, healthy_s, limit_s) = span, seconds
    return Anomaly(
        signal=rest.signal,
        unit=track.unit,
        kind="stuck",
        channel="rests too long",
        start_s=float(track.times_s[first]),
        end_s=float(track.times_s[last]),
        score=rested_s / limit_s,
        value=float(track.values[first]),
        expected=f"a change within {healthy_s:.0f} s of {rest.state}, as in this car's healthy sessions",
        deviation=rested_s,
        limit=limit_s,
        samples=last - first + 1,
        baseline=True,
        explanation=(
            f"{rest.signal} reads {track.values[first]:g} {track.unit} throughout {rested_s:.0f} s of {rest.state}; "
            f"in healthy sessions it never rested longer than {healthy_s:.0f} s."
        ),
    )
