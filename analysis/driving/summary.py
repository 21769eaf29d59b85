"""The drive in numbers."""

import numpy as np

from analysis.driving.distance import distance_km, odometer_km
from analysis.driving.events import engine_starts, harsh_events, stops, warm_up_s
from analysis.driving.gears import gears
from analysis.engine import Engine
from analysis.findings import Finding, Quantity, absent, derived, measured
from analysis.motion import speed_track, standing_below_kmh
from analysis.results.driving import DrivingSummary
from analysis.timeline import Timeline
from analysis.tracks import Bools


def driving_summary(
    timeline: Timeline, engine: Engine | None = None, scale: Finding | None = None
) -> DrivingSummary:
    """Sum a drive up: times, distance, stops, events, gears; absent where signals are missing.

    `scale` is a finding that the speed is on a wrong scale; the distance then says so.
    """
    if timeline.untimed:
        return _untimed(timeline, timeline.untimed)
    engine = engine or Engine(timeline)
    ratios, why_no_gears = gears(engine)
    return DrivingSummary(
        duration_s=_duration(timeline),
        engine_running_s=_time(engine, "running", engine.running, "rpm of 400 or more"),
        distance_km=distance_km(timeline, doubt=scale.title if scale else None),
        odometer_km=odometer_km(timeline),
        stops=stops(engine),
        max_rpm=_largest(timeline, "rpm", "rpm"),
        warm_up_s=warm_up_s(engine),
        engine_starts=engine_starts(engine),
        gears=ratios,
        gears_reason=why_no_gears,
        **_times(engine),
        **_speeds(timeline),
        **harsh_events(engine),
    )


def _untimed(timeline: Timeline, reason: str) -> DrivingSummary:
    """Return the drive of a session without usable times: extremes and distance counters are all there is."""
    units = {
        "stops": "count",
        "engine_starts": "count",
        "harsh_accelerations": "count",
        "harsh_brakings": "count",
    }
    units |= {"idle_share": "ratio", "overrun_share": "ratio"}
    units |= {"max_acceleration_ms2": "m/s²", "max_braking_ms2": "m/s²"}
    units |= {"mean_speed_kmh": "km/h", "mean_moving_speed_kmh": "km/h"}
    seconds = ("duration_s", "engine_running_s", "idle_s", "moving_s", "stopped_s", "warm_up_s")
    units |= dict.fromkeys(seconds, "s")
    return DrivingSummary(
        distance_km=distance_km(timeline),
        odometer_km=odometer_km(timeline),
        max_speed_kmh=_largest(timeline, "speed", "km/h"),
        max_rpm=_largest(timeline, "rpm", "rpm"),
        gears=[],
        gears_reason=reason,
        **{name: absent(unit, reason) for name, unit in units.items()},
    )


def _duration(timeline: Timeline) -> Quantity:
    if not any(len(track) for track in timeline.values()):
        return absent("s", "the window holds no readings")
    method = "time of the last reading less that of the first, over all signals; gaps included"
    return derived(timeline.end_s - timeline.start_s, "s", method, samples=sum(map(len, timeline.values())))


def _time(engine: Engine, mask: str, where: Bools, what: str) -> Quantity:
    """Return how long a mask holds, or that it cannot be told."""
    if mask in engine.why_not:
        return absent("s", engine.why_not[mask])
    step_s = engine.timeline.step_s
    method = f"moments {step_s:.3g} s apart with {what}"
    return derived(engine.timeline.seconds(where), "s", method, samples=int(np.count_nonzero(where)))


def _times(engine: Engine) -> dict[str, Quantity]:
    """Return idle, moving and standing times and the shares of idle and overrun."""
    track = speed_track(engine.timeline)
    below = f"{standing_below_kmh(track):g} km/h" if track else ""
    idle = _time(
        engine, "idle", engine.idle, f"rpm of 400 or more and speed below {below or 'what rpm tells'}"
    )
    if "running" in engine.why_not:
        idle = absent("s", engine.why_not["running"])
    overrun = _time(engine, "overrun", engine.overrun, "pedal released, rolling, rpm above idle, unfuelled")
    if "running" in engine.why_not:
        overrun = absent("s", engine.why_not["running"])
    moving = _time(engine, "standing", engine.moving, f"speed of {below} or more")
    known = np.isfinite(engine.speed_kmh) if track else engine.running
    running_s = engine.timeline.seconds(engine.running & known)
    return {
        "idle_s": idle,
        "idle_share": _share(idle, running_s, "idle time / engine running time with a known speed"),
        "moving_s": moving,
        "stopped_s": _time(engine, "standing", engine.standing, f"speed below {below}"),
        "overrun_share": _share(overrun, moving.value or 0.0, "overrun time / moving time"),
    }


def _share(part: Quantity, whole_s: float, method: str) -> Quantity:
    if part.value is None:
        return absent("ratio", part.reason or "not known")
    if whole_s <= 0:
        return absent("ratio", f"nothing to divide by in: {method}")
    return derived(min(1.0, part.value / whole_s), "ratio", method, samples=part.samples)


def _largest(timeline: Timeline, name: str, unit: str) -> Quantity:
    if not timeline.has(name, readings=1):
        return absent(unit, f"no {name} was recorded")
    return measured(float(timeline[name].values.max()), unit, samples=len(timeline[name]))


def _speeds(timeline: Timeline) -> dict[str, Quantity]:
    """Return the highest and the mean speeds."""
    track = speed_track(timeline)
    if track is None or track.covered_s <= 0:
        reason = (
            "no road speed was recorded" if track is None else f"{track.signal} has no two readings in a row"
        )
        return {
            name: absent("km/h", reason)
            for name in ("max_speed_kmh", "mean_speed_kmh", "mean_moving_speed_kmh")
        }
    where = track.values >= standing_below_kmh(track)
    moving_s = float(track.weights_s[where].sum())
    if moving_s > 0:
        mean = float(track.weights_s[where] @ track.values[where]) / moving_s
        method = f"time-weighted mean of {track.signal} while moving"
        moving = derived(mean, "km/h", method, samples=int(where.sum()))
    else:
        moving = absent("km/h", "the car did not move")
    overall = f"time-weighted mean of {track.signal}, standing included, gaps left out"
    return {
        "max_speed_kmh": measured(float(track.values.max()), "km/h", samples=len(track)),
        "mean_speed_kmh": derived(track.integral() / track.covered_s, "km/h", overall, samples=len(track)),
        "mean_moving_speed_kmh": moving,
    }
