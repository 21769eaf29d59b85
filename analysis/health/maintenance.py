"""Routine maintenance: usual intervals, and what is due where the odometer is known."""

from analysis.facts import VehicleFacts
from analysis.findings import absent, derived
from analysis.results.health import MaintenanceItem

_COMBUSTION = (
    ("engine oil and filter", 15_000, 12),
    ("engine air filter", 30_000, 48),
    ("coolant", 120_000, 60),
    ("accessory belt: inspect", 60_000, 48),
)
_SPARK = (("spark plugs", 60_000, None),)
_DIESEL = (("fuel filter", 60_000, 48),)
_EVERY = (
    ("cabin filter", 30_000, 24),
    ("brake fluid", None, 24),
    ("battery: test", None, 12),
    ("automatic transmission fluid", 80_000, None),
)
_BASIS = "usual interval of passenger cars, not this car's plan: the owner's manual goes before it"


def maintenance(vehicle: VehicleFacts | None, odometer_km: float | None) -> list[MaintenanceItem]:
    """Return routine work for this kind of car; due distances only where the odometer is known."""
    return [_item(*entry, odometer_km) for entry in _entries(vehicle)]


def _entries(vehicle: VehicleFacts | None) -> list[tuple[str, int | None, int | None]]:
    kind = vehicle.fuel_type if vehicle else None
    entries: list[tuple[str, int | None, int | None]] = list(_EVERY)
    if vehicle is not None and vehicle.automatic is False:
        entries.pop()
    if kind == "electric":
        return entries
    entries += _COMBUSTION
    if kind in ("diesel", "hybrid_diesel"):
        return entries + list(_DIESEL)
    return entries + list(_SPARK) if kind is not None else entries


def _item(name: str, km: int | None, months: int | None, odometer_km: float | None) -> MaintenanceItem:
    if km is None:
        due = absent("km", "goes by time, not by distance; the date of the last one is not known")
    elif odometer_km is None:
        due = absent("km", "the odometer is not known; give odometer_km or record odometer (PID A6)")
    else:
        left = km - odometer_km % km
        method = f"to the next multiple of {km} km; when it was last done is not known"
        due = derived(left, "km", method)
    return MaintenanceItem(item=name, interval_km=km, interval_months=months, due_in_km=due, basis=_BASIS)
