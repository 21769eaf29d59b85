"""What a question about a VIN is answered with; imports pydantic only."""

from pydantic import BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class VinField(_Answer):
    """One fact about the vehicle with its source, or the reason it is absent."""

    value: str | None
    source: str | None = None
    reason: str | None = None
    note: str | None = None


class CheckDigit(_Answer):
    """Position 9 against the other sixteen (ISO 3779, 49 CFR 565.15).

    `matches` is arithmetic; `required` and `verdict` say what it means where the maker is registered.
    """

    found: str
    expected: str
    matches: bool
    required: bool
    verdict: str
    suggestions: list[str] = []


class ModelYear(_Answer):
    """The model year of position 10, or the candidates where the VIN alone leaves it open."""

    value: int | None
    candidates: list[int]
    method: str
    reason: str | None = None


class Source(_Answer):
    """Something that was asked, with its licence and what came of it."""

    name: str
    licence: str
    outcome: str


class VinAnswer(_Answer):
    """What a VIN says, each fact with its source."""

    asked: str
    vin: str
    notes: list[str]
    wmi: str
    vds: str
    vis: str
    serial: str
    check_digit: CheckDigit
    model_year: ModelYear
    region: VinField
    country: VinField
    fields: dict[str, VinField]
    sources: list[Source]
