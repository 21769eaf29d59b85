"""Fuel flow at every moment by each method: the ECU's own rate, air mass, torque."""

from dataclasses import dataclass

import numpy as np

from analysis.engine import Engine
from analysis.fuel.air import Air, EngineSize, Refusal, absolute_load, air_mass, speed_density
from analysis.fuel.fuels import Fuel
from analysis.fuel.mixture import Mixture, mixture, overrun_share
from analysis.results.fuel import FuelMethodName
from analysis.table import Floats

_DIESEL_HEAT_KJ_G = 42.6
_DIESEL_EFFICIENCY = 0.42
_ECU_PERCENT, _TORQUE_PERCENT = 5.0, 25.0
_TORQUE: FuelMethodName = "engine_torque"
_ECU_SOURCE = (
    "EU on-board fuel monitoring must be within 5 %; a JRC study of 15 cars and 12 trucks found it mostly so"
)


@dataclass(frozen=True)
class Flow:
    """Fuel per second on the grid, in L/s or g/s (NaN where not known), with all that it rests on."""

    method: FuelMethodName
    per_s: Floats
    by_volume: bool
    half_percent: float
    inputs: tuple[str, ...]
    source: str
    assumptions: tuple[str, ...] = ()
    from_air: bool = False


def flows(engine: Engine, fuel: Fuel | None, size: EngineSize) -> list[Flow | Refusal]:
    """Return every method's flow or refusal, most trusted first."""
    airs = (air_mass(engine), speed_density(engine, size), absolute_load(engine, size))
    mixed = mixture(engine, fuel) if fuel is not None else None
    return [
        _ecu(engine, "ecu_fuel_rate", "fuel_rate", by_volume=True),
        _ecu(engine, "ecu_fuel_mass", "engine_fuel_rate_mass", by_volume=False),
        *(_burned(air, engine, fuel, mixed) for air in airs),
        _torque(engine, fuel),
    ]


def _ecu(engine: Engine, method: FuelMethodName, signal: str, *, by_volume: bool) -> Flow | Refusal:
    """Take the ECU's own fuel rate: PID 5E in L/h or PID 9D in g/s."""
    if not engine.timeline.has(signal):
        return Refusal(method, f"no {signal} was recorded")
    rate = engine.timeline.held(signal)
    if not (rate > 0).any():
        return Refusal(method, f"{signal} reads zero throughout: the car does not supply it")
    return Flow(method, rate / 3600 if by_volume else rate, by_volume, _ECU_PERCENT, (signal,), _ECU_SOURCE)


def _burned(air: Air | Refusal, engine: Engine, fuel: Fuel | None, mixed: Mixture | None) -> Flow | Refusal:
    """Turn an air flow into a fuel flow by air-fuel ratio, lambda and fuel cut."""
    if isinstance(air, Refusal):
        return air
    if fuel is None or mixed is None:
        return Refusal(air.method, "the fuel is not known, so neither is its air-fuel ratio")
    if fuel.lean and not mixed.applied:
        return Refusal(air.method, _LEAN)
    burning = np.where(mixed.cut, 0.0, air.g_s / (fuel.air_ratio * mixed.lambdas))
    resting = (engine.off | engine.cranking) & np.isfinite(air.g_s)
    return Flow(
        air.method,
        np.where(resting, 0.0, burning),
        False,
        air.half_percent,
        (*air.inputs, *mixed.inputs),
        air.source,
        (
            f"air-fuel ratio {fuel.air_ratio:.2f}:1 of {fuel.name}: {fuel.source}",
            mixed.said,
            *air.said,
            *_passed(air, engine, mixed),
        ),
        from_air=True,
    )


_LEAN = (
    "a diesel always runs lean: the petrol formula (air mass over a fixed air-fuel ratio) is refused; "
    "a diesel needs the ECU's fuel rate (PID 5E or 9D), a measured lambda (PID 24 or 34) or torque (PID 62, 63)"
)


def _passed(air: Air, engine: Engine, mixed: Mixture) -> tuple[str, ...]:
    """Say how much of the air passed in overrun where its fuel was not taken away."""
    share = overrun_share(air.g_s, engine, engine.timeline)
    if mixed.applied or share < 0.02:
        return ()
    return (f"{100 * share:.0f} % of the air passed in overrun and may have carried no fuel",)


def _torque(engine: Engine, fuel: Fuel | None) -> Flow | Refusal:
    """Tell a diesel's fuel from its indicated torque (PID 62 of PID 63) and speed by an energy balance."""
    timeline, name = engine.timeline, _TORQUE
    if fuel is None or not fuel.lean:
        return Refusal(name, "only for diesels: a petrol engine's efficiency varies too much with load")
    missing = [s for s in ("engine_torque_actual", "rpm") if not timeline.has(s)]
    if missing or not timeline.has("engine_reference_torque", readings=1):
        return Refusal(name, f"not recorded: {', '.join(missing) or 'engine_reference_torque'}")
    reference = float(np.median(timeline["engine_reference_torque"].values))
    torque = np.clip(timeline.held("engine_torque_actual"), 0.0, None) / 100 * reference
    kilowatt = torque * timeline.held("rpm") * np.pi / 30 / 1000
    return Flow(
        name,
        kilowatt / (_DIESEL_EFFICIENCY * _DIESEL_HEAT_KJ_G),
        False,
        _TORQUE_PERCENT,
        ("engine_torque_actual", "engine_reference_torque", "rpm"),
        "energy balance; efficiency and interval are our judgement: low confidence",
        (f"indicated efficiency {_DIESEL_EFFICIENCY:g}, 42.6 kJ/g", f"reference torque {reference:g} Nm"),
    )
