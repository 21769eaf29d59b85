"""How sessions differ: effect, interval and verdict per signal and operating state, and slow change over many."""

from typing import Literal

from pydantic import Field

from analysis.findings import Finding, Quantity
from analysis.results.model import Result
from analysis.results.states import StateName

DifferenceVerdict = Literal["different", "no relevant difference", "cannot tell"]
TrendVerdict = Literal["drifts", "steady", "not enough sessions to tell"]


class SignalDifference(Result):
    """One signal in one session against the reference session, at the operating points both visited."""

    signal: str
    unit: str
    session: str
    state: StateName | None = Field(description="the operating state; null: all matched states together")
    verdict: DifferenceVerdict
    reason: str = Field(description="what the verdict rests on")
    difference: Quantity = Field(description="Hodges-Lehmann shift: session less reference")
    cliffs_delta: Quantity = Field(description="-1 to 1: how much more often the session reads higher")
    minimum_effect: float = Field(description="smaller differences do not matter to an engineer")
    minimum_source: str
    p_value: float = Field(description="block permutation, two-sided")
    p_adjusted: float = Field(description="Benjamini-Hochberg over all rows compared with this one")
    matched_on: list[str] = Field(description="what defines an operating point; never the signal itself")
    overlap_percent: float = Field(description="share of the shorter session's time at points both visited")
    points: int = Field(description="operating points both visited long enough")
    seconds: float = Field(description="matched seconds of the session")
    reference_seconds: float
    blocks: int = Field(description="60 s blocks of the session with matched time")
    reference_blocks: int


class NotCompared(Result):
    """A signal that could not be compared, and why."""

    signal: str
    session: str
    reason: str


class Confounder(Result):
    """A condition in which the sessions differ, and which may explain differences by itself."""

    name: str
    session: str
    reference_value: str
    session_value: str
    explanation: str
    affects: list[str] = Field(description="signals it may explain")


class ChangePoint(Result):
    """The place in the order of sessions where the level changes most."""

    after_session: str
    before: float
    after: float
    p_value: float


class Degradation(Result):
    """One robust number per session of a signal in one context, over the order of the sessions."""

    signal: str
    unit: str
    state: StateName
    sessions: list[str]
    values: list[float]
    slope_per_session: Quantity = Field(description="Theil-Sen slope with Sen's interval")
    tau: float = Field(description="Kendall's tau over the order of sessions")
    p_value: float
    p_adjusted: float
    change_point: ChangePoint | None
    verdict: TrendVerdict
    reason: str


class Comparison(Result):
    """The comparison of sessions with a reference session, which is the first one given."""

    sessions: list[str]
    reference: str
    confidence_level: float
    method: str
    signals: list[SignalDifference] = Field(description="per signal, all matched states together")
    states: list[SignalDifference] = Field(description="per signal and operating state")
    not_compared: list[NotCompared]
    confounders: list[Confounder]
    degradation: list[Degradation] = Field(description="only with three or more sessions")
    findings: list[Finding]
    notes: list[str]
