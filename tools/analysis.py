"""Understand a session: quality, statistics, relations, driving, findings."""

from typing import Annotated, Literal

from pydantic import Field

from analysis.findings import Finding, Quantity
from analysis.results.session import SessionAnalysis
from tools.answer import Answer
from tools.arguments import EndS, SessionId, StartS
from tools.context import ToolContext
from tools.errors import ToolError
from tools.registry import tool
from tools.session_table import load_table
from tools.vehicle_facts import facts_of

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


def say_quantity(name: str, quantity: Quantity) -> str:
    """Say a quantity in a few words; nothing for an absent one."""
    if quantity.value is None:
        return ""
    unit = f" {quantity.unit}" if quantity.unit not in ("", "ratio", "count") else ""
    return f"{name} {quantity.value:.4g}{unit}"


def say_finding(finding: Finding) -> str:
    """Say a finding with its first pieces of evidence in one line."""
    evidence = "; ".join(
        f"{item.signal} {item.statistic} "
        + (f"{item.value:.4g} {item.unit}" if item.value is not None else "unknown")
        + (f" (expected {item.expected})" if item.expected else "")
        + (
            f" at {item.start_s:.0f} to {item.end_s:.0f} s"
            if item.start_s is not None and item.end_s is not None
            else ""
        )
        for item in finding.evidence[:3]
    )
    return f"[{finding.severity}] {finding.title}: {finding.explanation} Evidence: {evidence}. {finding.recommendation}"


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

    session = context.store.sessions.get(session_id)
    if session.details.get("timing") == "order":
        raise ToolError(
            "unsupported",
            "The log gave its readings an order but no times; nothing that needs time can be derived from it.",
            "query_signals and plot_signals work on it, over the position in the log.",
        )
    table = load_table(context, session_id, None, start_s, end_s)
    gaps = [
        (gap.start_us / 1e6, gap.end_us / 1e6, gap.reason) for gap in context.store.sessions.gaps(session_id)
    ]
    result = analyze(
        table,
        parts=parts,
        confidence_level=confidence_level,
        gaps=gaps,
        vehicle=facts_of(context, session.vehicle_id),
        start_s=start_s,
        end_s=end_s,
    )
    return AnalyzedSession.model_construct(session_id=session_id, **dict(result))
