"""The car as a mass on wheels: road load, gears, shifts, and the engine speed and torque they ask for."""

import math
from random import Random

from vehicle.simulator.physics.drive_cycle import DriveCycle, Phase
from vehicle.simulator.physics.state import State

MASS_KG = 1390.0
WHEEL_RADIUS_M = 0.312
FINAL_DRIVE = 4.1
EFFICIENCY = 0.93
ROLLING = 0.0105
DRAG_AREA_M2 = 0.66
RATIOS = {
    5: (3.62, 1.98, 1.33, 0.98, 0.76),
    6: (3.62, 2.05, 1.42, 1.06, 0.83, 0.67),
}
_RPM_PER_KMH = 60.0 / (2.0 * math.pi * WHEEL_RADIUS_M * 3.6) * FINAL_DRIVE
_SHIFT_S = {"manual": 0.6, "auto": 0.3}


def engine_rpm_at(speed_kmh: float, gear: int, gears: int = 6) -> float:
    """Return the engine speed in rpm that a locked drive train has at a road speed in km/h."""
    return speed_kmh * RATIOS[gears][gear - 1] * _RPM_PER_KMH


class Powertrain:
    """Moves the car: sets speed, gear, rpm, torque and whether the engine is being overrun."""

    def __init__(self, gearbox: str, gears: int, cycle: DriveCycle, seed: int) -> None:
        self._ratios = RATIOS[gears]
        self._auto = gearbox == "auto"
        self._shift_s = _SHIFT_S[gearbox]
        self._cycle = cycle
        self._shift_left_s = 0.0
        self._since_shift_s = 10.0
        rng = Random(f"road {seed}")  # noqa: S311  # a repeatable road, no secret
        self._hills = [(rng.uniform(0.6, 2.6), rng.uniform(0, 6.28)) for _ in range(3)]

    def step(self, s: State, idle_rpm: float, dt: float) -> None:
        """Advance speed, gear, rpm and torque by dt seconds under the driver's present wish."""
        phase = self._cycle.step(s.speed_kmh, dt)
        wish = _wished_accel(phase, s.speed_kmh)
        self._choose_gear(s, wish, phase.kind, dt)
        force = self._move(s, wish, phase, dt)
        self._turn_engine(s, force, idle_rpm, dt)

    def grade(self, distance_km: float) -> float:
        """Return the slope of the road as a fraction: three gentle waves, at most about 1.5 %."""
        return sum(0.005 * math.sin(wave * distance_km + start) for wave, start in self._hills)

    def _move(self, s: State, wish: float, phase: Phase, dt: float) -> float:
        """Apply the wheel force the engine can give (brakes do what it cannot take); return it in N."""
        v = s.speed_kmh / 3.6
        if phase.kind == "stand" or (v < 0.2 and wish <= 0.0):
            s.speed_kmh = s.accel_ms2 = 0.0
            return 0.0
        ratio = self._ratios[max(s.gear, 1) - 1] * FINAL_DRIVE
        inertia = MASS_KG * (1.04 + 0.0025 * ratio * ratio)
        resisting = MASS_KG * 9.81 * (ROLLING + self.grade(s.distance_km)) + 0.6 * DRAG_AREA_M2 * v * v
        largest = s.torque_max_nm * ratio * EFFICIENCY / WHEEL_RADIUS_M
        if s.shifting:
            largest *= 0.6 if self._auto else 0.0
        smallest = -(s.friction_nm * ratio) / WHEEL_RADIUS_M if s.speed_kmh > 12.0 else 0.0
        force = min(inertia * wish + resisting, largest)
        if force < smallest:
            brakes = force - smallest if phase.kind != "coast" else 0.0
            force = smallest
        else:
            brakes = 0.0
        s.accel_ms2 = (force + brakes - resisting) / inertia
        moved = max(0.0, v + s.accel_ms2 * dt)
        s.distance_km += (v + moved) * 0.0005 * dt
        s.speed_kmh = moved * 3.6
        return force

    def _turn_engine(self, s: State, force: float, idle_rpm: float, dt: float) -> None:
        """Set rpm and brake torque: locked to the wheels, slipping at launch, or free during a shift."""
        if s.gear == 0:
            s.rpm += (idle_rpm - s.rpm) * min(1.0, dt / 0.5)
            s.torque_nm, s.overrun = 0.0, False
            return
        ratio = self._ratios[s.gear - 1]
        locked = s.speed_kmh * ratio * _RPM_PER_KMH
        torque = force * WHEEL_RADIUS_M / (ratio * FINAL_DRIVE)
        torque = torque / EFFICIENCY if torque > 0.0 else torque * EFFICIENCY
        launch = idle_rpm + (4.2 * max(torque, 0.0) if s.gear == 1 else 0.0)
        if s.shifting:
            s.rpm += (locked - s.rpm) * min(1.0, dt / 0.22)
        elif locked < launch:
            s.rpm += (max(launch, idle_rpm) - s.rpm) * min(1.0, dt / 0.35)
        else:
            # the clutch closes as fast as it can without a jerk, then holds
            s.rpm = locked if abs(locked - s.rpm) < 120.0 else s.rpm + (locked - s.rpm) * 0.6
        s.torque_nm = torque if s.rpm < locked * 1.3 + 600.0 else max(torque, 0.0)
        s.overrun = torque < -1.0 and locked > 1250.0 and not s.shifting

    def _choose_gear(self, s: State, wish: float, kind: str, dt: float) -> None:
        self._since_shift_s += dt
        if self._shift_left_s > 0.0:
            self._shift_left_s -= dt
            s.shifting = self._shift_left_s > 0.0
            return
        if s.speed_kmh < 1.0 or kind == "stand":
            s.gear = 0 if wish <= 0.0 else 1
            return
        gear = max(s.gear, 1)
        target = self._wanted_gear(s, gear, kind)
        if target != s.gear and s.gear and self._since_shift_s > 1.2:
            self._shift_left_s, self._since_shift_s, s.shifting = self._shift_s, 0.0, True
            s.gear = target
        elif s.gear == 0:
            s.gear = gear

    def _wanted_gear(self, s: State, gear: int, kind: str) -> int:
        rpm = s.speed_kmh * self._ratios[gear - 1] * _RPM_PER_KMH
        up_rpm = 6000.0 if kind == "full_load" else 2150.0 + 1600.0 * max(0.0, s.torque_nm) / s.torque_max_nm
        if gear < len(self._ratios) and rpm > up_rpm:
            return gear + 1
        lower_rpm = s.speed_kmh * self._ratios[gear - 2] * _RPM_PER_KMH if gear > 1 else 1e9
        hungry = kind == "full_load" and lower_rpm < 5200.0
        strained = s.torque_nm > 0.93 * s.torque_max_nm and lower_rpm < 4200.0
        if gear > 1 and (rpm < 1180.0 or hungry or strained):
            return gear - 1
        return gear


def _wished_accel(phase: Phase, speed_kmh: float) -> float:
    if phase.kind == "pull":
        return phase.accel_ms2 * max(0.25, 1.0 - speed_kmh / 160.0)
    if phase.kind == "full_load":
        return 9.0
    if phase.kind == "brake":
        return -phase.accel_ms2
    if phase.kind == "coast":
        return -9.0
    if phase.kind == "cruise":
        return max(-0.6, min(0.5, 0.09 * (phase.speed_kmh - speed_kmh)))
    return 0.0
