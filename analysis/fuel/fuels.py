"""Fuels and their constants, each with its source; which of them a car burns."""

from dataclasses import dataclass
from typing import get_args

import numpy as np

from analysis.errors import UnknownChoiceError
from analysis.facts import FuelType, VehicleFacts
from analysis.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Fuel:
    """Stoichiometric air-fuel ratio by mass, density and carbon dioxide of one fuel; None where not sold by volume."""

    name: str
    air_ratio: float
    density_g_l: float | None
    co2_g_g: float
    source: str
    lean: bool = False


PETROL_G_L, ETHANOL_G_L, DIESEL_G_L, LPG_G_L = 745.0, 792.0, 848.0, 506.0
_PETROL_CO2, _ETHANOL_CO2, _DIESEL_CO2, _LPG_CO2 = 2348.0, 1524.0, 2689.0, 1511.0
_PETROL_AIR, _ETHANOL_AIR = 14.7, 9.0


def petrol_with_ethanol(percent: float, name: str) -> Fuel:
    """Return petrol with so many per cent of ethanol by volume: densities and CO2 by volume, air by mass."""
    share = percent / 100
    density = PETROL_G_L + share * (ETHANOL_G_L - PETROL_G_L)
    by_mass = share * ETHANOL_G_L / density
    air = _PETROL_AIR + by_mass * (_ETHANOL_AIR - _PETROL_AIR)
    co2_g_l = _PETROL_CO2 + share * (_ETHANOL_CO2 - _PETROL_CO2)
    return Fuel(
        name,
        air,
        density,
        co2_g_l / density,
        f"petrol 14.7:1, 745 g/L (AFDC), CO2 2348 g/L (EPA-420-F-11-041); ethanol 9.0:1, 792 g/L (AFDC), "
        f"CO2 1524 g/L (EIA); {percent:g} % ethanol by volume",
    )


FUELS: dict[FuelType, Fuel] = {
    "gasoline": petrol_with_ethanol(0, "petrol"),
    "e10": petrol_with_ethanol(10, "E10"),
    "e85": petrol_with_ethanol(85, "E85"),
    "ethanol": petrol_with_ethanol(100, "ethanol"),
    "diesel": Fuel(
        "diesel",
        14.5,
        DIESEL_G_L,
        _DIESEL_CO2 / DIESEL_G_L,
        "diesel 14.5:1, 848 g/L (AFDC), CO2 2689 g/L (EPA-420-F-11-041)",
        lean=True,
    ),
    "lpg": Fuel(
        "LPG",
        15.7,
        LPG_G_L,
        _LPG_CO2 / LPG_G_L,
        "propane 15.7:1 (stoichiometry of C3H8), 4.22 lb/gal (AFDC), CO2 5.72 kg/gal (EPA emission factors); "
        "blends with butane are up to 8 % denser",
    ),
    "cng": Fuel(
        "natural gas", 17.2, None, 44.01 / 16.04, "methane 17.2:1 and 2.74 g CO2/g (stoichiometry of CH4)"
    ),
}
FUELS["hybrid_gasoline"] = FUELS["gasoline"]
FUELS["hybrid_diesel"] = FUELS["diesel"]

BY_CODE: dict[int, FuelType] = {
    1: "gasoline", 3: "ethanol", 4: "diesel", 5: "lpg", 6: "cng", 7: "lpg", 8: "electric", 9: "gasoline",
    11: "ethanol", 12: "lpg", 13: "cng", 14: "lpg", 15: "electric", 17: "hybrid_gasoline", 18: "ethanol",
    19: "hybrid_diesel", 20: "hybrid", 21: "hybrid", 22: "hybrid", 23: "diesel",
}  # fmt: skip
"""What the codes of PID 51 (SAE J1979) mean; methanol and two fuels at once have no constants here."""

ASK = (
    "What does the car burn? Give fuel_type: gasoline, e10, e85, ethanol, flex, diesel, lpg, cng, "
    "hybrid_gasoline, hybrid_diesel or electric; or save it with the vehicle."
)
ASK_HYBRID = "Which fuel does the hybrid's engine burn? Give fuel_type hybrid_gasoline or hybrid_diesel."
ASK_BLEND = "What is in the tank? Give fuel_type e10, e85 or ethanol, or record ethanol_percent (PID 52)."


@dataclass(frozen=True, slots=True)
class Burned:
    """What the car burns, who said so, and what has to be asked where that is not enough."""

    fuel_type: FuelType | None
    said_by: str
    fuel: Fuel | None
    question: str | None = None
    reported: FuelType | None = None


def burned(timeline: Timeline, fuel_type: str | None, vehicle: VehicleFacts | None) -> Burned:
    """Tell what the car burns: as the caller says, else as saved with the vehicle, else as PID 51 reports.

    Raises UnknownChoiceError for a fuel type that does not exist. Nothing is guessed.
    """
    reported = reported_type(timeline)
    if fuel_type is not None:
        return _burned(_checked(fuel_type), "given with the request", timeline, reported)
    if vehicle is not None and vehicle.fuel_type is not None:
        return _burned(vehicle.fuel_type, "saved with the vehicle", timeline, reported)
    if reported is not None:
        return _burned(reported, "reported by the car (PID 51)", timeline, reported)
    return Burned(None, "nobody said", None, ASK)


def _burned(kind: FuelType, said_by: str, timeline: Timeline, reported: FuelType | None) -> Burned:
    blend = _measured_blend(timeline) if kind in ("flex", "ethanol", "e85") else None
    if blend is not None:
        fuel = petrol_with_ethanol(blend, f"petrol with {blend:.0f} % ethanol (PID 52)")
        return Burned(kind, said_by, fuel, reported=reported)
    question = {"hybrid": ASK_HYBRID, "flex": ASK_BLEND}.get(kind)
    return Burned(kind, said_by, FUELS.get(kind), question, reported)


def _checked(fuel_type: str) -> FuelType:
    kinds: tuple[FuelType, ...] = get_args(FuelType)
    for kind in kinds:
        if kind == fuel_type:
            return kind
    raise UnknownChoiceError(f"There is no fuel type {fuel_type!r}.", ASK)


def reported_type(timeline: Timeline) -> FuelType | None:
    """Return what the car itself says it burns (PID 51), or None."""
    if not timeline.has("fuel_type", readings=1):
        return None
    codes, counts = np.unique(timeline["fuel_type"].values, return_counts=True)
    return BY_CODE.get(int(codes[np.argmax(counts)]))


def _measured_blend(timeline: Timeline) -> float | None:
    """Return the measured share of ethanol in per cent by volume (PID 52), or None."""
    if not timeline.has("ethanol_percent", readings=1):
        return None
    return float(np.median(timeline["ethanol_percent"].values))
