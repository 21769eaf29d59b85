"""The stepped model of the whole car: same options and same simulated time give the same values."""

from random import Random

from vehicle.simulator.ecus.diagnosis import Diagnosis
from vehicle.simulator.ecus.memory import Memory
from vehicle.simulator.options import SimulatorOptions
from vehicle.simulator.physics.air import Intake, set_loads
from vehicle.simulator.physics.combustion import Misfires, step_spark, step_torque
from vehicle.simulator.physics.drive_cycle import DriveCycle
from vehicle.simulator.physics.driver import Driver
from vehicle.simulator.physics.electrical import step_voltage
from vehicle.simulator.physics.exhaust import Exhaust
from vehicle.simulator.physics.faults import HEALTHY, effects_of
from vehicle.simulator.physics.fuel import FuelControl
from vehicle.simulator.physics.powertrain import Powertrain
from vehicle.simulator.physics.state import State
from vehicle.simulator.physics.thermal import step_heat

STEP_S = 0.1
_CRANK_AT_S = 2.0
_CRANK_S = 0.8


class Model:
    """A car that is driven: `step()` moves it on by STEP_S, `state` is what it is then."""

    def __init__(self, options: SimulatorOptions) -> None:
        self.options = options
        self.steps = 0
        self.state = _cold_start(options)
        self.memory = Memory()
        self.diagnosis = Diagnosis(self.memory)
        rng = Random(f"car {options.seed}")  # noqa: S311  # repeatable noise, no secret
        self._rng = rng
        self._maf_scale = 1.0 + rng.uniform(-0.008, 0.008)
        self._effects = HEALTHY
        self._faulty = effects_of(options.fault, options.severity)
        self.fuel = FuelControl(rng, rng.uniform(-0.022, 0.022))
        self._intake = Intake()
        self._exhaust = Exhaust(rng)
        self._misfires = Misfires(rng)
        self.driver = Driver(options.driver)
        cycle = DriveCycle("idle" if options.driver else options.cycle, options.seed)
        self._powertrain = Powertrain(options.gearbox, options.gears, cycle, options.seed)
        self._key_on_s = 0.0
        self._idle_wander = 0.0

    @property
    def faulty(self) -> bool:
        """Whether the fault has set in."""
        return bool(self.options.fault) and self.state.time_s >= self.options.fault_at

    def switch_ignition(self, on: bool) -> None:
        """Turn the key: on starts the engine two seconds later, off stops engine and car."""
        if self.state.ignition and not on:
            self.diagnosis.end_cycle()
        self.state.ignition = on
        self._key_on_s = self.state.time_s

    def repair(self) -> None:
        """Take the fault away for good, as a workshop would; codes and learnt trims stay."""
        self._effects = self._faulty = HEALTHY
        self._intake.leak_area = 0.0

    def step(self) -> None:
        """Advance everything by STEP_S seconds of simulated time."""
        s, dt = self.state, STEP_S
        self.steps += 1
        s.time_s = round(self.steps * dt, 3)
        if self._effects is HEALTHY and self.faulty:
            self._effects = self._faulty
            self._intake.leak_area = self._faulty.leak_area
        self.driver.follow(s)
        self._turn_key(s)
        if s.running:
            s.run_time_s += dt
            wanted = self._run(s, dt)
        else:
            wanted = 2.0
            self._stand(s, dt)
        self._intake.step(s, wanted, dt)
        self._read_sensors(s)
        self.fuel.step(s, self._effects, dt)
        self._exhaust.step(s, self._effects, dt)
        step_spark(s, self._rng)
        step_heat(s, self._effects, dt)
        step_voltage(s, self._effects, dt)
        self.diagnosis.step(s, dt)

    def clear_codes(self) -> None:
        """Do what service 04 does: codes, freeze frame, readiness, counters and learnt trims are gone."""
        self.diagnosis.clear()
        self.fuel.forget()

    def _turn_key(self, s: State) -> None:
        if self.driver.engine_off:
            self._key_on_s = s.time_s - _CRANK_AT_S
        since = s.time_s - self._key_on_s
        if not s.ignition or self.driver.engine_off:
            s.running = s.cranking = False
        elif not s.running:
            s.cranking = since >= _CRANK_AT_S
            if since >= _CRANK_AT_S + _CRANK_S:
                s.running, s.cranking, s.run_time_s = True, False, 0.0

    def _run(self, s: State, dt: float) -> float:
        self._idle_wander += (self._rng.gauss(0.0, 6.0) - self._idle_wander) * 0.12
        rpm, idle_rpm = s.rpm, self._idle_rpm(s)
        self._powertrain.step(s, idle_rpm, dt)
        self.driver.rev(s, rpm, idle_rpm, dt)
        self._misfires.step(s, self._effects, dt)
        return step_torque(s)

    def _idle_rpm(self, s: State) -> float:
        cold = max(0.0, 70.0 - s.coolant_read) * 6.0
        flare = 350.0 * max(0.0, 1.0 - s.run_time_s / 4.0)
        # unmetered air is more than the throttle can take back once the leak is large
        leak = 110.0 * max(0.0, s.leak_gps - 0.55)
        return 740.0 + cold + flare + leak + 3.0 * self._idle_wander

    def _stand(self, s: State, dt: float) -> None:
        s.rpm = 210.0 if s.cranking else max(0.0, s.rpm - 900.0 * dt)
        s.speed_kmh = max(0.0, s.speed_kmh - 9.0 * dt)
        s.accel_ms2 = s.torque_nm = s.friction_nm = s.indicated_nm = 0.0
        s.gear, s.overrun, s.misfires, s.misfire_share = 0, False, (0, 0, 0, 0), 0.0
        s.lambda_cmd, s.lambda_true = 1.0, 2.0

    def _read_sensors(self, s: State) -> None:
        gauss, effects = self._rng.gauss, self._effects
        s.rpm_read = max(0.0, s.rpm + gauss(0.0, 2.5)) if s.rpm > 60.0 else 0.0
        s.speed_read = s.speed_kmh * 1.004
        s.map_read = s.map_kpa + gauss(0.0, 0.25)
        lost = effects.maf_loss + effects.maf_loss_at_flow * s.throttle_gps / 60.0
        s.maf_mean = s.throttle_gps * self._maf_scale * (1.0 - lost)
        s.maf_read = s.maf_mean * (1.0 + gauss(0.0, 0.006))
        if not effects.coolant_stuck:
            s.coolant_read = s.coolant_c + gauss(0.0, 0.12)
        s.iat_read = s.iat_c + gauss(0.0, 0.1)
        s.throttle_read = s.throttle_pct + gauss(0.0, 0.08)
        share = 0.0 if s.overrun or not s.running else max(0.0, s.torque_nm) / s.torque_max_nm
        s.pedal_pct += (100.0 * min(1.0, share) ** 0.8 - s.pedal_pct) * 0.6
        s.pedal_read = 15.0 + 0.68 * s.pedal_pct + gauss(0.0, 0.05)
        s.volts_read = s.volts + gauss(0.0, 0.02)
        s.rail_read = s.rail_kpa + gauss(0.0, 2.0)
        set_loads(s)


def _cold_start(options: SimulatorOptions) -> State:
    s = State()
    start = 88.0 if options.warm else options.ambient
    s.ambient_c = options.ambient
    s.coolant_c = s.coolant_read = s.oil_c = start
    s.iat_c = s.iat_read = options.ambient + (12.0 if options.warm else 0.0)
    s.catalyst_c = 380.0 if options.warm else options.ambient
    return s
