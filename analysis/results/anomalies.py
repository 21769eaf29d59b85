"""What did not fit in a session, and what is learned of a car when it is healthy."""

from typing import Literal

from pydantic import Field

from analysis.results.model import Result

AnomalyKind = Literal[
    "spike", "step", "stuck", "silent", "impossible", "level", "mixture", "air", "roughness", "slip"
]


class Anomaly(Result):
    """A stretch in which a signal did not fit; `score` is the deviation over its limit at normal sensitivity."""

    signal: str
    unit: str
    kind: AnomalyKind
    channel: str = Field(description="the check that saw it")
    start_s: float
    end_s: float
    score: float
    value: float = Field(description="the signal's own value over the stretch")
    expected: str
    deviation: float = Field(description="how far off, in the unit of the check")
    limit: float = Field(description="the deviation the check allows at normal sensitivity")
    samples: int
    baseline: bool = Field(description="whether this car's own healthy sessions set the limit")
    explanation: str


class LiveAnomaly(Anomaly):
    """An anomaly of a session that still goes on, and what has become of it.

    It is raised once, updated when it grows clearly, cleared when its check has been kept for half a minute, and
    withdrawn if later readings show that it was none.
    """

    number: int = Field(description="the same through all changes of one anomaly of a session")
    state: Literal["raised", "updated", "cleared", "withdrawn"]


class AnomalyReport(Result):
    """The anomalies of a session, strongest first, and what could not be checked."""

    anomalies: list[Anomaly]
    sensitivity: float = Field(description="0 (only gross faults) to 1 (everything suspicious)")
    limit_factor: float = Field(description="scores at or above this count, given the sensitivity")
    checked: list[str]
    not_checked: dict[str, str] = Field(description="check to the reason it could not be made")
    notes: list[str]


class ContextMap(Result):
    """The median of a quantity over one or two other signals, None where the car was hardly seen."""

    keys: list[str]
    edges: list[list[float]]
    medians: list[list[float | None]]


class Limits(Result):
    """The deviation allowed below and above, after averaging over so many seconds."""

    averaged_s: float
    below: float
    above: float
    clip: float | None = Field(default=None, description="what a single moment counts at most in the average")


class WarmUpCurve(Result):
    """The least coolant temperature seen at an engine output since start, in steps of cumulated revolutions."""

    step: float
    least_c: list[float]
    coldest_start_c: float


class Baseline(Result):
    """What one car is like when it is healthy, learned from its own sessions."""

    sessions: int
    hours: float
    maps: dict[str, ContextMap]
    limits: dict[str, list[Limits]]
    gear_log_ratios: list[float]
    warm_up: WarmUpCurve | None
    rests_s: dict[str, float] = Field(description="the longest a signal rested while the healthy car moved")
    notes: list[str]
