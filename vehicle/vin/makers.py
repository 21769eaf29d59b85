"""Who a world manufacturer identifier (positions 1 to 3) belongs to, and where it was registered."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from vehicle.vin.models import VinField

VPIC = "NHTSA vPIC, list of 2026-03-12 (shipped)"
VPIC_LICENCE = "public domain (work of the US government)"
ISO_3780 = "ISO 3780 country ranges, distribution of 2021-04-13"
VININFO = "vininfo"
VININFO_LICENCE = "BSD-3-Clause"

_ORDER = "ABCDEFGHJKLMNPRSTUVWXYZ1234567890"
_REGIONS = {"ABC": "Africa", "HJKLMNPR": "Asia", "ESTUVWXYZ": "Europe", "123457": "North America"}
_REGIONS |= {"6": "Oceania", "89": "South America"}


@dataclass(frozen=True, slots=True)
class Maker:
    """A maker of vehicles; `year_by_position_7` where 49 CFR 565.15 binds what it makes."""

    name: str
    vehicle_type: str | None
    makes: tuple[str, ...]
    year_by_position_7: bool
    source: str
    licence: str


def region(vin: str) -> VinField:
    """Return the part of the world position 1 stands for."""
    if country(vin).value == "New Zealand":
        return VinField(value="Oceania", source=ISO_3780)
    for letters, name in _REGIONS.items():
        if vin[0] in letters:
            return VinField(value=name, source=ISO_3780)
    return VinField(value=None, reason=f"position 1 {vin[0]!r} is not assigned to a region")


def country(vin: str) -> VinField:
    """Return the country whose authority registered the maker; the vehicle may be built elsewhere."""
    place = _ORDER.index(vin[1])
    for first, start, end, name in _table("countries.csv"):
        if first == vin[0] and _ORDER.index(start) <= place <= _ORDER.index(end):
            return VinField(value=name, source=ISO_3780, note="where the maker is registered")
    return VinField(value=None, reason=f"{vin[:2]} is not assigned to a country in the list we know")


def maker(vin: str) -> Maker | None:
    """Return the maker of positions 1 to 3, or None where no list names it.

    Position 3 = 9 means fewer than 1,000 vehicles a year: positions 12 to 14 then name the maker.
    """
    wmi = vin[:3]
    if wmi[2] == "9":
        return None
    return _shipped().get(wmi) or _from_vininfo(wmi)


@cache
def _shipped() -> Mapping[str, Maker]:
    return {
        wmi: Maker(name, kind, tuple(makes.split("|")), bound == "yes", VPIC, VPIC_LICENCE)
        for wmi, name, kind, makes, bound in _table("makers.csv")
    }


def _from_vininfo(wmi: str) -> Maker | None:
    from vininfo.dicts import WMI

    # Only full identifiers: its two-letter entries name a whole group's best known make (1M -> Mercury).
    found = WMI.get(wmi)
    if found is None:
        return None
    name = str(getattr(found, "manufacturer", found))
    return Maker(name, None, (), False, VININFO, VININFO_LICENCE)


@cache
def _table(name: str) -> list[list[str]]:
    text = (files("vehicle.vin") / "data" / name).read_text(encoding="utf-8")
    return list(csv.reader(io.StringIO(text, newline="")))
