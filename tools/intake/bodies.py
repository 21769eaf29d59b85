"""What may be sent as readings, and what is answered once they are durable."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
)
from pydantic_core import from_json

from tools.answer import Answer
from tools.errors import ToolError
from tools.schema import explain_invalid

Number = Annotated[float, Strict()]
Name = Annotated[str, Field(min_length=1, max_length=200)]
UnitText = Annotated[str, Field(max_length=40)]


def _is_iso(value: Any) -> Any:
    # A bare number could be seconds or milliseconds: nobody shall guess.
    if not isinstance(value, datetime) and not (isinstance(value, str) and value[4:5] == "-"):
        raise ValueError("give the time as ISO 8601 with its zone, such as 2026-05-04T08:30:00.250Z")
    return value


def _is_near(value: datetime) -> datetime:
    if not 1990 <= value.year <= 2200:
        raise ValueError("the year must lie between 1990 and 2200")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_is_iso), AfterValidator(_is_near)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Parameter(_Body):
    """One value of a data point, named by its request (`010C`), by its name, or both."""

    pid: Annotated[str, Field(max_length=20)] | None = None
    name: Name | None = None
    value: Number
    unit: UnitText | None = None


class Location(_Body):
    """Where the vehicle was: degrees (WGS 84), altitude in m, speed in km/h."""

    latitude: Number | None = None
    longitude: Number | None = None
    altitude: Number | None = None
    speed: Number | None = None


class DataPoint(_Body):
    """All values of one moment, as devices send them."""

    timestamp: Time
    parameters: list[Parameter] = Field(max_length=2000)
    location: Location | None = None


class Reading(_Body):
    """One value of one signal; without a unit it is taken to be in the signal's own."""

    time: Time
    signal: Name
    value: Number
    unit: UnitText | None = None
    ecu: Annotated[str, Field(max_length=20)] | None = None


class Readings(_Body):
    """Readings in any order."""

    readings: list[Reading]


class Columns(_Body):
    """Columns of equal length; `t_s` counts seconds from `start`, null means nothing was read.

    Without `start`, `t_s` counts from the session's start.
    """

    start: Time | None = None
    columns: Annotated[dict[Name, list[Number | None]], Field(json_schema_extra={"required": ["t_s"]})]
    units: dict[Name, UnitText] = {}


Body = DataPoint | Readings | Columns
_KINDS: dict[str, type[Body]] = {"columns": Columns, "readings": Readings, "parameters": DataPoint}
_SHAPES = 'Send {"columns": …}, {"readings": …} or {"timestamp": …, "parameters": …}; GET /docs shows them.'


class IntakeAnswer(Answer):
    """What became of a batch; all accepted readings are durable."""

    accepted: int
    marked: int = Field(description="Accepted readings outside the limits of their signal.")
    unknown: list[str] = Field(description="Names that no signal has; kept under x_… names.")
    session_id: str
    sequence: int
    notes: list[str] = Field(description="What was refused, converted by guess or kept as found, and why.")

    def say(self) -> str:
        """Say what was stored and what was odd about it."""
        marked = f", {self.marked} of them outside their signal's limits" if self.marked else ""
        return "\n".join([f"{self.accepted} readings stored in {self.session_id}{marked}.", *self.notes])


def parse(data: bytes) -> Body:
    """Return the body that the JSON text holds.

    Raises:
        ToolError: `bad_arguments`, saying what was wrong and what is allowed.
    """
    try:
        values = from_json(data)
    except ValueError as error:
        raise ToolError("bad_arguments", f"The body is not JSON: {error}.", _SHAPES) from error
    kind = _kind(values)
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise ToolError("bad_arguments", *explain_invalid("intake", kind, error)) from error


def _kind(values: Any) -> type[Body]:
    if isinstance(values, dict):
        for key, kind in _KINDS.items():
            if key in values:
                return kind
    raise ToolError("bad_arguments", "The body is none of the three kinds of readings.", _SHAPES)


def body_schema() -> dict[str, Any]:
    """Return the JSON schema of the bodies, for OpenAPI, where a route cannot bring definitions to refer to."""
    return {"anyOf": [_without_references(kind.model_json_schema()) for kind in _KINDS.values()]}


def _without_references(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with each definition in place of the references to it; none refers to itself."""
    definitions = schema.pop("$defs", {})

    def written_out(value: Any) -> Any:
        if isinstance(value, list):
            return [written_out(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return written_out(definitions[value["$ref"].rpartition("/")[2]])
        return {name: written_out(one) for name, one in value.items()}

    written: dict[str, Any] = written_out(schema)
    return written


def microseconds_between(start: datetime, time: datetime) -> int:
    """Return whole microseconds from `start` to `time`."""
    span = time - start
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds
