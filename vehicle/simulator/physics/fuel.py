"""Fuel metering: open and closed loop, short- and long-term trims learnt against the metering error."""

from bisect import bisect_right
from random import Random

from vehicle.simulator.physics.combustion import FUEL_DENSITY_GL, FULL_LOAD_LAMBDA, STOICHIOMETRIC
from vehicle.simulator.physics.faults import Effects
from vehicle.simulator.physics.state import CLOSED_LOOP, OPEN_LOOP_COLD, OPEN_LOOP_LOAD, State

RAIL_KPA = 380.0
TRIM_LIMIT_PCT = 25.0
_NODES = (2.5, 5.0, 10.0, 20.0, 45.0)  # air flow in g/s at which long-term trim is stored


class FuelControl:
    """The ECU's mixture control, fed with what the sensors read; the engine gets what the injectors give."""

    def __init__(self, rng: Random, injector_error: float) -> None:
        self._rng = rng
        self._injector = 1.0 + injector_error
        self._learnt_before = -100.0 * injector_error
        self.long_trims = [self._learnt_before] * len(_NODES)
        self._mean_stft = 0.0
        self._was_rich = False
        self._after_cut_s = 0.0

    def forget(self) -> None:
        """Drop what was learnt, as clearing the codes does."""
        self.long_trims = [0.0] * len(_NODES)
        self._mean_stft = 0.0

    def step(self, s: State, effects: Effects, dt: float) -> None:
        """Set commanded and true lambda, trims, fuel flow, rail pressure and the fuel system status."""
        self._pressurise(s, effects)
        if not s.running:
            s.fuel_gps = s.fuel_cmd_gps = s.stft_pct = 0.0
            s.fuel_status, s.fuel_cut = OPEN_LOOP_COLD, False
            return
        self._choose_mode(s, dt)
        low, weight = self._place(s.maf_mean)
        s.ltft_pct = self.long_trims[low] * (1.0 - weight) + self.long_trims[low + 1] * weight
        if s.fuel_status == CLOSED_LOOP:
            self._correct(s, low, weight, dt)
        else:
            s.stft_pct = 0.0
        self._inject(s, dt)

    def _pressurise(self, s: State, effects: Effects) -> None:
        pumping = s.running or s.cranking
        target = (
            RAIL_KPA * (effects.rail_pressure - effects.rail_droop * s.fuel_gps / 5.0) if pumping else 300.0
        )
        s.rail_kpa += (target - s.rail_kpa) * 0.3

    def _choose_mode(self, s: State, dt: float) -> None:
        s.fuel_cut = s.overrun and s.coolant_read > 35.0 and s.run_time_s > 20.0
        self._after_cut_s = 1.8 if s.fuel_cut else max(0.0, self._after_cut_s - dt)
        if s.fuel_cut:
            s.fuel_status, s.lambda_cmd = OPEN_LOOP_LOAD, 2.0
        elif s.torque_nm > 0.86 * s.torque_max_nm and s.rpm > 1500.0:
            s.fuel_status = OPEN_LOOP_LOAD
            s.lambda_cmd = min(s.lambda_cmd, 1.0) + (FULL_LOAD_LAMBDA - min(s.lambda_cmd, 1.0)) * 0.4
        elif s.run_time_s < 28.0 or s.coolant_read < 12.0:
            s.fuel_status, s.lambda_cmd = OPEN_LOOP_COLD, 1.0 - 0.0022 * max(0.0, 60.0 - s.coolant_read)
        else:
            s.fuel_status = CLOSED_LOOP
            s.lambda_cmd = 0.975 if self._after_cut_s > 0.0 else 1.0

    def _place(self, maf_gps: float) -> tuple[int, float]:
        low = min(max(bisect_right(_NODES, maf_gps) - 1, 0), len(_NODES) - 2)
        weight = (maf_gps - _NODES[low]) / (_NODES[low + 1] - _NODES[low])
        return low, min(max(weight, 0.0), 1.0)

    def _correct(self, s: State, low: int, weight: float, dt: float) -> None:
        """Two-point control with a jump at each switch of the sensor; long-term trim takes over the mean."""
        rich = s.o2_front_v > 0.45
        if self._after_cut_s <= 0.0:
            step = (4.2 + 0.1 * s.maf_mean) * dt + (1.3 if rich != self._was_rich else 0.0)
            s.stft_pct += -step if rich else step
        self._was_rich = rich
        self._mean_stft += (s.stft_pct - self._mean_stft) * min(1.0, dt / 4.0)
        if s.coolant_read > 62.0 and self._after_cut_s <= 0.0:
            moved = self._mean_stft * dt / 22.0
            for node, share in ((low, 1.0 - weight), (low + 1, weight)):
                learnt = self.long_trims[node] + moved * share
                self.long_trims[node] = max(-TRIM_LIMIT_PCT, min(TRIM_LIMIT_PCT, learnt))
            if abs(s.ltft_pct) < TRIM_LIMIT_PCT:
                s.stft_pct -= moved
        s.stft_pct = max(-TRIM_LIMIT_PCT, min(TRIM_LIMIT_PCT, s.stft_pct))

    def _inject(self, s: State, dt: float) -> None:
        if s.fuel_cut:
            s.fuel_gps = s.fuel_cmd_gps = 0.0
            s.lambda_true = 4.0
            return
        trims = (1.0 + s.stft_pct / 100.0) * (1.0 + s.ltft_pct / 100.0)
        s.fuel_cmd_gps = s.maf_mean / (STOICHIOMETRIC * s.lambda_cmd) * trims
        s.fuel_gps = s.fuel_cmd_gps * self._injector * (s.rail_kpa / RAIL_KPA) ** 0.5
        if s.fuel_gps > 0.0:
            burning = s.air_gps / (STOICHIOMETRIC * s.fuel_gps)
            s.lambda_true = max(0.6, min(4.0, burning * (1.0 + self._rng.gauss(0.0, 0.0015))))
        used = s.fuel_gps / FUEL_DENSITY_GL * dt
        s.fuel_used_l += used
        s.fuel_l = max(s.fuel_l - used, 5.0)
