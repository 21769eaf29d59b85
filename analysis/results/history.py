"""One car over many sessions: its own normal, drift, projections, what a repair changed."""

from typing import Literal

from pydantic import Field

from analysis.findings import Finding, Quantity
from analysis.results.compare import ChangePoint
from analysis.results.model import Result
from analysis.results.states import StateName

AxisName = Literal["days", "km", "sessions"]
HistoryVerdict = Literal["drifts", "steady", "not enough sessions to tell"]
RepairVerdict = Literal["changed", "no relevant change", "cannot tell"]


class StateLevel(Result):
    """The robust level of a signal in one operating state of one session."""

    signal: str
    unit: str
    state: StateName
    median: float
    seconds: float


class SessionSummary(Result):
    """What is kept of a session to follow the car: levels per state, and where it lies in the car's life."""

    name: str
    day: float | None = Field(default=None, description="days since any fixed date, as the caller counts")
    odometer_km: float | None = None
    ambient_c: float | None = Field(default=None, description="median outside temperature, where measured")
    levels: list[StateLevel]


class NormalLevel(Result):
    """This car's own normal of a signal in a state: where the next healthy session should lie."""

    signal: str
    unit: str
    state: StateName
    level: float
    low: float
    high: float
    spread: float = Field(description="standard deviation between sessions")
    sessions: int


class CarNormal(Result):
    """What is normal for one car, learned from its own sessions."""

    levels: list[NormalLevel]
    sessions: int
    confidence_level: float
    method: str
    not_learned: dict[str, str] = Field(description="signal and state to the reason there is no normal yet")


class Deviation(Result):
    """How the latest session lies against the normal of those before it."""

    signal: str
    unit: str
    state: StateName
    session: str
    value: float
    normal: NormalLevel
    difference: Quantity
    minimum_effect: float
    p_value: float = Field(description="how often a healthy session would lie as far off")
    p_adjusted: float = Field(description="Benjamini-Hochberg over all levels of the session")
    outside: bool = Field(
        description="unlikely for this car even among so many levels, and large enough to matter"
    )


class SignalDrift(Result):
    """The drift of a signal in a state over the car's sessions since the last repair."""

    signal: str
    unit: str
    state: StateName
    axis: AxisName
    slope: Quantity = Field(description="Theil-Sen slope per unit of the axis, Sen's interval")
    change: Quantity = Field(description="what that makes over the sessions seen")
    minimum_effect: float
    tau: float
    p_value: float
    p_adjusted: float
    change_point: ChangePoint | None
    sessions: int
    verdict: HistoryVerdict
    reason: str


class Limit(Result):
    """A level at which something should be done."""

    signal: str
    state: StateName
    value: float
    direction: Literal["above", "below"]
    meaning: str
    source: str


class Projection(Result):
    """When a drift reaches a limit; absent with the reason where no projection can be made."""

    signal: str
    state: StateName
    limit: Limit
    axis: AxisName
    reached_in: Quantity = Field(
        description="from the latest session, in units of the axis, with its interval"
    )


class Repair(Result):
    """Work done on the car, at a place of the axis; `before` names the first session after it."""

    name: str
    before_session: str
    signals: list[str] = Field(default=[], description="signals it should change; empty: any")


class RepairEffect(Result):
    """What a signal did before and after a repair."""

    repair: str
    signal: str
    unit: str
    state: StateName
    before: float
    after: float
    difference: Quantity
    cliffs_delta: float
    sessions_before: int
    sessions_after: int
    minimum_effect: float
    verdict: RepairVerdict
    reason: str


class VehicleHistory(Result):
    """A car over its sessions."""

    sessions: list[str]
    axis: AxisName
    normal: CarNormal
    latest: list[Deviation]
    drifts: list[SignalDrift]
    projections: list[Projection]
    repairs: list[RepairEffect]
    findings: list[Finding]
    notes: list[str]
