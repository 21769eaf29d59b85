"""Distance from speed, with bounds, and from what counts distance in the car."""

import numpy as np

from analysis.findings import Quantity, absent, derived
from analysis.motion import speed_track
from analysis.timeline import Timeline
from analysis.tracks import Track

SPEED_ACCURACY = 0.015
"""OBD speed against satellite distance: within 1.5 % (JRC study, 15 cars and 12 trucks)."""
_WHOLE_KMH = 1.0
_KM_PER = {"km": 1.0, "m": 0.001, "mi": 1.609344, "mile": 1.609344, "miles": 1.609344}
_COUNTERS = ("odometer", "distance_travelled")


def distance_km(timeline: Timeline, *, doubt: str | None = None) -> Quantity:
    """Integrate road speed over time by the trapezoid rule; gaps are left out and named in the method.

    With a `doubt` about the scale of the speed the distance has no bounds, and the method tells the doubt. Without
    a usable speed the car's own distance counter is taken.
    """
    track = speed_track(timeline)
    if track is None or track.covered_s <= 0 or timeline.untimed:
        counted = odometer_km(timeline)
        return counted if counted.value is not None else absent("km", _why_not(timeline, track))
    km = track.integral() / 3600
    moving_s = float(track.weights_s[track.values > 0].sum())
    slack = km * SPEED_ACCURACY + 0.5 * _quantum_kmh(track) * moving_s / 3600
    bounds = f"no bounds: {doubt}" if doubt else "bounds: 1.5 % and half a step of speed"
    return derived(
        km,
        "km",
        f"{track.signal} integrated by the trapezoid rule{_left_out(track)}; {bounds}",
        low=None if doubt else max(0.0, km - slack),
        high=None if doubt else km + slack,
        samples=len(track),
    )


def _why_not(timeline: Timeline, track: Track | None) -> str:
    if timeline.untimed:
        return timeline.untimed
    if track is None:
        return "no road speed was recorded (speed or gps_speed)"
    return f"{track.signal} has no two readings without a gap between them"


def _quantum_kmh(track: Track) -> float:
    """Return the step speed comes in: OBD sends whole km/h, a position receiver finer ones."""
    return _WHOLE_KMH if track.signal.startswith("speed") else 0.1


def _left_out(track: Track) -> str:
    """Say what gaps the integration left out."""
    lost_s = float(track.intervals_s[track.breaks].sum())
    if not lost_s:
        return ""
    return f", {lost_s:.1f} s in {int(track.breaks.sum())} gaps left out"


def distance_counter(timeline: Timeline) -> Track | None:
    """Return the finest signal that counts distance (odometer or trip counter), None where none was recorded."""
    counters = [
        track
        for name, track in timeline.items()
        if any(part in name for part in _COUNTERS) and track.unit in _KM_PER and len(track) > 1
    ]
    return max(counters, key=lambda track: np.unique(track.values).size, default=None)


def odometer_km(timeline: Timeline) -> Quantity:
    """Return the distance by the car's own counter: the sum of its steps forward."""
    track = distance_counter(timeline)
    if track is None:
        return absent("km", "no odometer or trip counter was recorded")
    steps = np.diff(track.values) * _KM_PER[track.unit]
    forward, back = steps[steps > 0], int(np.count_nonzero(steps < 0))
    if back > 3:
        return absent("km", f"{track.signal} runs backwards {back} times in this recording")
    km, step = float(forward.sum()), float(forward.min(initial=1.0))
    resets = f"; {back} resets left out" if back else ""
    return derived(
        km,
        "km",
        f"sum of the steps forward of {track.signal}{resets}; bounds: one step of it",
        low=max(0.0, km - step),
        high=km + step,
        samples=len(track),
    )
