"""Cars, as their owners describe them."""

from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from storage.database import Database
from storage.errors import InvalidDataError, NotFoundError
from storage.ids import new_id
from storage.paging import page
from storage.records import Deleted, Page, Vehicle
from storage.tables import session, snapshot, vehicle


class VehicleFields(TypedDict, total=False):
    """What can be said about a car; a field left out stays as it is."""

    name: str | None
    vin: str | None
    make: str | None
    model: str | None
    year: int | None
    fuel_type: str | None
    displacement_l: float | None
    mass_kg: float | None
    notes: str | None


class Vehicles:
    """The cars we know."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, vehicle_id: str | None = None, **fields: Unpack[VehicleFields]) -> Vehicle:
        """Add a car, or change the given fields of the one with `vehicle_id`.

        Raises NotFoundError for an unknown id, InvalidDataError for a VIN that another car has.
        """
        values = _checked(fields)
        now = datetime.now(UTC)
        with self._database.writing() as connection:
            _refuse_taken_vin(connection, vehicle_id, values.get("vin"))
            if vehicle_id is None:
                vehicle_id = new_id("veh")
                row = {**values, "id": vehicle_id, "created_at": now, "updated_at": now}
                connection.execute(insert(vehicle).values(row))
            else:
                found(connection, vehicle_id)
                connection.execute(
                    update(vehicle).where(vehicle.c.id == vehicle_id).values(**values, updated_at=now)
                )
            return found(connection, vehicle_id)

    def get(self, vehicle_id: str) -> Vehicle:
        """Return a car; NotFoundError where there is none."""
        with self._database.reading() as connection:
            return found(connection, vehicle_id)

    def find(self, vin: str) -> Vehicle | None:
        """Return the car with a VIN, if we know it."""
        with self._database.reading() as connection:
            row = connection.execute(select(vehicle).where(vehicle.c.vin == vin.strip().upper())).first()
            return Vehicle(**row._mapping) if row else None

    def list(self, *, text: str | None = None, limit: int = 50, offset: int = 0) -> Page[Vehicle]:
        """Return cars, last changed first; `text` is looked for in id, name, VIN, make, model and notes."""
        c = vehicle.c
        chosen = select(vehicle)
        if text:
            searched = (c.id, c.name, c.vin, c.make, c.model, c.notes)
            chosen = chosen.where(or_(*(column.icontains(text, autoescape=True) for column in searched)))
        window = (limit, offset)
        return page(self._database, chosen, c.updated_at.desc(), window, lambda row: Vehicle(**row._mapping))

    def delete(self, vehicle_id: str) -> Deleted:
        """Remove a car and its snapshots; InvalidDataError while it has sessions."""
        with self._database.writing() as connection:
            found(connection, vehicle_id)
            held = connection.execute(
                select(func.count()).select_from(session).where(session.c.vehicle_id == vehicle_id)
            ).scalar_one()
            if held:
                raise InvalidDataError(
                    f"Vehicle {vehicle_id} has {held} sessions.",
                    "Delete them, or give them to another vehicle, first.",
                )
            snapshots = connection.execute(
                delete(snapshot).where(snapshot.c.vehicle_id == vehicle_id)
            ).rowcount
            connection.execute(delete(vehicle).where(vehicle.c.id == vehicle_id))
            return Deleted({"vehicles": 1, "snapshots": snapshots})


def found(connection: Connection, vehicle_id: str) -> Vehicle:
    """Return a car by id, or raise NotFoundError."""
    row = connection.execute(select(vehicle).where(vehicle.c.id == vehicle_id)).first()
    if row is None:
        raise NotFoundError(f"There is no vehicle {vehicle_id}.", "List the vehicles to find its id.")
    return Vehicle(**row._mapping)


def _checked(fields: VehicleFields) -> dict[str, Any]:
    values: dict[str, Any] = dict(fields)
    unknown = values.keys() - VehicleFields.__annotations__.keys()
    if unknown:
        raise InvalidDataError(
            f"A vehicle has no {', '.join(sorted(unknown))}.",
            f"It has: {', '.join(VehicleFields.__annotations__)}.",
        )
    if vin := values.get("vin"):
        values["vin"] = vin.strip().upper() or None
    return values


def _refuse_taken_vin(connection: Connection, vehicle_id: str | None, vin: str | None) -> None:
    holder = connection.scalar(select(vehicle.c.id).where(vehicle.c.vin == vin)) if vin else None
    if holder not in (None, vehicle_id):
        raise InvalidDataError(
            f"Vehicle {holder} has VIN {vin} already.", f"Save with vehicle_id {holder} to change it."
        )
