"""Somebody in the parked car who does what a workshop test asks: pedal, consumers, starter."""

from collections.abc import Mapping
from dataclasses import dataclass

from vehicle.simulator.physics.state import State

_INERTIA_KGM2 = 0.16  # crankshaft with flywheel of a two-litre engine
_RESPONSE_S = 0.4
_RAD_S_PER_RPM = 0.104720
SNAP_RPM = 6500.0


@dataclass(frozen=True, slots=True)
class Act:
    """What is done from a moment of the script on; `rpm` None is a foot off the pedal."""

    at_s: float
    rpm: float | None = None
    loads_a: float = 0.0
    engine_off: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """Acts in order, begun anew every `period_s` seconds of simulated time."""

    period_s: float
    acts: tuple[Act, ...]

    def now(self, time_s: float) -> Act:
        """Return the act in force."""
        within = time_s % self.period_s
        return [act for act in self.acts if act.at_s <= within][-1]


SCRIPTS: Mapping[str, Script] = {
    "hold2500": Script(90.0, (Act(0.0), Act(54.0, rpm=2500.0))),
    "snap": Script(20.0, (Act(0.0), Act(14.0, rpm=SNAP_RPM), Act(14.6))),
    "load": Script(60.0, (Act(0.0), Act(24.0, loads_a=16.0), Act(42.0, rpm=1600.0, loads_a=16.0))),
    "crank": Script(30.0, (Act(0.0, engine_off=True), Act(10.0))),
}


class Driver:
    """Follows a script, or does what the car's owner says by `rpm` and `loads_a`."""

    def __init__(self, script: str) -> None:
        self.rpm: float | None = None
        self.loads_a = 0.0
        self.engine_off = False
        self._script = SCRIPTS.get(script)

    def follow(self, s: State) -> None:
        """Do what the script says at this moment, and switch the consumers."""
        if self._script is not None:
            act = self._script.now(s.time_s)
            self.rpm, self.loads_a, self.engine_off = act.rpm, act.loads_a, act.engine_off
        s.loads_a = self.loads_a

    def rev(self, s: State, rpm_before: float, idle_rpm: float, dt: float) -> None:
        """Turn the free engine towards the speed wanted; a foot off the pedal leaves it to friction and idle control.

        Angular acceleration is torque over the inertia of crankshaft and flywheel; more torque than the engine
        has asks for a throttle wide open.
        """
        if s.gear or (self.rpm is None and rpm_before < idle_rpm + 150.0):
            return
        wanted = idle_rpm if self.rpm is None else self.rpm
        torque = _INERTIA_KGM2 * (wanted - rpm_before) / _RESPONSE_S * _RAD_S_PER_RPM
        s.torque_nm = max(-s.friction_nm, min(torque, 1.15 * s.torque_max_nm))
        s.rpm = rpm_before + s.torque_nm / _INERTIA_KGM2 / _RAD_S_PER_RPM * dt
        s.overrun = s.torque_nm < -1.0 and rpm_before > 1250.0 and self.rpm is None
