"""The exhaust: oxygen sensors before and after the catalyst, its oxygen storage and temperature."""

import math
from collections import deque
from random import Random

from vehicle.simulator.physics.faults import Effects
from vehicle.simulator.physics.state import State

_STORAGE_G = 0.8  # oxygen a healthy catalyst of this size holds
_STEPS = 10


class Exhaust:
    """Carries the mixture past the sensors; sets sensor voltages, measured lambda and catalyst state."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._line: deque[float] = deque([1.0] * _STEPS, maxlen=_STEPS)
        self._front = 1.0
        self._rear = 1.0
        self._fill = 0.5

    def step(self, s: State, effects: Effects, dt: float) -> None:
        """Advance sensors and catalyst by dt seconds."""
        # a misfire sends its air past the sensor unburnt
        self._line.append(s.lambda_true * (1.0 + 0.6 * s.misfire_share))
        delay_s = 0.18 + 1.6 / max(s.air_gps, 2.0)
        arriving = self._line[max(-_STEPS, -1 - int(delay_s / dt))]
        self._front += (arriving - self._front) * (1.0 - math.exp(-dt / effects.o2_lag_s))
        s.lambda_read += (arriving - s.lambda_read) * 0.55
        self._store(s, effects, arriving, dt)
        self._sense(s, dt)
        self._heat(s, dt)

    def _store(self, s: State, effects: Effects, arriving: float, dt: float) -> None:
        capacity = _STORAGE_G * effects.catalyst * (1.0 if s.catalyst_c > 320.0 else 0.05)
        excess_g = 0.23 * s.air_gps * (1.0 - 1.0 / max(arriving, 0.5)) * dt
        self._fill += excess_g / capacity + (0.5 - self._fill) * 0.02 * dt
        through = self._fill >= 1.0 or self._fill <= 0.0
        self._fill = min(max(self._fill, 0.0), 1.0)
        resting = 0.9935 + 0.004 * (self._fill - 0.5)
        self._rear += ((arriving if through else resting) - self._rear) * (0.7 if through else 0.12)

    def _sense(self, s: State, dt: float) -> None:
        if s.run_time_s < 18.0:  # the heaters bring the sensors up
            for_cold = 0.45 + self._rng.gauss(0.0, 0.004)
            s.o2_front_v = s.o2_rear_v = for_cold
            return
        s.o2_front_v = _nernst(self._front) + self._rng.gauss(0.0, 0.008)
        s.o2_rear_v += (_nernst(self._rear) - s.o2_rear_v) * min(1.0, dt / 0.15) + self._rng.gauss(0.0, 0.003)

    def _heat(self, s: State, dt: float) -> None:
        target = s.ambient_c
        if s.running:
            target = 330.0 + 76.0 * math.log1p(s.air_gps)
            if s.catalyst_c > 250.0:
                target += 60.0 + 900.0 * s.misfire_share
            if s.fuel_cut:
                target = 300.0
        lag_s = 900.0 if not s.running else 25.0 + 180.0 / (1.0 + s.air_gps)
        s.catalyst_c += (target - s.catalyst_c) * min(1.0, dt / lag_s)


def _nernst(mixture: float) -> float:
    """Return a narrow-band sensor's voltage: steep at lambda 1, 0.05 V lean and 0.85 V rich."""
    return 0.45 - 0.40 * math.tanh(65.0 * (mixture - 1.0))
