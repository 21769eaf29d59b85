"""What is known about the car itself, beside what it reported."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

FuelType = Literal[
    "gasoline",
    "diesel",
    "ethanol",
    "e10",
    "e85",
    "flex",
    "lpg",
    "cng",
    "hybrid",
    "hybrid_gasoline",
    "hybrid_diesel",
    "electric",
]
"""What a car burns; `flex` is any blend of petrol and ethanol, `hybrid` one whose engine's fuel nobody said."""


class VehicleFacts(BaseModel):
    """Facts about a vehicle; None where nobody said. Nothing here is ever guessed by analysis."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    make: str | None = None
    model: str | None = None
    year: int | None = None
    fuel_type: FuelType | None = None
    displacement_l: float | None = None
    cylinders: int | None = None
    turbocharged: bool | None = None
    mass_kg: float | None = None
    automatic: bool | None = None
