"""Vehicles: what people entered about the cars that sessions belong to."""

from typing import Annotated, Any

from pydantic import Field

from analysis.facts import FuelType
from tools.answer import Answer
from tools.arguments import Limit, Offset, VehicleId
from tools.context import ToolContext
from tools.registry import tool
from tools.rows import VehicleRow


class Vehicles(Answer):
    """A page of vehicles."""

    total: int
    offset: int
    vehicles: list[VehicleRow]

    def say(self) -> str:
        """Say the page, one vehicle a line."""
        if not self.total:
            return "No vehicles yet: enter one with save_vehicle."
        shown = f"{len(self.vehicles)} of {self.total} vehicles"
        return "\n".join([shown, *(row.line() for row in self.vehicles)])


class VehicleSaved(Answer):
    """The vehicle as it is remembered now."""

    vehicle: VehicleRow

    def say(self) -> str:
        """Say the vehicle."""
        return self.vehicle.line()


@tool("sessions", "List vehicles")
def list_vehicles(context: ToolContext, limit: Limit = 50, offset: Offset = 0) -> Vehicles:
    """List the vehicles that sessions can belong to, with their ids and what is known about each."""
    rows, total = context.store.vehicles.list(limit=limit, offset=offset)
    return Vehicles(total=total, offset=offset, vehicles=[VehicleRow.of(row) for row in rows])


@tool("sessions", "Enter or change a vehicle", read_only=False)
def save_vehicle(
    context: ToolContext,
    name: Annotated[
        str | None, Field(max_length=200, description="What people call it; needed for a new one.")
    ] = None,
    vehicle_id: VehicleId | None = None,
    vin: Annotated[str | None, Field(max_length=32, description="VIN, 17 characters; checked.")] = None,
    make: Annotated[str | None, Field(max_length=100, description="Maker.")] = None,
    model: Annotated[str | None, Field(max_length=100, description="Model.")] = None,
    year: Annotated[int | None, Field(ge=1950, le=2100, description="Model year.")] = None,
    fuel_type: Annotated[FuelType | None, Field(description="What it burns; fuel analysis needs it.")] = None,
    displacement_l: Annotated[
        float | None, Field(gt=0, le=20, description="Engine displacement in litres; speed-density needs it.")
    ] = None,
    mass_kg: Annotated[float | None, Field(gt=0, le=60000, description="Mass with load, in kg.")] = None,
    notes: Annotated[str | None, Field(max_length=5000, description="Anything else.")] = None,
) -> VehicleSaved:
    """Enter a vehicle, or change the given facts of one (`vehicle_id`). Only what is known; nothing is filled in."""
    if vin is not None:
        from vehicle.vin.decode import decode_vin

        vin = decode_vin(vin).vin
    given: dict[str, Any] = {
        "name": name,
        "vin": vin,
        "make": make,
        "model": model,
        "year": year,
        "fuel_type": fuel_type,
        "displacement_l": displacement_l,
        "mass_kg": mass_kg,
        "notes": notes,
    }
    facts = {key: value for key, value in given.items() if value is not None}
    return VehicleSaved(vehicle=VehicleRow.of(context.store.vehicles.save(vehicle_id, **facts)))
