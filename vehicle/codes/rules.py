"""Our own rules for severity, causes and tests: generic, and unknown where no rule speaks."""

from dataclasses import dataclass

from vehicle.codes.models import Cause, SeverityVerdict, Step

SOURCE = "obd-agent rules"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What our rules say of one code."""

    severity: SeverityVerdict
    causes: list[Cause]
    tests: list[Step]


def judge(code: str, title: str | None) -> Judgement:
    """Judge one code by our rules; `title` is its meaning where that is known."""
    verdict = SeverityVerdict(value="unknown", reason="no rule covers this code", rule=None, source=SOURCE)
    return Judgement(verdict, [], [])
