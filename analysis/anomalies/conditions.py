"""When a check applies: warm, closed loop, not in a transient, not just after a fuel cut."""

from functools import cached_property

import numpy as np

from analysis.engine import Engine
from analysis.table import Floats
from analysis.tracks import Bools

_AFTER_CUT_S = 5.0
_AFTER_START_S = 30.0
_AFTER_TRANSIENT_S = 1.5
_WARM_WITHOUT_COOLANT_S = 600.0
_FASTEST = {"rpm": 250.0, "intake_pressure": 25.0, "throttle_pos": 15.0, "accelerator_pos_d": 25.0}
"""Changes per second beyond which flows and pressures no longer belong to the same moment."""
_CLOSED_LOOP = 2.0


class Conditions:
    """Masks over the moments of an engine's timeline in which checks apply."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.timeline = engine.timeline

    @cached_property
    def warm(self) -> Bools:
        """The engine is warm; without a coolant temperature: it has run for ten minutes."""
        if "warm" in self.engine.why_not or not self.engine.warm.any():
            if self.timeline.has("coolant_temp"):
                return self.engine.warm
            return self.engine.running & (self.engine.running_s >= _WARM_WITHOUT_COOLANT_S)
        return self.engine.warm

    @cached_property
    def settled(self) -> Bools:
        """The engine has run for half a minute since it started."""
        index = np.arange(self.engine.rpm.size)
        stood = np.maximum.accumulate(np.where(self.engine.off | self.engine.cranking, index, -1))
        since_s = (index - stood) * self.timeline.step_s
        return self.engine.running & ((stood < 0) | (since_s >= _AFTER_START_S))

    @cached_property
    def steady(self) -> Bools:
        """Neither engine speed nor pressure nor throttle change quickly, nor did they a moment ago."""
        quick = np.zeros(self.engine.rpm.size, dtype=bool)
        for name, fastest in _FASTEST.items():
            if self.timeline.has(name):
                quick |= change_per_s(self.timeline.held(name), self.timeline.step_s) > fastest
        return ~self.lately(quick, _AFTER_TRANSIENT_S)

    @cached_property
    def fuelled(self) -> Bools:
        """The engine is not in overrun and was not just now."""
        return self.engine.running & ~self.lately(self.engine.overrun, _AFTER_CUT_S)

    @cached_property
    def closed_loop(self) -> Bools:
        """The mixture is controlled: as the car says, else warm, fuelled and not at full load."""
        if self.timeline.has("fuel_status", readings=1):
            closed = self.timeline.held("fuel_status") == _CLOSED_LOOP
            controlled: Bools = self.warm & ~self.lately(~closed, _AFTER_CUT_S) & self.fuelled
            return controlled
        rich = ~self.lately(self.engine.full_load, _AFTER_CUT_S)
        mixture = self.timeline.held("commanded_equiv_ratio")
        enriched = (mixture > 0.1) & (np.abs(mixture - 1) > 0.04)
        return self.warm & self.settled & self.fuelled & rich & ~enriched

    def lately(self, where: Bools, seconds: float) -> Bools:
        """Return the moments at which something holds or held within the last seconds."""
        index = np.arange(where.size)
        last = np.maximum.accumulate(np.where(where, index, -(10**9)))
        recent: Bools = (index - last) * self.timeline.step_s <= seconds
        return recent


def change_per_s(values: Floats, step_s: float) -> Floats:
    """Return the absolute change per second, over at least half a second; NaN count as no change."""
    apart = max(1, round(0.5 / step_s))
    change = np.zeros(values.size)
    change[apart:] = np.abs(values[apart:] - values[:-apart]) / (apart * step_s)
    return np.nan_to_num(change)
