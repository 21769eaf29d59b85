"""How heavy the car would have to be, were its engine's power and its acceleration both right."""

from dataclasses import dataclass

import numpy as np

from analysis.engine import Engine
from analysis.facts import VehicleFacts
from analysis.table import Floats

KW_PER_AIR = 0.95
"""kW at the crank per g/s of air: 43 MJ/kg / 14.7 at 32 % efficiency, what petrol engines reach under load."""
_LIGHTEST_KG = 650.0
_LIGHTEST_LEAN_KG = 1400.0
_UNTHROTTLED_KPA = 85.0
_FEWEST_S = 20.0
_AIR_PER_LITRE = 28.97 / 8.314


@dataclass(frozen=True, slots=True)
class ApparentMass:
    """Median of the mass over moments of acceleration, in kg."""

    value: float
    samples: int


def apparent_mass_kg(
    engine: Engine, vehicle: VehicleFacts | None = None, *, speed_factor: float = 1.0
) -> ApparentMass | None:
    """Return the mass that engine power would accelerate as fast as the speed says, None where nothing tells.

    `speed_factor` divides the speed first, to see what mass a speed on another scale would give.

    m = (P - 0.36 v³) / (v (1.05 a + 0.1)) with P from air flow. The estimate for a right speed came out at 0.9 to
    1.4 times the real mass in nine drives of one petrol car, and higher for lean engines; a speed that reads 1.6
    times too high makes it 2.6 times too small.
    """
    air = _air_g_s(engine, vehicle)
    if air is None:
        return None
    speed_ms, rate = engine.speed_kmh / 3.6, engine.acceleration_ms2
    pulling = engine.running & (rate > 0.5) & (engine.speed_kmh > 15) & np.isfinite(air)
    if np.count_nonzero(pulling) * engine.timeline.step_s < _FEWEST_S:
        return None
    v, a = speed_ms[pulling] / speed_factor, rate[pulling] / speed_factor
    mass = (1000 * KW_PER_AIR * air[pulling] - 0.36 * v**3) / (v * (1.05 * a + 0.1))
    return ApparentMass(float(np.median(mass)), int(mass.size))


def lightest_plausible_kg(engine: Engine, vehicle: VehicleFacts | None = None) -> float:
    """Return the smallest apparent mass that a right speed gives: more where the engine runs lean."""
    if vehicle is not None and vehicle.mass_kg is not None:
        return 0.55 * vehicle.mass_kg
    pressure = engine.timeline.held("intake_pressure")[engine.idle]
    known = pressure[np.isfinite(pressure)]
    unthrottled = known.size > 0 and float(np.median(known)) > _UNTHROTTLED_KPA
    lean = unthrottled or (vehicle is not None and vehicle.fuel_type == "diesel")
    return _LIGHTEST_LEAN_KG if lean else _LIGHTEST_KG


def _air_g_s(engine: Engine, vehicle: VehicleFacts | None) -> Floats | None:
    """Return the air flow: measured, or from manifold pressure where the displacement is known."""
    timeline = engine.timeline
    if timeline.has("maf"):
        return timeline.held("maf")
    if vehicle is None or vehicle.displacement_l is None:
        return None
    if not timeline.has("intake_pressure", "intake_temp"):
        return None
    kelvin = timeline.held("intake_temp") + 273.15
    filling = timeline.held("intake_pressure") * vehicle.displacement_l * 0.85 / kelvin
    return engine.rpm / 120 * filling * _AIR_PER_LITRE
