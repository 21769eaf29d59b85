"""Statistics of a signal's values, overall and per operating state."""

from typing import Literal

from pydantic import Field

from analysis.results.model import Result
from analysis.results.states import StateName


class ValueSummary(Result):
    """Statistics of some readings of one signal, in the signal's unit."""

    count: int
    seconds: float = Field(description="time these readings stand for; gaps do not count")
    mean: float
    sd: float | None
    minimum: float
    maximum: float
    p05: float
    p25: float
    median: float
    p75: float
    p95: float
    first: float
    last: float
    weighting: Literal["time", "readings"] = Field(
        description="whether mean, sd and quantiles weight a reading by the time it stands for"
    )


class StateStatistics(ValueSummary):
    """Statistics of a signal while the car was in one operating state."""

    state: StateName


class SignalStatistics(ValueSummary):
    """Statistics of a signal over the whole window, and per operating state."""

    signal: str
    unit: str
    states: list[StateStatistics]
