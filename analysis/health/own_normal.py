"""Checks against this car's own normal, learned from its earlier sessions."""

import numpy as np

from analysis.compare.limits import RULES
from analysis.health.checking import Car, between, enough
from analysis.health.oddities import system_of_signal
from analysis.results.health import Check, SystemName
from analysis.results.history import CarNormal, NormalLevel
from analysis.states import operating_states
from analysis.table import Floats

_LEAST_S = 20.0


def normal_checks(car: Car, baseline: CarNormal) -> list[Check]:
    """Return one check per system: the signal farthest outside the car's own normal, in engineering minimums."""
    states = operating_states(car.timeline, car.engine)
    rated: dict[SystemName, list[tuple[float, float, NormalLevel, float]]] = {}
    for normal in baseline.levels:
        if not car.has(normal.signal):
            continue
        where = states.where(normal.state) & car.engine.running
        value, seconds = _level(car.held(normal.signal), where, car.timeline.step_s)
        if seconds >= _LEAST_S:
            beyond = max(normal.low - value, value - normal.high, 0.0) / _minimum(normal)
            system = system_of_signal(normal.signal)
            rated.setdefault(system, []).append((beyond, value, normal, seconds))
    return [_check(car, system, found) for system, found in rated.items()]


def _level(
    values: Floats, where: np.ndarray[tuple[int], np.dtype[np.bool_]], step_s: float
) -> tuple[float, float]:
    known = values[where & np.isfinite(values)]
    return (float(np.median(known)) if known.size else float("nan")), known.size * step_s


def _minimum(normal: NormalLevel) -> float:
    rule = RULES.get(normal.signal)
    if rule is None:
        return max(0.1 * abs(normal.level), 1e-9)
    return rule.minimum * (abs(normal.level) if rule.relative else 1.0)


def _check(car: Car, system: SystemName, found: list[tuple[float, float, NormalLevel, float]]) -> Check:
    beyond, value, normal, seconds = max(found, key=lambda part: part[0])
    where = operating_states(car.timeline, car.engine).where(normal.state)
    expected = f"{normal.low:.4g} to {normal.high:.4g} from {normal.sessions} sessions"
    return Check(
        rule="own-normal",
        title=f"{normal.signal} at {normal.state} against this car's own normal",
        system=system,
        weight=0.7,
        severity=between(beyond, 0.3, 3.0),
        quality=enough(seconds, 60),
        evidence=[car.evidence(normal.signal, f"median at {normal.state}", value, expected, where)],
        explanation=(
            f"{normal.signal} is {value:.4g} {normal.unit} at {normal.state}; this car's normal is {expected}. "
            f"{len(found)} levels of this system were compared."
        ),
        recommendation="If it stays on the next drive, look at this system.",
        source="this car's own sessions; severity in engineering minimums beyond the normal range",
    )
