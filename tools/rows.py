"""Rows of what is remembered, as tools answer them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from tools.times import seconds_of

if TYPE_CHECKING:
    from storage.records import Channel, Session, Vehicle


class VehicleRow(BaseModel):
    """A vehicle as it was entered; nothing here was read from the car unless its source says so."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, defer_build=True)

    id: str
    name: str | None
    vin: str | None
    make: str | None
    model: str | None
    year: int | None
    fuel_type: str | None
    displacement_l: float | None
    mass_kg: float | None
    notes: str | None

    @classmethod
    def of(cls, vehicle: Vehicle) -> VehicleRow:
        """Make a row of a stored vehicle."""
        return cls.model_validate(vehicle)

    def line(self) -> str:
        """Say the vehicle in one line."""
        facts = " ".join(str(fact) for fact in (self.year, self.make, self.model) if fact)
        return "  ".join(part for part in (self.id, self.name, facts) if part)


class SessionRow(BaseModel):
    """A recorded drive or workshop capture."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, defer_build=True)

    id: str
    vehicle_id: str | None
    name: str
    state: str
    origin: str
    source: str
    format: str | None
    started_at: datetime | None
    duration_s: float
    readings: int
    notes: str | None

    @classmethod
    def of(cls, session: Session) -> SessionRow:
        """Make a row of a stored session."""
        return cls.model_validate(session)

    def line(self) -> str:
        """Say the session in one line."""
        start = self.started_at.strftime("%Y-%m-%d %H:%M UTC") if self.started_at else "start unknown"
        name = self.name or self.source
        if self.origin == "replay" and self.name:
            name = f"{name} (from {self.source})"
        return (
            f"{self.id}  {start}  {self.duration_s:,.0f} s  {self.readings:,} readings  {self.state}  {name}"
        )


class SignalRow(BaseModel):
    """A signal that a session holds."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    signal: str
    unit: str
    ecu: str | None
    source: str | None
    readings: int
    start_s: float | None
    end_s: float | None
    minimum: float | None
    maximum: float | None

    @classmethod
    def of(cls, channel: Channel) -> SignalRow:
        """Make a row of a stored channel."""
        return cls(
            signal=channel.signal,
            unit=channel.unit,
            ecu=channel.ecu,
            source=channel.source,
            readings=channel.readings,
            start_s=seconds_of(channel.first_us),
            end_s=seconds_of(channel.last_us),
            minimum=channel.minimum,
            maximum=channel.maximum,
        )
