"""What the engine is doing at every moment of a timeline, as masks; the states and the rules build on them.

Every mask is False where the signals do not tell. `why_not` holds, per mask, why it cannot be told at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from analysis.motion import acceleration_on_grid, speed_track, standing_below_kmh
from analysis.table import Floats
from analysis.timeline import Timeline
from analysis.tracks import Bools, runs

RUNNING_RPM = 400.0
"""Above this the engine runs by itself; starters turn it at 150 to 300 rpm."""
STOPPED_RPM = 50.0
WARM_C = 70.0
"""Coolant from which an engine counts as warm: below it thermostats are shut and mixtures enriched."""
WARM_AFTER_S = 1200.0
"""An engine that has run this long counts as warm even if its coolant says otherwise: that is a fault."""
_OVERRUN_KMH = 10.0
_OVERRUN_RPM_OVER_IDLE = 350.0
_PEDALS = ("accelerator_pos_d", "accelerator_pos_e", "relative_throttle_pos", "throttle_pos")


@dataclass(frozen=True)
class Past:
    """What is known of the time before a window: where its first moment stands, and levels learned earlier.

    Levels (NaN: unknown) stay as they were first learned; the window's own would change whenever it moves on.
    """

    running_s: float = 0.0
    warm: bool = False
    work: float = 0.0
    cold_start_c: float = float("nan")
    idle_rpm: float = float("nan")
    pedal_range: tuple[float, float] = (float("nan"), float("nan"))
    idle_levels: Mapping[str, float] = field(default_factory=dict)


class Engine:
    """Masks over the moments of a timeline: running, warm, idle, overrun, full load and their like."""

    def __init__(self, timeline: Timeline, past: Past | None = None) -> None:
        self.timeline = timeline
        self.past = past or Past()
        self.why_not: dict[str, str] = {}
        self.notes: list[str] = []

    def _never(self, mask: str, reason: str) -> Bools:
        self.why_not[mask] = reason
        return np.zeros(self.timeline.moments_s.size, dtype=bool)

    @cached_property
    def rpm(self) -> Floats:
        """Engine speed at every moment."""
        return self.timeline.held("rpm")

    @cached_property
    def speed_kmh(self) -> Floats:
        """Road speed at every moment, from the car or else from the position receiver."""
        track = speed_track(self.timeline)
        return self.timeline.held(track.signal if track else "speed")

    @cached_property
    def acceleration_ms2(self) -> Floats:
        """Acceleration at every moment."""
        return acceleration_on_grid(self.timeline)

    @cached_property
    def running(self) -> Bools:
        """The engine runs by itself."""
        if not self.timeline.has("rpm", readings=1):
            return self._never("running", "no rpm was recorded")
        return self.rpm >= RUNNING_RPM

    @cached_property
    def off(self) -> Bools:
        """The engine stands."""
        return self.rpm < STOPPED_RPM

    @cached_property
    def cranking(self) -> Bools:
        """The engine turns slower than it can run by itself."""
        return (self.rpm >= STOPPED_RPM) & (self.rpm < RUNNING_RPM)

    @cached_property
    def standing(self) -> Bools:
        """The car stands."""
        track = speed_track(self.timeline)
        if track is None:
            return self._never("standing", "no road speed was recorded")
        return self.speed_kmh < standing_below_kmh(track)

    @cached_property
    def moving(self) -> Bools:
        """The car moves."""
        return np.isfinite(self.speed_kmh) & ~self.standing

    @cached_property
    def running_s(self) -> Floats:
        """Seconds of running seen since the engine last stood (or since the window began)."""
        seconds: Floats = np.cumsum(self.running, dtype=np.float64) * self.timeline.step_s
        restart = np.maximum.accumulate(np.where(self.off, seconds, -self.past.running_s))
        return seconds - restart

    @cached_property
    def warm(self) -> Bools:
        """The engine runs and has reached WARM_C since it last started, or has run for WARM_AFTER_S."""
        if not self.timeline.has("coolant_temp", readings=1):
            return self._never("warm", "no coolant_temp was recorded")
        coolant = self.timeline.held("coolant_temp")
        index = np.arange(coolant.size)
        # A single reading may be a spike; five seconds are none.
        warm = lasting(coolant >= WARM_C, 5.0, self.timeline.step_s)
        reached = np.maximum.accumulate(np.where(warm, index, -1))
        started = np.maximum.accumulate(np.where(self.off, index, -2 if self.past.warm else -1))
        run_time = self.timeline.held("run_time")
        long_run = np.fmax(self.running_s, np.where(np.isfinite(run_time), run_time, 0.0)) >= WARM_AFTER_S
        return self.running & ((reached > started) | long_run)

    @cached_property
    def cold(self) -> Bools:
        """The engine runs and is known not to be warm yet."""
        warm = self.warm
        return self.running & ~warm & np.isfinite(self.timeline.held("coolant_temp"))

    @cached_property
    def idle_rpm(self) -> float:
        """The engine speed this engine idles at, NaN if it was never seen to."""
        if np.isfinite(self.past.idle_rpm):
            return self.past.idle_rpm
        where = self.running & (self.standing if "standing" not in self.why_not else True)
        if not where.any():
            return float("nan")
        return float(np.quantile(self.rpm[where], 0.25 if speed_track(self.timeline) else 0.03))

    @cached_property
    def idle(self) -> Bools:
        """The engine runs while the car stands; without a road speed: at the lowest speed it keeps."""
        standing = self.standing
        if "standing" not in self.why_not:
            return self.running & standing
        if not self.idle_rpm < 1100:
            return self._never("idle", "no road speed was recorded, and rpm shows no idle level of its own")
        self.notes.append(
            f"No road speed: idle is told from rpm alone (within 12 % of {self.idle_rpm:.0f} rpm for 5 s)."
        )
        near = self.running & (np.abs(self.rpm - self.idle_rpm) < 0.12 * self.idle_rpm)
        return lasting(near, 5.0, self.timeline.step_s)

    @cached_property
    def pedal(self) -> str | None:
        """The signal that tells the driver's wish best, or None."""
        return self.timeline.first_of(*_PEDALS)

    @cached_property
    def pedal_range(self) -> tuple[float, float]:
        """The lowest and highest level the pedal shows while running, NaN where unknown."""
        if self.pedal is None or np.isfinite(self.past.pedal_range[0]):
            return self.past.pedal_range
        wish = self.timeline.held(self.pedal)
        known = wish[self.running & np.isfinite(wish)]
        if not known.size:
            return float("nan"), float("nan")
        low, high = np.quantile(known, (0.02, 0.995))
        return float(low), float(high)

    def idle_level(self, name: str) -> float:
        """Return the median of a signal at idle, NaN where it was never seen there."""
        if np.isfinite(self.past.idle_levels.get(name, float("nan"))):
            return self.past.idle_levels[name]
        level = self.timeline.held(name)
        at_idle = level[self.idle & np.isfinite(level)]
        return float(np.median(at_idle)) if at_idle.size else float("nan")

    @cached_property
    def pedal_released(self) -> Bools:
        """The pedal, or the throttle in its place, is at the lowest level it shows while running."""
        if self.pedal is None:
            return self._never("pedal_released", "neither pedal nor throttle was recorded")
        wish = self.timeline.held(self.pedal)
        low, high = self.pedal_range
        if np.isnan(low):
            return self._never("pedal_released", "pedal and rpm were never seen together")
        if high - low < 5.0:
            return self._never("pedal_released", f"{self.pedal} hardly moves ({low:.1f} to {high:.1f} %)")
        released: Bools = wish <= low + max(1.5, 0.03 * (high - low))
        return released

    @cached_property
    def overrun(self) -> Bools:
        """The rolling car turns the engine, pedal released, and nothing speaks for injected fuel."""
        released = self.pedal_released
        if "pedal_released" in self.why_not or "standing" in self.why_not:
            reason = self.why_not.get("pedal_released") or self.why_not["standing"]
            return self._never("overrun", reason)
        idle = self.idle_rpm if np.isfinite(self.idle_rpm) else 800.0
        rolling = (self.speed_kmh > _OVERRUN_KMH) & (self.rpm > idle + _OVERRUN_RPM_OVER_IDLE)
        return self.running & rolling & released & ~self._fuelled

    @cached_property
    def _fuelled(self) -> Bools:
        """Something speaks for injected fuel: fuel rate, manifold pressure or load above what idling takes.

        A cruise control drives with the pedal released, so where no such signal tells, a car that does not slow
        down by 0.2 m/s² is taken as driven.
        """
        fuelled = self.timeline.held("fuel_rate") > 0.3
        told = self.timeline.has("fuel_rate")
        for name, above, at_most in (("intake_pressure", 3.0, 70.0), ("engine_load", 5.0, 60.0)):
            at_idle = self.idle_level(name)
            if at_idle < at_most:
                fuelled |= self.timeline.held(name) > at_idle + above
                told = True
        if told:
            return fuelled
        self.notes.append(
            "No signal tells injected fuel: overrun is the pedal released and the car slowing down."
        )
        return ~(self.acceleration_ms2 <= -0.2)

    @cached_property
    def full_load(self) -> Bools:
        """The pedal or throttle is nearly at its end, or the calculated load is."""
        load = self.timeline.first_of("engine_load", "absolute_load")
        if self.pedal is None and load is None:
            return self._never("full_load", "neither pedal, throttle nor engine load was recorded")
        floored = np.zeros(self.rpm.size, dtype=bool)
        if self.pedal in _PEDALS[:3]:
            floored |= self.timeline.held(str(self.pedal)) >= 80
        if load:
            floored |= self.timeline.held(load) >= 95
        if self.pedal == "throttle_pos" and load:
            floored |= (self.timeline.held("throttle_pos") >= 75) & (self.timeline.held(load) >= 80)
        return self.running & floored & (self.rpm > 1200)


def lasting(where: Bools, at_least_s: float, step_s: float) -> Bools:
    """Keep only the stretches of True that last at least so many seconds."""
    kept = np.zeros(where.size, dtype=bool)
    for first, end in runs(where):
        if (end - first) * step_s >= at_least_s:
            kept[first:end] = True
    return kept
