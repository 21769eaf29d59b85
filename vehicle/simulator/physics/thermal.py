"""Heat: coolant with thermostat and fan, oil, and the air on its way in."""

from vehicle.simulator.physics.combustion import HEAT_KJ_G
from vehicle.simulator.physics.faults import Effects
from vehicle.simulator.physics.state import State

_COOLANT_KJ_K = 46.0  # engine block, head and coolant together
_OPENS_C = 86.0
_FULL_C = 96.0
_FAN_ON_C = 101.0
_FAN_OFF_C = 96.0
_BOILS_C = 121.0


def step_heat(s: State, effects: Effects, dt: float) -> None:
    """Advance coolant, oil and intake air temperature by dt seconds; energy balance per lumped mass."""
    _move_thermostat(s, effects, dt)
    speed = s.speed_kmh / 3.6
    hot = s.coolant_c - s.ambient_c
    if s.coolant_read > _FAN_ON_C:
        s.fan = s.running and effects.fan_works
    elif s.coolant_read < _FAN_OFF_C:
        s.fan = False
    air = 70.0 + 40.0 * speed**0.8 + (380.0 if s.fan else 0.0)  # W/K of the radiator, fully open
    lost_kw = (s.thermostat * air * effects.radiator + 11.0 + 0.35 * speed) * hot / 1000.0
    burnt_kw = s.fuel_gps * HEAT_KJ_G
    if s.coolant_c > _BOILS_C:  # steam leaves by the cap and takes its heat along
        lost_kw += 1.5 * (s.coolant_c - _BOILS_C)
    gained_kw = 0.27 * burnt_kw + (1.1 if s.running else 0.0)
    s.coolant_c += (gained_kw - lost_kw) / _COOLANT_KJ_K * dt
    rubbing_kw = s.friction_nm * s.rpm * 0.10472 / 1000.0 * 0.35 if s.running else 0.0
    to_oil_kw = (
        rubbing_kw + 0.045 * burnt_kw - 0.24 * (s.oil_c - s.coolant_c) - 0.018 * (s.oil_c - s.ambient_c)
    )
    s.oil_c += to_oil_kw / 11.0 * dt
    _warm_intake(s, speed, dt)


def _move_thermostat(s: State, effects: Effects, dt: float) -> None:
    wanted = (s.coolant_c - _OPENS_C) / (_FULL_C - _OPENS_C)
    wanted = min(max(wanted, effects.thermostat_least), 1.0)
    s.thermostat += (wanted - s.thermostat) * min(1.0, dt / 8.0)


def _warm_intake(s: State, speed: float, dt: float) -> None:
    soak = 0.30 * max(0.0, s.coolant_c - s.ambient_c) / (1.0 + 0.16 * speed + 0.06 * s.air_gps)
    s.iat_c += (s.ambient_c + 1.5 + soak - s.iat_c) * dt / (55.0 + 200.0 / (1.0 + s.air_gps))
