"""When a check applies: warm, closed loop, not in a transient, not just after a fuel cut."""

from functools import cached_property

import numpy as np

from analysis.anomalies.readings import rows_held
from analysis.anomalies.smoothing import ewma
from analysis.engine import Engine, lasting
from analysis.table import Floats
from analysis.tracks import Bools

_AFTER_CUT_S = 5.0
_AFTER_START_S = 30.0
_AFTER_TRANSIENT_S = 1.5
_WARM_WITHOUT_COOLANT_S = 600.0
_ROUNDING_S = 1e-6
_AIRED_S = 120.0
_AIRED_KMH = 20.0
_FASTEST = {"rpm": 250.0, "intake_pressure": 25.0, "throttle_pos": 15.0, "accelerator_pos_d": 25.0}
"""Changes per second beyond which flows and pressures no longer belong to the same moment."""
_CLOSED_LOOP = 2.0
_TRIMMED_S = 10.0
_UNTHROTTLED_KPA = 80.0
_FLAP_MOVES = 10.0
_SHUT_S = 60.0


class Conditions:
    """Masks over the moments of an engine's timeline in which checks apply."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.timeline = engine.timeline

    @cached_property
    def _rows_held(self) -> dict[float, int]:
        return rows_held(self.timeline)

    def rows_of(self, name: str) -> int:
        """Return how many rows of the log one reading of a signal lasts at least."""
        return self._rows_held.get(round(self.timeline[name].period_s, 3), 1)

    def reading_s(self, name: str) -> float:
        """Return the least time between two readings of a signal, longer than its rows are apart if it is held."""
        return self.rows_of(name) * self.timeline[name].period_s

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
        """Neither engine speed nor pressure nor throttle change quickly, nor did they a moment ago.

        Nor do they in the next readings: of signals read in turn some are then already older than the change.
        """
        quick, round_s = np.zeros(self.engine.rpm.size, dtype=bool), 0.0
        for name, fastest in _FASTEST.items():
            if self.timeline.has(name):
                quick |= change_per_s(self.timeline.held(name), self.timeline.step_s) > fastest
                round_s = max(round_s, self.reading_s(name))
        return ~self.lately(quick, _AFTER_TRANSIENT_S) & ~self.soon(quick, round_s)

    @cached_property
    def aired(self) -> Bools:
        """The car has moved fast enough for minutes: in crawling traffic the heat under the bonnet builds up."""
        speed = np.nan_to_num(self.engine.speed_kmh)
        return ewma(speed, _AIRED_S, self.timeline.step_s) >= _AIRED_KMH

    @cached_property
    def fuelled(self) -> Bools:
        """The engine is not in overrun and was not just now."""
        return self.engine.running & ~self.lately(self.engine.overrun, _AFTER_CUT_S)

    @cached_property
    def closed_loop(self) -> Bools:
        """The mixture is controlled: as the car says, else trimmed lately or warm, fuelled and not at full load."""
        if self.timeline.has("fuel_status", readings=1):
            closed = self.timeline.held("fuel_status") == _CLOSED_LOOP
            controlled: Bools = self.warm & ~self.lately(~closed, _AFTER_CUT_S) & self.fuelled
            return controlled
        rich = ~self.lately(self.engine.full_load, _AFTER_CUT_S)
        mixture = self.timeline.held("commanded_equiv_ratio")
        enriched = (mixture > 0.1) & (np.abs(mixture - 1) > 0.04)
        return (self.warm | self._trimmed) & self.settled & self.fuelled & rich & ~enriched

    @cached_property
    def _trimmed(self) -> Bools:
        """A short trim has moved lately: only a control loop moves it, whatever the coolant says."""
        moved = np.zeros(self.engine.rpm.size, dtype=bool)
        for name in ("short_fuel_trim_1", "short_fuel_trim_2"):
            if self.timeline.has(name):
                moved[1:] |= np.diff(self.timeline.held(name)) != 0
        return self.lately(moved, _TRIMMED_S)

    @cached_property
    def unthrottled(self) -> bool:
        """The engine idles without manifold vacuum, as diesels do: it warms up slowly, and its flap controls no air."""
        return self.engine.idle_level("intake_pressure") > _UNTHROTTLED_KPA

    @cached_property
    def flap_shut(self) -> Bools:
        """A diesel has shut its flap, as it does for minutes to burn the soot off its filter, or did so just now.

        It then recirculates no exhaust gas and draws half as much air again.
        """
        flap = self.timeline.held("throttle_pos")
        known = flap[self.engine.running & np.isfinite(flap)]
        if not known.size or not self.unthrottled:
            return np.zeros(flap.size, dtype=bool)
        shut = self.engine.running & (flap < np.quantile(known, 0.9) - _FLAP_MOVES)
        # It also shuts for a moment whenever the engine stops.
        return self.lately(lasting(shut, _SHUT_S, self.timeline.step_s), _SHUT_S)

    @cached_property
    def settled_idle(self) -> Bools:
        """Warm idle has lasted five seconds, pedal released."""
        return self.idle_for(5.0)

    def idle_for(self, seconds: float) -> Bools:
        """Return the moments of warm idle that have lasted so long, pedal released."""
        idle = self.engine.idle & self.warm & self.settled
        if "pedal_released" not in self.engine.why_not:
            idle = idle & (self.engine.pedal_released | bool(self.engine.why_not.get("pedal_released")))
        return idle & ~self.lately(~idle, seconds)

    def soon(self, where: Bools, seconds: float) -> Bools:
        """Return the moments at which something holds or will within the next seconds."""
        return self.lately(where[::-1], seconds)[::-1]

    def lately(self, where: Bools, seconds: float) -> Bools:
        """Return the moments at which something holds or held within the last seconds."""
        index = np.arange(where.size)
        last = np.maximum.accumulate(np.where(where, index, -(10**9)))
        recent: Bools = (index - last) * self.timeline.step_s <= seconds + _ROUNDING_S
        return recent


def change_per_s(values: Floats, step_s: float) -> Floats:
    """Return the absolute change per second, over at least half a second; NaN count as no change."""
    apart = max(1, round(0.5 / step_s))
    change = np.zeros(values.size)
    change[apart:] = np.abs(values[apart:] - values[:-apart]) / (apart * step_s)
    return np.nan_to_num(change)
