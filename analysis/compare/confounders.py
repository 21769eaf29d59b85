"""Conditions in which sessions differ and which explain differences by themselves: weather, fuel, altitude."""

from dataclasses import dataclass

import numpy as np

from analysis.compare.points import Drive
from analysis.facts import VehicleFacts
from analysis.results.compare import Confounder

_TRIMS = ("short_fuel_trim_1", "short_fuel_trim_2", "long_fuel_trim_1", "long_fuel_trim_2")
_AIR = ("engine_load", "absolute_load", "intake_pressure", "maf", "throttle_pos", "relative_throttle_pos")
_HEAT = ("coolant_temp", "oil_temp", "intake_temp", "catalyst_temp_b1s1", "catalyst_temp_b1s2")
_FUELLED = ("fuel_rate", "engine_fuel_rate_mass", "timing_advance", *_TRIMS)


@dataclass(frozen=True, slots=True)
class Condition:
    """A signal that tells a condition, and from which difference on it matters."""

    name: str
    signal: str
    least: float
    affects: tuple[str, ...]
    explanation: str


CONDITIONS = (
    Condition(
        "ambient temperature",
        "ambiant_air_temp",
        8.0,
        (*_HEAT, "control_module_voltage", *_FUELLED),
        "Temperatures follow the weather, and chargers and mixture follow temperature.",
    ),
    Condition(
        "fuel level",
        "fuel_level",
        15.0,
        _FUELLED,
        "The tank was filled or emptied in between; other fuel or another blend moves the trims.",
    ),
    Condition(
        "ethanol in the fuel", "ethanol_percent", 5.0, _FUELLED, "Ethanol needs more fuel for the same air."
    ),
    Condition(
        "barometric pressure",
        "barometric_pressure",
        3.0,
        _AIR,
        "Altitude and weather change the air an engine gets.",
    ),
    Condition(
        "canister purge",
        "evaporative_purge",
        10.0,
        _TRIMS,
        "Fuel vapour from the canister is corrected by the trims while purging.",
    ),
)


def confounders(
    reference: Drive,
    session: Drive,
    facts: tuple[VehicleFacts | None, VehicleFacts | None] = (None, None),
) -> list[Confounder]:
    """Return the conditions in which a session differs from the reference enough to matter."""
    found = [found for rule in CONDITIONS if (found := _differs(rule, reference, session)) is not None]
    found += [part for part in (_cold_start(reference, session),) if part is not None]
    return found + _facts_differ(reference, session, *facts)


def _level(drive: Drive, signal: str) -> float:
    """Return the median of a condition while the engine runs, NaN where it is not known."""
    values = drive.timeline.held(signal)
    known = values[drive.engine.running & np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _differs(rule: Condition, reference: Drive, session: Drive) -> Confounder | None:
    first, second = _level(reference, rule.signal), _level(session, rule.signal)
    if not abs(second - first) >= rule.least:
        return None
    unit = session.timeline[rule.signal].unit
    return Confounder(
        name=rule.name,
        session=session.name,
        reference_value=f"{first:.4g} {unit}",
        session_value=f"{second:.4g} {unit}",
        explanation=rule.explanation,
        affects=list(rule.affects),
    )


def _cold_start(reference: Drive, session: Drive) -> Confounder | None:
    """Name a drive that began cold where the other began warm."""
    starts = [_first(drive, "coolant_temp") for drive in (reference, session)]
    if not abs(starts[0] - starts[1]) >= 30:
        return None
    return Confounder(
        name="temperature at the start",
        session=session.name,
        reference_value=f"{starts[0]:.0f} °C coolant",
        session_value=f"{starts[1]:.0f} °C coolant",
        explanation="Oil, catalyst and intake take longer than the coolant to warm through.",
        affects=list(_HEAT),
    )


def _first(drive: Drive, signal: str) -> float:
    values = drive.timeline.held(signal)
    known = values[np.isfinite(values)]
    return float(known[0]) if known.size else float("nan")


def _facts_differ(
    reference: Drive, session: Drive, first: VehicleFacts | None, second: VehicleFacts | None
) -> list[Confounder]:
    """Name facts of the vehicles that differ: another car, another fuel."""
    if first is None or second is None:
        return []
    found = []
    for field in ("make", "model", "year", "displacement_l", "fuel_type", "turbocharged", "automatic"):
        one, two = getattr(first, field), getattr(second, field)
        if one is not None and two is not None and one != two:
            found.append(
                Confounder(
                    name=field,
                    session=session.name,
                    reference_value=str(one),
                    session_value=str(two),
                    explanation="The sessions are of different cars or fuels: any signal may differ.",
                    affects=["all"],
                )
            )
    return found


def explained_by(signal: str, found: list[Confounder]) -> list[str]:
    """Return the names of the conditions that may explain a difference of a signal."""
    return [part.name for part in found if signal in part.affects or "all" in part.affects]
