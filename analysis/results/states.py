"""How the time of a session divides into operating states."""

from typing import Literal

from pydantic import Field

from analysis.findings import Quantity
from analysis.results.model import Result

StateName = Literal[
    "off",
    "cranking",
    "cold start",
    "warm idle",
    "idle",
    "steady cruise",
    "acceleration",
    "overrun",
    "full load",
    "other running",
    "unknown",
]


class StateShare(Result):
    """The time spent in one state; absent with a reason where the signals cannot tell it."""

    state: StateName
    definition: str
    duration_s: Quantity
    share: Quantity
    visits: int


class StateReport(Result):
    """The operating states of a session."""

    states: list[StateShare]
    notes: list[str] = Field(default=[], description="what the division rests on")
