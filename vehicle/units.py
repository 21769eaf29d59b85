"""Conversion into the one fixed unit each signal has, from a small table of exact factors.

Factors are the definitions (international yard and pound of 1959, SI brochure; NIST SP 811 lists them all, the
inch of mercury being the conventional 13 595.1 kg/m³ at 9.806 65 m/s²). Written as fractions so that nothing is
rounded before the one multiplication.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MILE = Fraction(1609344, 1000)  # m
_POUND = Fraction(45359237, 100000)  # g
_GRAVITY = Fraction(980665, 100000)  # m/s²
_US_GALLON = Fraction(3785411784, 1_000_000_000)  # L
_IMPERIAL_GALLON = Fraction(454609, 100000)  # L
_PSI = _POUND / 1000 * _GRAVITY / (Fraction(254, 10000) ** 2) / 1000  # kPa
_INCH_MERCURY = Fraction(135951, 10) * _GRAVITY * Fraction(254, 10000) / 1000  # kPa
_INCH_WATER = 1000 * _GRAVITY * Fraction(254, 10000) / 1000  # kPa
_FOOT_POUND = Fraction(3048, 10000) * _POUND / 1000 * _GRAVITY  # Nm

_PRESSURE_KPA = {
    "Pa": Fraction(1, 1000),
    "hPa": Fraction(1, 10),
    "kPa": Fraction(1),
    "MPa": Fraction(1000),
    "mbar": Fraction(1, 10),
    "bar": Fraction(100),
    "psi": _PSI,
    "inHg": _INCH_MERCURY,
    "mmHg": _INCH_MERCURY / Fraction(254, 10),
    "inH2O": _INCH_WATER,
    "atm": Fraction(101325, 1000),
    "kgf/cm²": Fraction(980665, 10000),
}
_LENGTH_M = {
    "mm": Fraction(1, 1000),
    "m": Fraction(1),
    "km": Fraction(1000),
    "mi": _MILE,
    "ft": Fraction(3048, 10000),
    "yd": Fraction(9144, 10000),
    "nmi": Fraction(1852),
}
_MASS_RATE_G_S = {
    "g/s": Fraction(1),
    "kg/s": Fraction(1000),
    "kg/h": Fraction(10, 36),
    "g/min": Fraction(1, 60),
    "lb/min": _POUND / 60,
    "lb/h": _POUND / 3600,
}
_TIME_S = {
    "µs": Fraction(1, 1_000_000),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "min": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
}


def _rescale(table: dict[str, Fraction], target: str) -> dict[str, Fraction]:
    return {unit: factor / table[target] for unit, factor in table.items()}


# target unit -> unit found -> factor; a unit missing here cannot become the target without a guess.
_FACTORS: dict[str, dict[str, Fraction]] = {
    "kPa": _PRESSURE_KPA,
    "Pa": _rescale(_PRESSURE_KPA, "Pa"),
    "km": _rescale(_LENGTH_M, "km"),
    "m": _LENGTH_M,
    "g/s": _MASS_RATE_G_S,
    "kg/h": _rescale(_MASS_RATE_G_S, "kg/h"),
    "s": _TIME_S,
    "min": _rescale(_TIME_S, "min"),
    "km/h": {
        "km/h": Fraction(1),
        "m/s": Fraction(36, 10),
        "mph": _MILE / 1000,
        "kn": Fraction(1852, 1000),
        "ft/s": Fraction(3048, 10000) * Fraction(36, 10),
    },
    "L/h": {
        "L/h": Fraction(1),
        "L/min": Fraction(60),
        "cc/min": Fraction(60, 1000),
        "gal/h": _US_GALLON,
        "gal/h (imperial)": _IMPERIAL_GALLON,
    },
    "L": {
        "L": Fraction(1),
        "mL": Fraction(1, 1000),
        "gal": _US_GALLON,
        "gal (imperial)": _IMPERIAL_GALLON,
    },
    "V": {"V": Fraction(1), "mV": Fraction(1, 1000)},
    "mA": {"mA": Fraction(1), "A": Fraction(1000)},
    "A": {"A": Fraction(1), "mA": Fraction(1, 1000)},
    "Nm": {"Nm": Fraction(1), "ft·lb": _FOOT_POUND, "kgf·m": _GRAVITY},
    "kW": {
        "kW": Fraction(1),
        "W": Fraction(1, 1000),
        "hp": _FOOT_POUND * 550 / 1000,
        "PS": 75 * _GRAVITY / 1000,
    },
    "m/s²": {"m/s²": Fraction(1), "g": _GRAVITY, "ft/s²": Fraction(3048, 10000)},
    "g": {"g": Fraction(1), "kg": Fraction(1000), "lb": _POUND},
    "°": {"°": Fraction(1)},
    "ratio": {"ratio": Fraction(1)},
    "%": {"%": Fraction(1)},
    "rpm": {"rpm": Fraction(1)},
    "ppm": {"ppm": Fraction(1)},
}
_ZERO_CELSIUS = {
    "°C": (Fraction(1), Fraction(0)),
    "K": (Fraction(1), Fraction(-27315, 100)),
    "°F": (Fraction(5, 9), Fraction(-160, 9)),
}


def scale(found: str, wanted: str) -> tuple[float, float] | None:
    """Return (factor, offset) with wanted = found * factor + offset, or None where no exact way exists."""
    if found == wanted:
        return 1.0, 0.0
    if wanted == "°C" and found in _ZERO_CELSIUS:
        factor, offset = _ZERO_CELSIUS[found]
        return float(factor), float(offset)
    found_factor = _FACTORS.get(wanted, {}).get(found)
    return None if found_factor is None else (float(found_factor), 0.0)


def convert(values: NDArray[np.float64], found: str, wanted: str) -> NDArray[np.float64]:
    """Return `values` given in `found` as `wanted`; raises ValueError where there is no exact conversion."""
    how = scale(found, wanted)
    if how is None:
        raise ValueError(f"{found!r} cannot become {wanted!r}; {wanted!r} can be had from {accepted(wanted)}")
    factor, offset = how
    return values if how == (1.0, 0.0) else values * factor + offset


def accepted(wanted: str) -> list[str]:
    """Return every unit that `scale` can turn into `wanted`."""
    known = _ZERO_CELSIUS if wanted == "°C" else _FACTORS.get(wanted, {wanted: Fraction(1)})
    return sorted(known)
