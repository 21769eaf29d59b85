"""The simulator's own small table of mode 01 PIDs: how each value is rounded and written (SAE J1979)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vehicle.simulator.ecus.memory import Memory
from vehicle.simulator.ecus.readiness import monitor_bytes
from vehicle.simulator.physics.state import State

Read = Callable[[State, Memory], float]
TORQUE_REFERENCE_NM = 200.0


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value of one PID: raw = (value - offset) / scale, `size` bytes from byte `at` of the payload."""

    signal: str
    unit: str
    pid: int
    read: Read
    scale: float
    offset: float = 0.0
    size: int = 1
    at: int = 0

    def raw(self, s: State, m: Memory) -> int:
        """Return the unsigned number an ECU would send now."""
        steps = round((self.read(s, m) - self.offset) / self.scale)
        return min(max(steps, 0), (1 << 8 * self.size) - 1)


_PERCENT = 100.0 / 255.0
_TRIM = 100.0 / 128.0
_RATIO = 2.0 / 65536.0


def _fuel_rate_lh(s: State, _: Memory) -> float:
    return s.fuel_cmd_gps * 3600.0 / 745.0


SCALARS: tuple[Scalar, ...] = (
    Scalar("fuel_status", "code", 0x03, lambda s, m: s.fuel_status, 1),
    Scalar("engine_load", "%", 0x04, lambda s, m: s.load_pct, _PERCENT),
    Scalar("coolant_temp", "°C", 0x05, lambda s, m: s.coolant_read, 1, -40),
    Scalar("short_fuel_trim_1", "%", 0x06, lambda s, m: s.stft_pct, _TRIM, -100),
    Scalar("long_fuel_trim_1", "%", 0x07, lambda s, m: s.ltft_pct, _TRIM, -100),
    Scalar("fuel_pressure", "kPa", 0x0A, lambda s, m: s.rail_read, 3),
    Scalar("intake_pressure", "kPa", 0x0B, lambda s, m: s.map_read, 1),
    Scalar("rpm", "rpm", 0x0C, lambda s, m: s.rpm_read, 0.25, size=2),
    Scalar("speed", "km/h", 0x0D, lambda s, m: s.speed_read, 1),
    Scalar("timing_advance", "°", 0x0E, lambda s, m: s.spark_deg, 0.5, -64),
    Scalar("intake_temp", "°C", 0x0F, lambda s, m: s.iat_read, 1, -40),
    Scalar("maf", "g/s", 0x10, lambda s, m: s.maf_read, 0.01, size=2),
    Scalar("throttle_pos", "%", 0x11, lambda s, m: s.throttle_read, _PERCENT),
    Scalar("o2_b1s1", "V", 0x14, lambda s, m: s.o2_front_v, 0.005),
    Scalar("o2_b1s2", "V", 0x15, lambda s, m: s.o2_rear_v, 0.005),
    Scalar("run_time", "s", 0x1F, lambda s, m: s.run_time_s, 1, size=2),
    Scalar("distance_w_mil", "km", 0x21, lambda s, m: m.distance_with_mil_km, 1, size=2),
    Scalar("fuel_rail_pressure_direct", "kPa", 0x23, lambda s, m: s.rail_read, 10, size=2),
    Scalar("fuel_level", "%", 0x2F, lambda s, m: s.fuel_l / 0.5, _PERCENT),
    Scalar("warmups_since_dtc_clear", "count", 0x30, lambda s, m: m.warmups_since_clear, 1),
    Scalar("distance_since_dtc_clear", "km", 0x31, lambda s, m: m.distance_since_clear_km, 1, size=2),
    Scalar("barometric_pressure", "kPa", 0x33, lambda s, m: s.baro_kpa, 1),
    Scalar("o2_s1_wr_current_lambda", "ratio", 0x34, lambda s, m: s.lambda_read, _RATIO, size=2),
    Scalar("catalyst_temp_b1s1", "°C", 0x3C, lambda s, m: s.catalyst_c, 0.1, -40, size=2),
    Scalar("control_module_voltage", "V", 0x42, lambda s, m: s.volts_read, 0.001, size=2),
    Scalar("absolute_load", "%", 0x43, lambda s, m: s.absolute_load_pct, _PERCENT, size=2),
    Scalar("commanded_equiv_ratio", "ratio", 0x44, lambda s, m: s.lambda_cmd, _RATIO, size=2),
    Scalar("relative_throttle_pos", "%", 0x45, lambda s, m: s.throttle_read - 13.0, _PERCENT),
    Scalar("ambiant_air_temp", "°C", 0x46, lambda s, m: s.ambient_c, 1, -40),
    Scalar("throttle_pos_b", "%", 0x47, lambda s, m: s.throttle_read + 2.4, _PERCENT),
    Scalar("accelerator_pos_d", "%", 0x49, lambda s, m: s.pedal_read, _PERCENT),
    Scalar("accelerator_pos_e", "%", 0x4A, lambda s, m: s.pedal_read / 2.0, _PERCENT),
    Scalar("throttle_actuator", "%", 0x4C, lambda s, m: (s.throttle_pct - 13.0) * 100.0 / 71.0, _PERCENT),
    Scalar("run_time_mil", "min", 0x4D, lambda s, m: m.minutes_with_mil, 1, size=2),
    Scalar("time_since_dtc_cleared", "min", 0x4E, lambda s, m: m.minutes_since_clear, 1, size=2),
    Scalar("fuel_type", "code", 0x51, lambda s, m: 1, 1),
    Scalar("relative_accel_pos", "%", 0x5A, lambda s, m: s.pedal_pct, _PERCENT),
    Scalar("oil_temp", "°C", 0x5C, lambda s, m: s.oil_c, 1, -40),
    Scalar("fuel_rate", "L/h", 0x5E, _fuel_rate_lh, 0.05, size=2),
    Scalar("engine_torque_demand", "%", 0x61, lambda s, m: _torque_pct(max(s.torque_nm, 0.0)), 1, -125),
    Scalar("engine_torque_actual", "%", 0x62, lambda s, m: _torque_pct(s.torque_nm), 1, -125),
    Scalar("engine_reference_torque", "Nm", 0x63, lambda s, m: TORQUE_REFERENCE_NM, 1, size=2),
    Scalar("engine_fuel_rate_mass", "g/s", 0x9D, lambda s, m: s.fuel_cmd_gps, 0.02, size=2),
    Scalar("vehicle_fuel_rate_mass", "g/s", 0x9D, lambda s, m: s.fuel_cmd_gps, 0.02, size=2, at=2),
    Scalar("odometer", "km", 0xA6, lambda s, m: m.odometer_start_km + s.distance_km, 0.1, size=4),
)


