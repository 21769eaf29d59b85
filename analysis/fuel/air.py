"""Air flow into the engine at every moment: measured, by speed-density, and by absolute load."""

from dataclasses import dataclass

from analysis.engine import Engine
from analysis.results.fuel import FuelMethodName
from analysis.table import Floats
from analysis.timeline import Timeline

VOLUMETRIC_EFFICIENCY = 0.85
"""Assumed where nobody gave one; engines without a charger lie at 0.75 to 0.90 (our judgement)."""
_AIR_G_KPA_K = 28.97 / 8.314
_AIR_G_L_AT_25C = 1.184
_MAF_SOURCE = "HEM Data, 111 cars: air-based against injector-based differ by 2.8 % mean, 5.1 % sd"
_DENSITY_SOURCE = "speed-density: Lightner, Circuit Cellar; the interval is our judgement"
_LOAD_SOURCE = "absolute load as SAE J1979 defines it, over air of 1.184 g/L; the interval is our judgement"


@dataclass(frozen=True, slots=True)
class EngineSize:
    """Displacement and volumetric efficiency of the engine, None where nobody said."""

    displacement_l: float | None = None
    volumetric_efficiency: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a method gives nothing."""

    method: FuelMethodName
    reason: str


@dataclass(frozen=True, slots=True)
class Air:
    """Air in g/s on the grid by one method, and what it rests on."""

    method: FuelMethodName
    g_s: Floats
    half_percent: float
    inputs: tuple[str, ...]
    source: str
    said: tuple[str, ...] = ()


def air_mass(engine: Engine) -> Air | Refusal:
    """Return the measured air mass flow (PID 10, or the sensors of PID 66 together)."""
    timeline = engine.timeline
    name = timeline.first_of("maf", "maf_a")
    if name is None:
        return Refusal("maf", "no maf was recorded")
    second = name == "maf_a" and timeline.has("maf_b")
    flow = timeline.held(name) + (timeline.held("maf_b") if second else 0.0)
    if not (flow > 0).any():
        return Refusal("maf", f"{name} reads zero throughout: the car does not supply it")
    return Air("maf", flow, 10.0, (name, "maf_b") if second else (name,), _MAF_SOURCE)


def speed_density_g_s(timeline: Timeline, displacement_l: float, efficiency: float) -> Floats:
    """Return the air flow in g/s on the grid: rpm MAP / T / 120 x VE x V x 28.97 / 8.314 (Lightner)."""
    kelvin = timeline.held("intake_temp") + 273.15
    filling = timeline.held("rpm") * timeline.held("intake_pressure") / kelvin / 120
    return filling * efficiency * displacement_l * _AIR_G_KPA_K


def speed_density(engine: Engine, size: EngineSize) -> Air | Refusal:
    """Return the air flow from engine speed, manifold pressure and intake temperature."""
    needed = ("intake_pressure", "intake_temp", "rpm")
    refusal = _missing("speed_density", engine, needed, size)
    if refusal is not None or size.displacement_l is None:
        return refusal or _no_size("speed_density")
    given = size.volumetric_efficiency
    efficiency = VOLUMETRIC_EFFICIENCY if given is None else given
    said = (
        f"volumetric efficiency {efficiency:g} ({'assumed, nobody gave one' if given is None else 'given'})",
        f"displacement {size.displacement_l:g} L",
    )
    flow = speed_density_g_s(engine.timeline, size.displacement_l, efficiency)
    return Air("speed_density", flow, 20.0 if given is None else 15.0, needed, _DENSITY_SOURCE, said)


def absolute_load(engine: Engine, size: EngineSize) -> Air | Refusal:
    """Return the air flow from absolute load (PID 43): its share of 1.184 g per litre and cycle."""
    needed = ("absolute_load", "rpm")
    refusal = _missing("absolute_load", engine, needed, size)
    if refusal is not None or size.displacement_l is None:
        return refusal or _no_size("absolute_load")
    filling = engine.timeline.held("absolute_load") / 100 * engine.timeline.held("rpm") / 120
    said = (f"displacement {size.displacement_l:g} L",)
    return Air(
        "absolute_load", _AIR_G_L_AT_25C * size.displacement_l * filling, 15.0, needed, _LOAD_SOURCE, said
    )


def _missing(
    method: FuelMethodName, engine: Engine, needed: tuple[str, ...], size: EngineSize
) -> Refusal | None:
    """Say what a method lacks, or None."""
    missing = [name for name in needed if not engine.timeline.has(name)]
    if missing:
        return Refusal(method, f"not recorded: {', '.join(missing)}")
    if not (engine.timeline.held(needed[0]) > 0).any():
        return Refusal(method, f"{needed[0]} reads zero throughout: the car does not supply it")
    return _no_size(method) if size.displacement_l is None else None


def _no_size(method: FuelMethodName) -> Refusal:
    return Refusal(method, "the displacement of the engine is not known; give displacement_l")
