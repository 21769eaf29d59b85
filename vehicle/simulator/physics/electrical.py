"""The electrical system: consumers, alternator, battery, and the voltage the control module sees."""

from vehicle.simulator.physics.faults import Effects
from vehicle.simulator.physics.state import State

_BATTERY_AH = 60.0
_INNER_OHM = 0.009
_CABLE_OHM = 0.01


def step_voltage(s: State, effects: Effects, dt: float) -> None:
    """Advance voltage and battery charge by dt seconds; the battery gives what the alternator does not."""
    used = 4.0
    if s.ignition:
        used = 40.0 + s.loads_a + (16.0 if s.fan else 0.0) + (180.0 if s.cranking else 0.0)
    wanted = 14.4 - 0.006 * min(max(s.coolant_c - 20.0, 0.0), 80.0) - _CABLE_OHM * s.loads_a
    resting = 11.9 + 0.85 * s.battery_soc
    able = effects.alternator * min(120.0, 0.14 * max(0.0, s.rpm - 320.0)) if s.running else 0.0
    charging = min((wanted - resting) / (_INNER_OHM * 4.0), 40.0, able - used)
    s.battery_a = charging
    if charging >= 0.0 and able > used:
        s.volts += (wanted - s.volts) * min(1.0, dt / 0.4)
    else:
        s.volts += (resting + charging * _INNER_OHM - s.volts) * min(1.0, dt / 0.4)
    s.battery_soc = min(1.0, max(0.02, s.battery_soc + charging * dt / (3600.0 * _BATTERY_AH)))
