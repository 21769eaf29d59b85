"""Compare sessions at the operating points they share."""

from typing import Annotated

from pydantic import Field

from analysis.results.compare import Comparison, SignalDifference
from tools.answer import Answer
from tools.context import ToolContext
from tools.recorded import recorded_session
from tools.registry import tool
from tools.wording import say_finding, say_value


class ComparedSessions(Comparison, Answer):
    """What differs, by how much, how sure, and what could not be compared."""

    def say(self) -> str:
        """Say the differences, the conditions that may explain them, and what could not be compared."""
        lines = [f"Compared with {self.reference}: {self.method}"]
        different = [row for row in self.signals if row.verdict == "different"]
        lines += [_line(row) for row in different] or ["No signal differs by an amount that matters."]
        lines += [f"Condition {one.name} in {one.session}: {one.explanation}" for one in self.confounders]
        drifting = [row for row in self.degradation if row.verdict == "drifts"]
        lines += [
            f"{row.signal} in {row.state}: {say_value(row.slope_per_session)}. {row.reason}"
            for row in drifting
        ]
        lines += [say_finding(finding) for finding in self.findings]
        lines += [
            f"Not compared: {one.signal} in {one.session} ({one.reason})." for one in self.not_compared[:12]
        ]
        return "\n".join(lines + self.notes)


def _line(row: SignalDifference) -> str:
    sure = f"p {row.p_adjusted:.3g} after correction, {row.overlap_percent:.0f} % overlap"
    return f"{row.signal} in {row.session}: {say_value(row.difference)}; {sure}."


@tool("analysis", "Compare sessions")
def compare_sessions(
    context: ToolContext,
    session_ids: Annotated[
        list[str],
        Field(
            min_length=2,
            max_length=40,
            description="Sessions in the order they were driven; the first is the reference.",
        ),
    ],
    signals: Annotated[list[str] | None, Field(min_length=1, description="Only these signals.")] = None,
    confidence_level: Annotated[float, Field(ge=0.5, lt=1, description="Level of the intervals.")] = 0.95,
) -> ComparedSessions:
    """Compare sessions of one vehicle, or of equal models, with the first one, at the operating points both visited.

    Says per signal what differs, by how much, how sure, which conditions may explain it, and what cannot be told.
    Three and more sessions in order also show slow change.
    """
    from analysis.compare import compare

    recorded = [recorded_session(context, session_id) for session_id in session_ids]
    result = compare(
        [one.table for one in recorded],
        names=session_ids,
        signals=signals,
        vehicles=[one.vehicle for one in recorded],
        gaps=[one.gaps for one in recorded],
        confidence_level=confidence_level,
    )
    return ComparedSessions.of(result)
