"""What happened on a drive: starts, stops, harsh acceleration and braking, warm-up."""

import numpy as np

from analysis.engine import WARM_C, Engine
from analysis.findings import Quantity, absent, derived
from analysis.motion import acceleration_ms2, speed_track
from analysis.tracks import Bools, Track, runs

HARSH_ACCELERATION_MS2 = 3.0
HARSH_BRAKING_MS2 = -3.5
STOP_AT_LEAST_S = 2.0
_COLD_START_C = 60.0


def stops(engine: Engine) -> Quantity:
    """Count how often the moving car came to stand for two seconds or more."""
    if "standing" in engine.why_not or not np.isfinite(engine.speed_kmh).any():
        return absent("count", engine.why_not.get("standing", "the road speed has no usable readings"))
    step_s = engine.timeline.step_s
    spans = runs(engine.standing)
    count = sum(
        1
        for first, end in spans
        if first > 0 and (end - first) * step_s >= STOP_AT_LEAST_S and engine.moving[:first].any()
    )
    method = f"moving, then standing for {STOP_AT_LEAST_S:g} s or more"
    return derived(float(count), "count", method, samples=int(np.isfinite(engine.speed_kmh).sum()))


def engine_starts(engine: Engine) -> Quantity:
    """Count how often the engine went from standing to running."""
    if "running" in engine.why_not:
        return absent("count", engine.why_not["running"])
    index = np.arange(engine.running.size)
    stood = np.maximum.accumulate(np.where(engine.off, index, -1))
    begun = np.flatnonzero(engine.running[1:] & ~engine.running[:-1]) + 1
    ran = np.maximum.accumulate(np.where(engine.running, index, -1))
    count = sum(1 for place in begun if stood[place] > ran[place - 1])
    tail = "; the recording begins with the engine running" if _begins_running(engine) else ""
    return derived(float(count), "count", f"rpm from below 50 to above 400{tail}", samples=index.size)


def _begins_running(engine: Engine) -> bool:
    known = np.flatnonzero(np.isfinite(engine.rpm))
    return bool(known.size and engine.running[known[0]])


def harsh_events(engine: Engine) -> dict[str, Quantity]:
    """Return counts of harsh accelerations and brakings, and the hardest of each in m/s²."""
    track = speed_track(engine.timeline)
    rates = np.array([]) if track is None else acceleration_ms2(track, half_window_s=0.5)
    if track is None or not np.isfinite(rates).any():
        reason = "no road speed was recorded" if track is None else "road speed comes too rarely"
        return {
            "harsh_accelerations": absent("count", reason),
            "harsh_brakings": absent("count", reason),
            "max_acceleration_ms2": absent("m/s²", reason),
            "max_braking_ms2": absent("m/s²", reason),
        }
    window = f"change of {track.signal} over {2 * max(0.5, track.period_s):.3g} s"
    known = int(np.isfinite(rates).sum())
    hard, brake = rates >= HARSH_ACCELERATION_MS2, rates <= HARSH_BRAKING_MS2
    return {
        "harsh_accelerations": _events(
            track, hard, f"{window} of {HARSH_ACCELERATION_MS2} m/s² or more", known
        ),
        "harsh_brakings": _events(track, brake, f"{window} of {HARSH_BRAKING_MS2} m/s² or less", known),
        "max_acceleration_ms2": derived(max(0.0, float(np.nanmax(rates))), "m/s²", window, samples=known),
        "max_braking_ms2": derived(min(0.0, float(np.nanmin(rates))), "m/s²", window, samples=known),
    }


def _events(track: Track, where: Bools, method: str, samples: int) -> Quantity:
    """Count stretches, those less than two seconds apart as one."""
    spans = runs(where)
    if not len(spans):
        return derived(0.0, "count", method, samples=samples)
    apart_s = track.times_s[spans[1:, 0]] - track.times_s[spans[:-1, 1] - 1]
    return derived(float(1 + np.count_nonzero(apart_s > 2.0)), "count", method, samples=samples)


def warm_up_s(engine: Engine) -> Quantity:
    """Return the running time from a cold start until the coolant reaches WARM_C."""
    timeline = engine.timeline
    if not timeline.has("coolant_temp") or "running" in engine.why_not:
        return absent("s", "warm-up needs both coolant_temp and rpm")
    coolant = timeline.held("coolant_temp")
    known = np.flatnonzero(engine.running & np.isfinite(coolant))
    if not known.size:
        return absent("s", "the engine was never seen running with a coolant temperature")
    first = known[0]
    if coolant[first] >= _COLD_START_C:
        return absent("s", f"the engine was already at {coolant[first]:.0f} °C when first seen running")
    reached = np.flatnonzero(coolant[first:] >= WARM_C)
    if not reached.size:
        top = float(np.nanmax(coolant[first:]))
        return absent("s", f"coolant reached only {top:.0f} °C of {WARM_C:.0f} °C in this recording")
    span = engine.running[first : first + reached[0]]
    return derived(
        timeline.seconds(span),
        "s",
        f"running time from {coolant[first]:.0f} °C to {WARM_C:.0f} °C coolant",
        samples=int(reached[0]),
    )
