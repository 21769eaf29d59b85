"""A car's health: checks with evidence, a score per system, ranked causes, the next test, maintenance."""

from typing import Literal

from pydantic import Field

from analysis.findings import Evidence, Finding, Quantity
from analysis.results.model import Result

SystemName = Literal[
    "engine mechanical",
    "fuel and air",
    "ignition",
    "cooling",
    "emissions",
    "charging and battery",
    "intake and boost",
    "transmission",
    "data quality",
]
Priority = Literal["now", "soon", "next service"]


class TroubleCode(Result):
    """A trouble code as it was read from the car."""

    code: str = Field(description="such as P0171")
    status: Literal["stored", "pending", "permanent"] = "stored"
    description: str | None = None
    ecu: str | None = None


class Readiness(Result):
    """What the car says of its monitors; `monitors` holds the supported ones, True where complete."""

    mil_on: bool | None = None
    monitors: dict[str, bool] = Field(default={}, description="since codes were cleared")
    distance_since_clear_km: float | None = None
    warmups_since_clear: int | None = None
    minutes_since_clear: float | None = None


class MonitorTest(Result):
    """One result of service 06 with its limits; None for a limit that does not apply."""

    monitor: str
    test: str
    value: float
    low: float | None = None
    high: float | None = None
    unit: str = ""


class Check(Result):
    """One named rule: how bad it looks (0 normal, 1 clear fault) and how well the data could tell."""

    rule: str
    title: str
    system: SystemName
    weight: float
    severity: float | None = Field(description="0 normal to 1 clear fault; null where it could not be judged")
    quality: float = Field(description="0 no data to 1 enough data in the required context")
    applicable: bool = True
    evidence: list[Evidence]
    explanation: str
    reason: str | None = Field(default=None, description="why it could not be judged")
    record_next: str | None = Field(default=None, description="the drive or reading that would judge it")
    recommendation: str
    source: str
    signs: dict[str, float] = Field(default={}, description="what it says for or against causes, 0 to 1 each")


class SystemHealth(Result):
    """One system's score, from its checks; absent where too little of it was seen."""

    system: SystemName
    score: Quantity
    coverage: float = Field(description="share of the system's checks, by weight, that the data could judge")
    capped_by: list[str] = Field(default=[], description="trouble codes that limit the score")
    checks: list[Check]
    missing: list[str] = Field(description="what to record next to judge the rest")


class WorkshopTest(Result):
    """A test a technician can do, and what its outcome says."""

    test: str
    how: str
    minutes: int
    tells: str


class Cause(Result):
    """A possible cause, with what speaks for and against it."""

    cause: str
    title: str
    system: SystemName
    support: float = Field(
        description="weight of the evidence for it less that against it; not a probability"
    )
    share: float = Field(description="its part of the support of all causes listed")
    strength: Literal["weak", "moderate", "strong"] = Field(description="weak: worth watching, not a finding")
    supporting: list[str]
    contradicting: list[str]
    codes: list[str] = Field(description="trouble codes read that point to it")
    priority: Priority
    repair: str
    confirm: WorkshopTest


class MaintenanceItem(Result):
    """Routine work with its usual interval; due only where the odometer or a date was given."""

    item: str
    interval_km: int | None
    interval_months: int | None
    due_in_km: Quantity
    basis: str


class Recommendation(Result):
    """What is probably wrong, what to test next, what to do when."""

    causes: list[Cause] = Field(description="most supported first")
    next_test: WorkshopTest | None = Field(
        description="the cheapest test that separates the first two causes"
    )
    why: str
    priorities: dict[str, list[str]] = Field(description="now, soon, next service: what to do")
    maintenance: list[MaintenanceItem]
    not_linked: list[str] = Field(
        default=[], description="trouble codes that none of the known causes explains"
    )


class HealthReport(Result):
    """The health of a car as far as a session shows it."""

    overall: Quantity
    systems: list[SystemHealth]
    findings: list[Finding] = Field(description="most severe first")
    recommendation: Recommendation
    trouble_codes: list[TroubleCode]
    readiness: str = Field(description="what readiness says about recently cleared codes")
    record_next: list[str] = Field(description="drives and readings that would say most")
    formula: str
    notes: list[str]
