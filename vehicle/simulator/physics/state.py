"""Everything the simulated car is at one moment: true values, and what its sensors make of them."""

from dataclasses import dataclass

OPEN_LOOP_COLD = 1
CLOSED_LOOP = 2
OPEN_LOOP_LOAD = 4  # J1979 uses one bit for power enrichment and overrun fuel cut


@dataclass(slots=True)
class State:
    """True values by name with unit; a `_read` suffix marks what a sensor reports before quantisation."""

    time_s: float = 0.0
    ignition: bool = True
    running: bool = False
    cranking: bool = False
    run_time_s: float = 0.0

    speed_kmh: float = 0.0
    accel_ms2: float = 0.0
    distance_km: float = 0.0
    gear: int = 0
    shifting: bool = False
    rpm: float = 0.0
    torque_nm: float = 0.0
    torque_max_nm: float = 100.0
    friction_nm: float = 0.0
    indicated_nm: float = 0.0
    overrun: bool = False

    ambient_c: float = 20.0
    baro_kpa: float = 100.8
    air_gps: float = 0.0
    leak_gps: float = 0.0
    throttle_gps: float = 0.0
    map_kpa: float = 100.8
    throttle_pct: float = 16.0
    pedal_pct: float = 0.0
    air_max_gps: float = 50.0
    spark_deg: float = 8.0

    lambda_cmd: float = 1.0
    lambda_true: float = 1.0
    fuel_gps: float = 0.0
    fuel_cmd_gps: float = 0.0
    fuel_status: int = OPEN_LOOP_COLD
    stft_pct: float = 0.0
    ltft_pct: float = 0.0
    rail_kpa: float = 0.0
    fuel_l: float = 38.0
    fuel_used_l: float = 0.0
    fuel_cut: bool = False

    coolant_c: float = 20.0
    oil_c: float = 20.0
    iat_c: float = 20.0
    thermostat: float = 0.0
    fan: bool = False
    catalyst_c: float = 20.0
    loads_a: float = 0.0  # consumers somebody switched on
    battery_soc: float = 0.75
    battery_a: float = 0.0
    volts: float = 12.5
    misfires: tuple[int, int, int, int] = (0, 0, 0, 0)
    misfire_share: float = 0.0

    rpm_read: float = 0.0
    speed_read: float = 0.0
    map_read: float = 100.8
    maf_mean: float = 0.0  # what the sensor says over an intake stroke: the ECU meters fuel by it
    maf_read: float = 0.0
    coolant_read: float = 20.0
    iat_read: float = 20.0
    throttle_read: float = 16.0
    pedal_read: float = 15.0
    volts_read: float = 12.5
    rail_read: float = 0.0
    lambda_read: float = 1.0
    o2_front_v: float = 0.45
    o2_rear_v: float = 0.45
    load_pct: float = 0.0
    absolute_load_pct: float = 0.0
