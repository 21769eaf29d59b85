"""The base of every result: frozen, and nothing that is not declared."""

from pydantic import BaseModel, ConfigDict


class Result(BaseModel):
    """An answer of analysis: immutable, with exactly the fields it declares."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
