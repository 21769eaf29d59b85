"""Single readings that do not fit their neighbours: spikes, and steps that last."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.anomalies.companions import COMPANIONS, unexplained, why_alone
from analysis.anomalies.conditions import Conditions
from analysis.anomalies.readings import Readings, readings_of
from analysis.results.anomalies import Anomaly, AnomalyKind
from analysis.table import Floats
from analysis.tracks import Bools, Track

_LISTED = 20


@dataclass(frozen=True, slots=True)
class Jump:
    """How far a signal can move between readings: `at_once` plus `per_s` times the interval."""

    at_once: float
    per_s: float


JUMPS = {
    "rpm": Jump(700, 1500),
    "speed": Jump(6, 25),
    "coolant_temp": Jump(6, 2),
    "oil_temp": Jump(6, 2),
    "intake_temp": Jump(8, 3),
    "ambiant_air_temp": Jump(6, 2),
    "intake_pressure": Jump(25, 150),
    "barometric_pressure": Jump(4, 1),
    "maf": Jump(20, 100),
    "control_module_voltage": Jump(1.2, 1.5),
    "engine_load": Jump(35, 150),
    "fuel_rail_pressure_direct": Jump(2000, 20000),
}
"""Own limits, wide enough for any car. A peak has to be climbed and left again between three readings: an engine
without fuel loses hardly more than 1500 rpm in a second, and no road car gains more than 25 km/h in one."""
_LEAST_ALONE = {"intake_pressure": 15.0, "engine_load": 20.0}
"""Of signals with a companion: how far one reading must leave both neighbours to be judged by the companion."""
_STAYING = 3
"""A step has to be seen in so many readings after it."""
_STEPPING = ("coolant_temp", "oil_temp", "intake_temp", "ambiant_air_temp", "barometric_pressure")


def point_anomalies(conditions: Conditions) -> Iterator[Anomaly]:
    """Yield spikes and steps of single signals, whatever their score."""
    for name, track in conditions.timeline.items():
        if name.split("@")[0] in JUMPS and len(track) > 3:
            yield from _spikes(name, track, conditions)
        if name.split("@")[0] in _STEPPING and len(track) > 3:
            yield from _within_a_run(_steps(name, track), conditions)


def _within_a_run(found: Iterator[Anomaly], conditions: Conditions) -> Iterator[Anomaly]:
    """Drop what happens while the engine starts, stops or stands: control units wake up with odd temperatures."""
    if "running" in conditions.engine.why_not:
        yield from found
        return
    places = conditions.timeline.place
    calm = conditions.settled & ~conditions.lately(~conditions.engine.running, 10.0)
    for anomaly in found:
        around = places(np.array([anomaly.start_s, anomaly.end_s + 10.0]))
        if calm[around].all():
            yield anomaly


def _spikes(name: str, track: Track, conditions: Conditions) -> Iterator[Anomaly]:
    """Yield single readings that leave both neighbours the same way, farther than the signal can move.

    One that its companion does not share counts sooner.
    """
    cut = readings_of(track, conditions.rows_of(name))
    if cut.values.size < 3:
        return
    heights, score, lone = _heights(cut, track), np.zeros(cut.values.size), np.zeros(cut.values.size)
    where = np.flatnonzero(np.abs(heights) >= 0.5 * JUMPS[name.split("@")[0]].at_once)
    score[where] = np.abs(heights[where]) / _room(name, cut, track, where)
    where = np.flatnonzero(np.abs(heights) >= 0.5 * _LEAST_ALONE.get(name, np.inf))
    if where.size and why_alone(name, conditions) is None:
        alone = unexplained(name, conditions, cut, where, np.sign(heights[where]))
        lone[where] = np.minimum(np.abs(heights[where]) / _LEAST_ALONE[name], alone)
        score = np.fmax(score, lone)
    for place in _strongest(score, 0.5):
        neighbours = float(cut.values[place - 1] + cut.values[place + 1]) / 2
        value = float(cut.values[place])
        why = f" {COMPANIONS[name]} and throttle do not explain it." if lone[place] >= 0.5 else ""
        yield _point(
            name,
            track,
            (int(cut.first[place]), int(cut.last[place])),
            "spike",
            score=float(score[place]),
            expected=f"about {neighbours:.4g} {track.unit}, as before and after",
            deviation=value - neighbours,
            limit=float(abs(heights[place]) / score[place]),
            explanation=f"One reading of {value:.4g} {track.unit} between readings near {neighbours:.4g}.{why}",
        )


def _heights(cut: Readings, track: Track) -> Floats:
    """Return how far each single reading leaves both neighbours the same way, with sign; 0 where it does not."""
    changes = np.diff(cut.values)
    heights = np.zeros(cut.values.size)
    # Neighbouring stretches differ, so that a reading leaves both the same way where the sign of change turns.
    places = np.flatnonzero(((changes[:-1] > 0) != (changes[1:] > 0)) & cut.single[1:-1]) + 1
    places = places[~(track.gaps[cut.first[places] - 1] | track.gaps[cut.last[places]])]
    before, after = changes[places - 1], changes[places]
    heights[places] = np.sign(before) * np.minimum(np.abs(before), np.abs(after))
    return heights


def _room(name: str, cut: Readings, track: Track, where: NDArray[np.intp]) -> Floats:
    """Return how far readings may leave their neighbours: what the signal can do, and what it does just there.

    Between readings near a sharp but true peak the signal already moves towards it and away from it.
    """
    allowed, times_s, values = JUMPS[name.split("@")[0]], track.times_s, cut.values
    before_s = times_s[cut.first[where]] - times_s[cut.last[where - 1]]
    after_s = times_s[cut.first[where + 1]] - times_s[cut.last[where]]
    lasts_s = (np.minimum(cut.last - cut.first + 1, cut.rows)[where] - 1) * track.period_s
    side = np.sign(values[where] - values[where - 1])
    towards = side * (values[where - 1] - values[np.maximum(where - 2, 0)]) * cut.single[where - 1]
    away = side * (values[where + 1] - values[np.minimum(where + 2, values.size - 1)]) * cut.single[where + 1]
    does = np.maximum(np.maximum(towards, away), 0.0)
    room: Floats = allowed.at_once + allowed.per_s * (np.maximum(before_s, after_s) + lasts_s) + does
    return room


def _steps(name: str, track: Track) -> Iterator[Anomaly]:
    """Yield changes from one reading to the next that last, and are faster than the quantity can change."""
    allowed = JUMPS[name.split("@")[0]]
    changes = np.diff(track.values)
    room = allowed.at_once + allowed.per_s * track.intervals_s
    height = np.where(track.gaps, 0.0, np.abs(changes) / room)
    height[~_stays(track.values, height >= 0.5)] = 0.0
    for place in _strongest(height, 0.5):
        yield _point(
            name,
            track,
            (place, place + 1),
            "step",
            score=float(height[place]),
            expected=f"no faster than {room[place]:.3g} {track.unit} in {track.intervals_s[place]:.2g} s",
            deviation=float(changes[place]),
            limit=float(room[place]),
            explanation=f"{name} jumps by {changes[place]:+.4g} {track.unit} from one reading to the next and stays.",
        )


def _stays(values: Floats, asked: Bools) -> Bools:
    """Mark those of the changes asked about of which more than half is left in all readings around.

    At the very end of a recording nothing shows yet whether a change stays.
    """
    places = np.flatnonzero(asked)
    places = places[(places >= _STAYING - 1) & (places < values.size - _STAYING)]
    around = values[places[:, None] + np.arange(1 - _STAYING, _STAYING + 1)]
    change = values[places + 1] - values[places]
    around = around * np.sign(change)[:, None]
    left = around[:, _STAYING:].min(axis=1) - around[:, :_STAYING].max(axis=1)
    stays = np.zeros(asked.size, dtype=bool)
    stays[places] = left > 0.5 * np.abs(change)
    return stays


def _strongest(height: np.ndarray[tuple[int], np.dtype[np.float64]], least: float) -> list[int]:
    """Return the places of the greatest heights, at most so many as are worth listing."""
    places = np.flatnonzero(height >= least)
    return [int(place) for place in places[np.argsort(-height[places], kind="stable")[:_LISTED]]]


def _point(
    name: str,
    track: Track,
    span: tuple[int, int],
    kind: AnomalyKind,
    *,
    score: float,
    expected: str,
    deviation: float,
    limit: float,
    explanation: str,
) -> Anomaly:
    """Make an anomaly of the readings from span[0] to span[1]."""
    return Anomaly(
        signal=name,
        unit=track.unit,
        kind=kind,
        channel=kind,
        start_s=float(track.times_s[span[0]]),
        end_s=float(track.times_s[span[1]]),
        score=score,
        value=float(track.values[span[1]]),
        expected=expected,
        deviation=deviation,
        limit=limit,
        samples=span[1] - span[0] + 1,
        baseline=False,
        explanation=explanation,
    )
