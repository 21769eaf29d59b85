"""How fast the car accelerated, where the drive holds a full acceleration."""

import numpy as np

from analysis.facts import VehicleFacts
from analysis.findings import Quantity, absent, derived
from analysis.motion import acceleration_ms2
from analysis.results.driving import Performance, SpeedRun
from analysis.timeline import Timeline
from analysis.tracks import Track

_SLOWEST_PULL_MS2 = 0.8
_ROLLING_RESISTANCE = 0.012
_DRAG_AREA_M2 = 0.65
_AIR_KG_M3 = 1.2
_ROTATING = 1.05


def performance(timeline: Timeline, vehicle: VehicleFacts | None = None) -> Performance:
    """Return measured accelerations (0 to 100, 80 to 120 km/h), the best pulls and the power at the wheels."""
    if timeline.untimed or not timeline.has("speed", readings=10):
        reason = timeline.untimed or "no road speed of the car was recorded"
        return Performance(
            zero_to_100_s=absent("s", reason),
            eighty_to_120_s=absent("s", reason),
            peak_acceleration_ms2=absent("m/s²", reason),
            peak_power_kw=absent("kW", reason),
            pulls=[],
        )
    track = timeline["speed"]
    rates = acceleration_ms2(track)
    known = int(np.isfinite(rates).sum())
    return Performance(
        zero_to_100_s=_best(track, 0.0, 100.0),
        eighty_to_120_s=_best(track, 80.0, 120.0),
        peak_acceleration_ms2=(
            derived(float(np.nanmax(rates)), "m/s²", "largest change of speed over 2 s", samples=known)
            if known
            else absent("m/s²", "road speed comes too rarely")
        ),
        peak_power_kw=_peak_power(track, vehicle),
        pulls=best_pulls(track),
    )


def crossings(track: Track, kmh: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the times at which the speed rises through a value, interpolated between readings."""
    values, times_s = track.values, track.times_s
    rising = np.flatnonzero((values[:-1] < kmh) & (values[1:] >= kmh) & ~track.gaps)
    share = (kmh - values[rising]) / (values[rising + 1] - values[rising])
    return times_s[rising] + share * (times_s[rising + 1] - times_s[rising])


def runs_between(track: Track, from_kmh: float, to_kmh: float) -> list[tuple[float, float]]:
    """Return (start_s, end_s) of accelerations from one speed to another without a gap or a clear lift-off."""
    start_kmh = max(from_kmh, 1.0)
    found = []
    starts = crossings(track, start_kmh)
    for end_s in crossings(track, to_kmh):
        place = np.searchsorted(starts, end_s) - 1
        if place < 0:
            continue
        start_s = float(starts[place])
        if from_kmh == 0:
            start_s = _moving_off(track, start_s)
        if _clean(track, start_s, float(end_s), to_kmh - from_kmh):
            found.append((start_s, float(end_s)))
    return found


def _moving_off(track: Track, start_s: float) -> float:
    """Return the last time the car stood before it passed 1 km/h."""
    before = np.flatnonzero((track.times_s <= start_s) & (track.values < 1.0))
    return float(track.times_s[before[-1]]) if before.size else start_s


def _clean(track: Track, start_s: float, end_s: float, gain_kmh: float) -> bool:
    """Say whether a stretch has no gap, never loses 3 km/h, and is quick enough to be a pull."""
    first, last = np.searchsorted(track.times_s, (start_s, end_s))
    values = track.values[first : last + 1]
    if values.size < 4 or track.gaps[max(0, first - 1) : last].any():
        return False
    lost = float((np.maximum.accumulate(values) - values).max())
    return lost < 3.0 and gain_kmh / 3.6 / max(end_s - start_s, 1e-6) > _SLOWEST_PULL_MS2


def _best(track: Track, from_kmh: float, to_kmh: float) -> Quantity:
    found = runs_between(track, from_kmh, to_kmh)
    if not found:
        top = float(track.values.max())
        return absent(
            "s",
            f"no uninterrupted acceleration from {from_kmh:.0f} to {to_kmh:.0f} km/h (fastest: {top:.0f} km/h)",
        )
    start_s, end_s = min(found, key=lambda span: span[1] - span[0])
    return _timed(track, start_s, end_s, len(found))


def _timed(track: Track, start_s: float, end_s: float, of: int = 1) -> Quantity:
    """State a time between two speeds; each end is known to half a reading, and the speed to 1.5 %."""
    duration_s = end_s - start_s
    slack = track.period_s / 2 + 0.015 * duration_s
    first, last = np.searchsorted(track.times_s, (start_s, end_s))
    return derived(
        duration_s,
        "s",
        f"time between the speeds, interpolated between readings; best of {of}; bounds: half a reading and 1.5 %",
        low=max(0.0, duration_s - slack),
        high=duration_s + slack,
        samples=int(last - first),
    )


def best_pulls(track: Track, most: int = 5) -> list[SpeedRun]:
    """Return the longest uninterrupted accelerations, those of 30 km/h and more, greatest gain of speed first."""
    pulls = []
    rates = acceleration_ms2(track)
    fast = np.nan_to_num(rates) > _SLOWEST_PULL_MS2
    edges = np.flatnonzero(np.diff(np.concatenate(([False], fast, [False])))).reshape(-1, 2)
    for first, end in edges:
        low, high = float(track.values[first]), float(track.values[end - 1])
        if high - low >= 30:
            pulls.append((high - low, int(first), int(end - 1)))
    return [
        SpeedRun(
            from_kmh=float(track.values[first]),
            to_kmh=float(track.values[last]),
            duration_s=_timed(track, float(track.times_s[first]), float(track.times_s[last])),
            start_s=float(track.times_s[first]),
            end_s=float(track.times_s[last]),
        )
        for _, first, last in sorted(pulls, reverse=True)[:most]
    ]


def _peak_power(track: Track, vehicle: VehicleFacts | None) -> Quantity:
    """Return the largest power at the wheels: mass x acceleration x speed, plus rolling and air resistance."""
    if vehicle is None or vehicle.mass_kg is None:
        return absent("kW", "the mass of the car is not known; save it with the vehicle")
    rates = acceleration_ms2(track)
    speed_ms = track.values / 3.6
    force = vehicle.mass_kg * (_ROTATING * rates + 9.81 * _ROLLING_RESISTANCE)
    power = (force + 0.5 * _AIR_KG_M3 * _DRAG_AREA_M2 * speed_ms**2) * speed_ms / 1000
    if not np.isfinite(power).any():
        return absent("kW", "road speed comes too rarely")
    peak = float(np.nanmax(power))
    return derived(
        peak,
        "kW",
        f"(m k a + m g 0.012 + 0.39 v²) v with m = {vehicle.mass_kg:g} kg, k = 1.05, on a level road; a over 2 s",
        low=0.85 * peak,
        high=1.15 * peak,
        samples=int(np.isfinite(power).sum()),
    )
