"""Single readings that do not fit their neighbours: spikes, and steps that last."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.results.anomalies import Anomaly, AnomalyKind
from analysis.tracks import Track

_LISTED = 20


@dataclass(frozen=True, slots=True)
class Jump:
    """How far a signal can move between readings: `at_once` plus `per_s` times the interval."""

    at_once: float
    per_s: float


JUMPS = {
    "rpm": Jump(700, 2500),
    "speed": Jump(6, 43),
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
"""Own limits, wide enough for any car: an engine in neutral gains 5000 rpm in a second, tyres hold 12 m/s²."""
_STEPPING = ("coolant_temp", "oil_temp", "intake_temp", "ambiant_air_temp", "barometric_pressure")


def point_anomalies(conditions: Conditions) -> Iterator[Anomaly]:
    """Yield spikes and steps of single signals, whatever their score."""
    timeline = conditions.timeline
    for name, track in timeline.items():
        if name.split("@")[0] in JUMPS and len(track) > 3:
            yield from spikes(name, track)
        if name.split("@")[0] in _STEPPING and len(track) > 3:
            yield from _within_a_run(steps(name, track), conditions)


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


def spikes(name: str, track: Track) -> Iterator[Anomaly]:
    """Yield single readings that leave both neighbours the same way, farther than the signal can move."""
    allowed = JUMPS[name.split("@")[0]]
    changes = np.diff(track.values)
    before, after = changes[:-1], -changes[1:]
    room = allowed.at_once + allowed.per_s * np.maximum(track.intervals_s[:-1], track.intervals_s[1:])
    height = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0.0) / room
    height[track.gaps[:-1] | track.gaps[1:]] = 0.0
    for place in _strongest(height, 0.5):
        neighbours = (track.values[place] + track.values[place + 2]) / 2
        value = float(track.values[place + 1])
        yield _point(
            name,
            track,
            (place + 1, place + 1),
            "spike",
            score=float(height[place]),
            expected=f"about {neighbours:.4g} {track.unit}, as before and after",
            deviation=value - float(neighbours),
            limit=float(room[place]),
            explanation=f"One reading of {value:.4g} {track.unit} between readings near {neighbours:.4g}.",
        )


def steps(name: str, track: Track) -> Iterator[Anomaly]:
    """Yield changes from one reading to the next that last, and are faster than the quantity can change."""
    allowed = JUMPS[name.split("@")[0]]
    changes = np.diff(track.values)
    room = allowed.at_once + allowed.per_s * track.intervals_s
    height = np.where(track.gaps, 0.0, np.abs(changes) / room)
    back = np.zeros(changes.size, dtype=bool)
    back[1:] |= (changes[1:] * changes[:-1] < 0) & (np.abs(changes[:-1]) > 0.5 * np.abs(changes[1:]))
    back[:-1] |= (changes[1:] * changes[:-1] < 0) & (np.abs(changes[1:]) > 0.5 * np.abs(changes[:-1]))
    for place in _strongest(np.where(back, 0.0, height), 0.5):
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
