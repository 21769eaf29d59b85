"""What a guided test is answered with: phases that were carried out, verdict, findings, evidence."""

from typing import Literal

from pydantic import Field

from analysis.findings import Evidence, Finding
from analysis.results.model import Result

GuidedVerdict = Literal["passed", "failed", "not carried out"]


class GuidedPhase(Result):
    """A stretch of the session in which a step's condition was seen."""

    step: str
    start_s: float
    end_s: float


class GuidedOutcome(Result):
    """The judgement of a guided test."""

    verdict: GuidedVerdict
    reason: str = Field(description="what the verdict rests on, or why there is none")
    findings: list[Finding]
    evidence: list[Evidence] = Field(description="what was seen, also where nothing is wrong")
    not_judged: dict[str, str] = Field(description="part of the test to the reason it could not be judged")
