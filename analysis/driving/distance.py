"""Distance from speed, with bounds, and from the car's odometer."""

from analysis.findings import Quantity, absent, derived
from analysis.motion import speed_track
from analysis.timeline import Timeline
from analysis.tracks import Track

SPEED_ACCURACY = 0.015
"""OBD speed against satellite distance: within 1.5 % (JRC study, 15 cars and 12 trucks)."""
_WHOLE_KMH = 1.0


def distance_km(timeline: Timeline, *, doubt: str | None = None) -> Quantity:
    """Integrate road speed over time by the trapezoid rule; gaps are left out and named in the method.

    With a `doubt` about the scale of the speed the distance has no bounds, and the method tells the doubt.
    """
    track = speed_track(timeline)
    if track is None:
        return absent("km", "no road speed was recorded (speed or gps_speed)")
    if track.covered_s <= 0:
        return absent("km", f"{track.signal} has no two readings without a gap between them")
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


def _quantum_kmh(track: Track) -> float:
    """Return the step speed comes in: OBD sends whole km/h, a position receiver finer ones."""
    return _WHOLE_KMH if track.signal.startswith("speed") else 0.1


def _left_out(track: Track) -> str:
    """Say what gaps the integration left out."""
    lost_s = float(track.intervals_s[track.gaps].sum())
    if not lost_s:
        return ""
    return f", {lost_s:.1f} s in {int(track.gaps.sum())} gaps left out"


def odometer_km(timeline: Timeline) -> Quantity:
    """Return the distance by the car's own odometer: its last reading less its first."""
    if not timeline.has("odometer"):
        return absent("km", "no odometer was recorded")
    track = timeline["odometer"]
    km = float(track.values[-1] - track.values[0])
    if km < 0:
        return absent("km", "the odometer runs backwards in this recording")
    step = float(min((d for d in abs(track.values[1:] - track.values[:-1]) if d > 0), default=1.0))
    return derived(
        km,
        "km",
        "last odometer reading less the first; bounds: one step of it",
        low=max(0.0, km - step),
        high=km + step,
        samples=len(track),
    )
