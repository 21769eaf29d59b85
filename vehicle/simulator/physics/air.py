"""Air into the engine: volumetric efficiency, manifold pressure, throttle, vacuum leak, load."""

import math

from vehicle.simulator.physics.state import State

DISPLACEMENT_L = 2.0
GAS_CONSTANT = 287.05  # J/(kg K), dry air
_BORE_AREA_M2 = 1.75e-3
_VE_RPM = (0.0, 700.0, 1500.0, 2500.0, 3500.0, 4300.0, 5200.0, 6000.0, 7000.0)
_VE_PEAK = (0.70, 0.76, 0.84, 0.90, 0.935, 0.95, 0.925, 0.87, 0.76)
OVERRUN_MAP_KPA = 24.0


def volumetric_efficiency(rpm: float, map_kpa: float, baro_kpa: float = 100.8) -> float:
    """Return the engine's volumetric efficiency, referred to the air density in the manifold."""
    return _peak_efficiency(rpm) * (0.70 + 0.30 * map_kpa / baro_kpa)


def _peak_efficiency(rpm: float) -> float:
    for index in range(1, len(_VE_RPM)):
        if rpm <= _VE_RPM[index]:
            low, high = _VE_RPM[index - 1], _VE_RPM[index]
            share = (rpm - low) / (high - low)
            return _VE_PEAK[index - 1] + share * (_VE_PEAK[index] - _VE_PEAK[index - 1])
    return _VE_PEAK[-1]


def air_flow_gps(rpm: float, map_kpa: float, intake_c: float, baro_kpa: float = 100.8) -> float:
    """Return the cylinder air flow in g/s by speed-density: rpm/120 * V_d * VE * p/(R T)."""
    efficiency = volumetric_efficiency(rpm, map_kpa, baro_kpa)
    density_gl = map_kpa * 1000.0 / (GAS_CONSTANT * (intake_c + 273.15))
    return rpm / 120.0 * DISPLACEMENT_L * efficiency * density_gl


def _map_for_air(air_gps: float, rpm: float, intake_c: float, baro_kpa: float) -> float:
    """Invert `air_flow_gps`, a quadratic in the manifold pressure."""
    per_kpa = rpm / 120.0 * DISPLACEMENT_L * _peak_efficiency(rpm) * 1000.0
    needed = air_gps * GAS_CONSTANT * (intake_c + 273.15) / per_kpa
    square = 0.30 / baro_kpa
    return (-0.70 + math.sqrt(0.49 + 4.0 * square * needed)) / (2.0 * square)


class Intake:
    """Turns the air the engine needs into manifold pressure, throttle opening and what the MAF sees."""

    def __init__(self, leak_area: float = 0.0) -> None:
        self.leak_area = leak_area

    def step(self, s: State, wanted_gps: float, dt: float) -> None:
        """Set map, air, leak and throttle for the air wanted in g/s; the manifold lags about 0.1 s."""
        full = s.baro_kpa - 1.5 - 6.2e-8 * s.rpm * s.rpm
        if s.rpm < 60.0:
            s.map_kpa += (s.baro_kpa - s.map_kpa) * min(1.0, dt / 0.4)
            s.air_gps = s.leak_gps = s.throttle_gps = 0.0
            s.throttle_pct = 16.0
            return
        target = OVERRUN_MAP_KPA if s.overrun else _map_for_air(wanted_gps, s.rpm, s.iat_c, s.baro_kpa)
        target = min(max(target, 18.0), full)
        s.map_kpa += (target - s.map_kpa) * min(1.0, dt / 0.12)
        s.air_gps = air_flow_gps(s.rpm, s.map_kpa, s.iat_c, s.baro_kpa)
        s.air_max_gps = air_flow_gps(s.rpm, full, s.iat_c, s.baro_kpa)
        flow = _flow_function(s.map_kpa / s.baro_kpa)
        s.leak_gps = min(self.leak_area * flow, 0.8 * s.air_gps)
        s.throttle_gps = s.air_gps - s.leak_gps
        self._open_throttle(s, flow)

    def _open_throttle(self, s: State, flow: float) -> None:
        per_area = s.baro_kpa * 1e6 / math.sqrt(GAS_CONSTANT * (s.ambient_c + 273.15)) * max(flow, 0.12)
        share = min(1.0, s.throttle_gps / (per_area * _BORE_AREA_M2))
        target = 13.0 + 71.0 * math.sqrt(share)
        s.throttle_pct += (target - s.throttle_pct) * 0.8


def _flow_function(pressure_ratio: float) -> float:
    """Return the isentropic orifice flow function (gamma 1.4), choked at 0.685 below a ratio of 0.528."""
    if pressure_ratio <= 0.528:
        return 0.6847
    ratio = min(pressure_ratio, 0.9999)
    return math.sqrt(7.0 * (ratio ** (2.0 / 1.4) - ratio ** (2.4 / 1.4)))


def set_loads(s: State) -> None:
    """Set calculated and absolute load as the ECU works them out from the air flow it believes (J1979)."""
    if s.rpm < 60.0:
        s.load_pct = s.absolute_load_pct = 0.0
        return
    s.load_pct = min(100.0, 100.0 * s.maf_read / s.air_max_gps)
    s.absolute_load_pct = 100.0 * s.maf_read * 120.0 / (s.rpm * DISPLACEMENT_L * 1.184)
