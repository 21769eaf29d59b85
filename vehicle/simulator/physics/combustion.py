"""From wanted torque to burnt air: friction, efficiency, full-load torque, ignition timing, misfires."""

import math
from random import Random

from vehicle.simulator.physics.faults import Effects
from vehicle.simulator.physics.state import State

STOICHIOMETRIC = 14.6  # kg air per kg of petrol with a few per cent of ethanol
FUEL_DENSITY_GL = 745.0
HEAT_KJ_G = 42.6  # lower heating value
FULL_LOAD_LAMBDA = 0.88
_NM_PER_KPA = 2.0 / (4.0 * math.pi)  # 2.0 L four-stroke: torque of one kPa mean effective pressure
_ACCESSORIES_NM = 3.0


def step_torque(s: State) -> float:
    """Set friction, indicated and largest torque; return the air flow in g/s the indicated torque needs."""
    omega = max(s.rpm, 300.0) * 0.104720
    thousands = s.rpm / 1000.0
    cold = 1.0 + 0.011 * max(0.0, 80.0 - s.oil_c)
    rubbing = (66.0 + 11.0 * thousands + 3.2 * thousands * thousands) * cold * _NM_PER_KPA
    alternator = max(0.0, 14.0 * (32.0 + s.loads_a + s.battery_a)) / 0.6 / omega
    s.friction_nm = rubbing + (s.baro_kpa - s.map_kpa) * _NM_PER_KPA + _ACCESSORIES_NM + alternator
    efficiency = 0.395 * (1.0 - 0.20 * math.exp(-s.rpm / 900.0))
    firing = 1.0 - s.misfire_share
    best = s.air_max_gps / (STOICHIOMETRIC * FULL_LOAD_LAMBDA) * HEAT_KJ_G * 1000.0 * efficiency
    best *= FULL_LOAD_LAMBDA**0.75 * firing
    s.torque_max_nm = max(best / omega - rubbing - _ACCESSORIES_NM - alternator, 20.0)
    s.indicated_nm = 0.0 if s.overrun else max(s.torque_nm + s.friction_nm, 0.0)
    lambda_now = min(s.lambda_cmd, 1.0)
    fuel = (
        s.indicated_nm
        * omega
        / (efficiency * math.sqrt(lambda_now * math.sqrt(lambda_now)) * HEAT_KJ_G * 1000.0 * firing)
    )
    return fuel * STOICHIOMETRIC * lambda_now


def step_spark(s: State, rng: Random) -> None:
    """Set the ignition timing in degrees before top dead centre."""
    if not s.running:
        s.spark_deg = 5.0
        return
    if s.gear == 0 or s.rpm < 1000.0:
        s.spark_deg = 9.0 + rng.gauss(0.0, 1.0)
        return
    target = 14.0 + 0.0062 * min(s.rpm, 4200.0) - 0.24 * max(0.0, s.load_pct - 32.0)
    if s.overrun:
        target = 18.0
    hot = 0.7 * max(0.0, s.coolant_read - 105.0) + 0.12 * max(0.0, s.iat_c - 45.0)
    s.spark_deg += (min(target, 38.0) - hot - s.spark_deg) * 0.5 + rng.gauss(0.0, 0.4)


class Misfires:
    """Counts firings that fail, cylinder by cylinder, and roughens the engine by them."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._owed = [0.0, 0.0, 0.0, 0.0]

    def step(self, s: State, effects: Effects, dt: float) -> None:
        """Set this step's misfires per cylinder and the share of all firings that failed (2 s mean)."""
        failed = 0
        if effects.misfires[0] > 0.0 and s.rpm > 400.0 and not s.fuel_cut:
            failed = self._fail(s, effects, s.rpm / 120.0 * dt)
        elif s.misfires != (0, 0, 0, 0):
            s.misfires = (0, 0, 0, 0)
        firings = s.rpm / 30.0 * dt
        share = failed / firings if firings > 0.3 else 0.0
        s.misfire_share += (min(share, 1.0) - s.misfire_share) * min(1.0, dt / 2.0)

    def _fail(self, s: State, effects: Effects, firings: float) -> int:
        counts = []
        for cylinder, rate in enumerate(effects.misfires):
            self._owed[cylinder] += rate * firings * self._rng.uniform(0.0, 2.0)
            count = int(self._owed[cylinder])
            self._owed[cylinder] -= count
            counts.append(count)
        s.misfires = (counts[0], counts[1], counts[2], counts[3])
        failed = sum(counts)
        if failed and s.gear == 0:
            s.rpm -= 45.0 * failed
        return failed
