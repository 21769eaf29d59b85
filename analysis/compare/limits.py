"""What is compared: the smallest difference that matters per signal, and what its operating points are made of."""

from dataclasses import dataclass

import numpy as np

from analysis.results.states import StateName
from analysis.table import Floats

_RPM = (0, 650, 850, 1050, 1300, 1600, 2000, 2500, 3100, 3800, 4800, 20000)
_SPEED = (-1, 1, 20, 40, 60, 80, 100, 130, 400)
_PERCENT = (-1, 12, 20, 28, 36, 46, 58, 72, 88, 30000)
_PRESSURE = (0, 26, 34, 42, 52, 64, 78, 92, 120, 160, 400)
_FLOW = (-1, 2, 3.5, 5.5, 8, 12, 18, 27, 40, 60, 700)
_THROTTLE = (-1, *(1.25 * step for step in range(1, 25)), 34, 40, 50, 60, 75, 120)

LOADS: dict[str, tuple[float, ...]] = {
    "engine_load": _PERCENT,
    "intake_pressure": _PRESSURE,
    "maf": _FLOW,
    "throttle_pos": _THROTTLE,
    "relative_throttle_pos": _THROTTLE,
    "accelerator_pos_d": _THROTTLE,
}
"""Signals that can stand for load in an operating point, with the edges of their bins (ours)."""

_AIR = ("engine_load", "intake_pressure", "maf")
_THROTTLES = ("throttle_pos", "relative_throttle_pos", "accelerator_pos_d")
_OWN = "engineering minimum: our judgement, tried on healthy drives of two cars"


@dataclass(frozen=True, slots=True)
class Rule:
    """How a signal is compared: the smallest difference that matters (a share of the level if `relative`).

    `asked`: only compared on request, since the weather decides it more than the car.
    """

    minimum: float
    relative: bool = False
    air: bool = False
    throttle: bool = False
    asked: bool = False
    source: str = _OWN


RULES: dict[str, Rule] = {
    "rpm": Rule(50),
    "engine_load": Rule(4, air=True),
    "absolute_load": Rule(4, air=True),
    "intake_pressure": Rule(4, air=True),
    "maf": Rule(0.10, relative=True, air=True),
    "fuel_rate": Rule(0.10, relative=True, air=True),
    "engine_fuel_rate_mass": Rule(0.10, relative=True, air=True),
    "throttle_pos": Rule(2, throttle=True),
    "relative_throttle_pos": Rule(2, throttle=True),
    "throttle_actuator": Rule(2, throttle=True),
    "coolant_temp": Rule(5),
    "oil_temp": Rule(8),
    "intake_temp": Rule(8, asked=True),
    "catalyst_temp_b1s1": Rule(60),
    "catalyst_temp_b1s2": Rule(60),
    "catalyst_temp_b2s1": Rule(60),
    "catalyst_temp_b2s2": Rule(60),
    "short_fuel_trim_1": Rule(2),
    "short_fuel_trim_2": Rule(2),
    "long_fuel_trim_1": Rule(3),
    "long_fuel_trim_2": Rule(3),
    "timing_advance": Rule(3),
    "control_module_voltage": Rule(0.3),
    "fuel_pressure": Rule(0.08, relative=True),
    "fuel_rail_pressure_direct": Rule(0.08, relative=True),
    "fuel_rail_pressure_vac": Rule(0.08, relative=True),
    "o2_b1s2": Rule(0.1),
    "o2_b2s2": Rule(0.1),
    "commanded_equiv_ratio": Rule(0.03),
}
CONDITIONS = frozenset(
    {
        "speed", "gps_speed", "accelerator_pos_d", "accelerator_pos_e", "accelerator_pos_f", "run_time",
        "ambiant_air_temp", "barometric_pressure", "fuel_level", "odometer", "latitude", "longitude",
        "altitude", "ethanol_percent", "fuel_type", "relative_accel_pos", "evaporative_purge",
    }
)  # fmt: skip
"""What the driver and the road decide: conditions of a comparison, never its result."""


_BY_THE_ROAD = frozenset({"rpm", "fuel_rate", "engine_fuel_rate_mass", "timing_advance"})


def tells_the_car(signal: str, state: StateName) -> bool:
    """Say whether the level of a signal in a state tells the car: on the road, air and load tell the road."""
    if signal not in RULES or signal in CONDITIONS or signal.startswith(("catalyst_temp", "intake_temp")):
        return False
    rule = RULES[signal]
    return state == "warm idle" or not (rule.air or rule.throttle or signal in _BY_THE_ROAD)


def rule_for(signal: str, levels: Floats) -> Rule:
    """Return the rule of a signal; one that has none of its own must differ by a fifth of its usual range."""
    if signal in RULES:
        return RULES[signal]
    low, high = np.quantile(levels, (0.05, 0.95))
    least = max(float(high - low) / 5, 1e-9)
    return Rule(least, source="a fifth of the signal's usual range: no engineering minimum is known")


def load_candidates(rule: Rule) -> tuple[str, ...]:
    """Return the signals that may stand for load when a signal is compared, best first.

    A signal is never matched on itself, nor on one that changes with it: air quantities are matched on the
    throttle's angle (absolute: the relative one is learnt anew at each start), throttle on air quantities.
    """
    if rule.air:
        return _THROTTLES
    return _AIR if rule.throttle else (*_AIR, *_THROTTLES)


def bins(signal: str, values: Floats) -> Floats:
    """Return the bin of every value of a signal that defines operating points, NaN for none."""
    edges = {"rpm": _RPM, "speed": _SPEED, "gps_speed": _SPEED}.get(signal) or LOADS[signal]
    known = np.isfinite(values)
    return np.where(known, np.digitize(values, edges), np.nan)
