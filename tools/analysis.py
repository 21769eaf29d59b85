"""Understand a session: quality, statistics, relations, driving, findings."""

from typing import Annotated, Literal

from pydantic import Field

from analysis.findings import Quantity
from analysis.results.session import SessionAnalysis
from tools.answer import Answer
from tools.arguments import EndS, SessionId, StartS
from tools.context import ToolContext
from tools.recorded import recorded_session
from tools.registry import tool
from tools.wording import say_finding, say_quantity

Part = Literal["quality", "states", "statistics", "correlations", "trends", "driving", "performance"]


class AnalyzedSession(SessionAnalysis, Answer):
    """What a session says, with evidence."""

    session_id: str

    def say(self) -> str:
        """Say the drive in numbers and each finding with its evidence."""
        lines = [
            f"{self.session_id}: {self.window.readings:,} readings of {len(self.window.signals)} signals "
            f"over {self.window.duration_s:,.0f} s."
        ]
        if self.driving is not None:
            told = [say_quantity(name, value) for name, value in self.driving if isinstance(value, Quantity)]
            lines.append("Driving: " + "; ".join(part for part in told if part) + ".")
        lines += [say_finding(finding) for finding in self.findings]
        return "\n".join(lines if self.findings else [*lines, "No findings."])


@tool("analysis", "Analyse a session")
def analyze_session(
    context: ToolContext,
    session_id: SessionId,
    parts: Annotated[
        list[Part] | None, Field(min_length=1, description="Only these parts; all when left out.")
    ] = None,
    start_s: StartS = None,
    end_s: EndS = None,
    confidence_level: Annotated[
        float, Field(gt=0.5, lt=1, description="Level of the intervals that are stated.")
    ] = 0.95,
) -> AnalyzedSession:
    """Analyse a session: data quality, statistics per signal and operating state, correlations, trends, driving.

    Every number is measured, derived (method named) or absent (reason given). Look at quality before trusting findings.
    """
    from analysis.session import analyze

    recorded = recorded_session(context, session_id, start_s, end_s)
    result = analyze(
        recorded.table,
        parts=parts,
        confidence_level=confidence_level,
        gaps=recorded.gaps,
        vehicle=recorded.vehicle,
        start_s=start_s,
        end_s=end_s,
    )
    return AnalyzedSession.model_construct(session_id=session_id, **dict(result))
