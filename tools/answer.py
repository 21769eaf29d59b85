"""What a tool answers: a typed model that can also say itself in one text."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json


class ArtifactRef(BaseModel):
    """A stored file that belongs to an answer; fetch it by id."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    artifact_id: str
    name: str
    mime: str
    size_bytes: int


class Answer(BaseModel):
    """Base of every tool's answer. Numbers that are not finite leave as null: JSON has no NaN."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null", defer_build=True)

    @classmethod
    def of(cls, result: BaseModel) -> Self:
        """Make the answer of a room's result that has the same fields, already checked."""
        return cls.model_construct(**dict(result))

    def say(self) -> str:
        """Say the whole answer in one short text: what a model or a person reads first."""
        raise NotImplementedError(f"{type(self).__name__} must say itself")

    def structured(self) -> dict[str, Any]:
        """Return the answer as plain JSON values."""
        values = from_json(self.model_dump_json())
        assert isinstance(values, dict)  # noqa: S101 - a pydantic model always dumps to an object
        return values

    def artifacts_to_show(self) -> list[ArtifactRef]:
        """Return the stored files that a door may show at once, such as a plot."""
        return []