def _torque_pct(torque_nm: float) -> float:
    return 100.0 * torque_nm / TORQUE_REFERENCE_NM


# bytes of a PID that are no measured value: the second fuel system, trim "not used", sensor current at rest
_BLANKS: Mapping[int, bytes] = {
    0x03: b"\x00\x00",
    0x14: b"\x00\xff",
    0x15: b"\x00\xff",
    0x34: b"\x00\x00\x80\x00",
}
_FIXED: Mapping[int, bytes] = {
    0x13: b"\x03",  # oxygen sensors: bank 1, before and after the catalyst
    0x1C: b"\x01",  # OBD II as defined by the CARB
}


def _status(_: State, m: Memory) -> bytes:
    """PID 01: MIL and number of stored codes, monitors since the codes were cleared."""
    count = min(len(m.stored), 127) | (0x80 if m.mil else 0)
    return bytes([count]) + monitor_bytes(m.ready)


def _this_drive(_: State, m: Memory) -> bytes:
    """PID 41: monitors in this driving cycle."""
    return b"\0" + monitor_bytes(m.ready_this_drive)


_COMPUTED: Mapping[int, Callable[[State, Memory], bytes]] = {
    0x01: _status,
    0x41: _this_drive,
}
_PARTS: dict[int, list[Scalar]] = {}
for _scalar in SCALARS:
    _PARTS.setdefault(_scalar.pid, []).append(_scalar)
PIDS = frozenset({*_PARTS, *_FIXED, *_COMPUTED})


def encode_pid(pid: int, s: State, m: Memory) -> bytes:
    """Return the data bytes of one supported PID (no service, no PID byte); KeyError for an unsupported one."""
    if pid in _FIXED:
        return _FIXED[pid]
    if pid in _COMPUTED:
        return _COMPUTED[pid](s, m)
    parts = _PARTS[pid]
    data = bytearray(_BLANKS.get(pid, bytes(max(part.at + part.size for part in parts))))
    for part in parts:
        data[part.at : part.at + part.size] = part.raw(s, m).to_bytes(part.size, "big")
    return bytes(data)


def bitmap(first: int, supported: frozenset[int]) -> bytes:
    """Return the four bytes that say which of the 32 ids after `first` are supported."""
    bits = sum(1 << (31 - index) for index in range(32) if first + 1 + index in supported)
    return bits.to_bytes(4, "big")
