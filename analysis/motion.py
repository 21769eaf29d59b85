"""How the car moves: acceleration from road speed, and which signal stands for road speed."""

import numpy as np

from analysis.table import Floats
from analysis.timeline import Timeline
from analysis.tracks import Track

STANDING_KMH = {"speed": 1.0, "gps_speed": 3.0}
"""Below this the car stands; a position receiver's speed is never quite zero."""


def speed_track(timeline: Timeline) -> Track | None:
    """Return the road speed the session has: the car's own, else the position receiver's, else None."""
    name = timeline.first_of("speed", "gps_speed")
    return timeline[name] if name else None


def standing_below_kmh(track: Track) -> float:
    """Return the speed under which the car counts as standing."""
    return STANDING_KMH.get(track.signal.split("@")[0], 1.0)


def acceleration_ms2(track: Track, *, half_window_s: float = 1.0) -> Floats:
    """Return dv/dt in m/s² at every reading of a speed track in km/h, over twice the half window.

    NaN at the ends and wherever a gap lies within the window. The window bounds the noise of whole km/h
    steps: one step over 2 s is 0.14 m/s².
    """
    if len(track) < 2:
        return np.full(len(track), np.nan)
    half = max(half_window_s, track.period_s)
    before, after = track.times_s - half, track.times_s + half
    change = np.interp(after, track.times_s, track.values) - np.interp(before, track.times_s, track.values)
    stretch = np.concatenate(([0], np.cumsum(track.gaps)))
    first = np.searchsorted(track.times_s, before, side="left")
    last = np.searchsorted(track.times_s, after, side="right") - 1
    broken = stretch[np.maximum(first, 0)] != stretch[last]
    broken |= (before < track.times_s[0]) | (after > track.times_s[-1])
    return np.where(broken, np.nan, change / (2 * half) / 3.6)


def acceleration_on_grid(timeline: Timeline) -> Floats:
    """Return the acceleration in m/s² at every moment of the timeline, NaN where it is not known."""
    track = speed_track(timeline)
    if track is None:
        return np.full(timeline.moments_s.size, np.nan)
    rates = acceleration_ms2(track)
    place = np.maximum(np.searchsorted(track.times_s, timeline.moments_s, side="right") - 1, 0)
    return np.where(np.isfinite(timeline.held(track.signal)), rates[place], np.nan)
