"""Joins storage and analysis: what people entered about a vehicle, as analysis takes it."""

from analysis.facts import VehicleFacts
from tools.context import ToolContext


def facts_of(context: ToolContext, vehicle_id: str | None) -> VehicleFacts | None:
    """Return the facts entered about the vehicle, or None where the session belongs to none."""
    if vehicle_id is None:
        return None
    vehicle = context.store.vehicles.get(vehicle_id)
    known = {name: getattr(vehicle, name, None) for name in VehicleFacts.model_fields}
    return VehicleFacts.model_validate(known)
