"""Find what does not fit in a session: by rules, and against the same car's healthy sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from analysis.results.anomalies import Anomaly, AnomalyReport
from tools.answer import Answer
from tools.arguments import SessionId
from tools.context import ToolContext
from tools.errors import ToolError
from tools.recorded import recorded_session
from tools.registry import tool

if TYPE_CHECKING:
    from analysis.results.anomalies import Baseline
    from storage.records import Session

HEALTHY = "healthy"
_MOST_BASELINE_SESSIONS = 40


class Anomalies(AnomalyReport, Answer):
    """What did not fit, strongest first, and what could not be checked."""

    session_id: str
    baseline_session_ids: list[str]

    def say(self) -> str:
        """Say each anomaly with its place and size."""
        base = (
            f"against {len(self.baseline_session_ids)} healthy sessions"
            if self.baseline_session_ids
            else "by rules"
        )
        head = f"{self.session_id}: {len(self.anomalies)} anomalies {base}, sensitivity {self.sensitivity:g}."
        lines = [_line(anomaly) for anomaly in self.anomalies[:25]]
        left = [f"and {len(self.anomalies) - 25} weaker ones."] if len(self.anomalies) > 25 else []
        unchecked = [
            f"Not checked: {name} ({reason})." for name, reason in list(self.not_checked.items())[:8]
        ]
        return "\n".join([head, *lines, *left, *unchecked, *self.notes])


def _line(anomaly: Anomaly) -> str:
    place = f"{anomaly.start_s:.0f} to {anomaly.end_s:.0f} s"
    return (
        f"{anomaly.signal} {anomaly.kind} at {place}, score {anomaly.score:.2g}: "
        f"{anomaly.value:.4g} {anomaly.unit}, expected {anomaly.expected}. {anomaly.explanation}"
    )


@tool("analysis", "Detect anomalies")
def detect_anomalies(
    context: ToolContext,
    session_id: SessionId,
    sensitivity: Annotated[
        Literal["low", "normal", "high"] | Annotated[float, Field(ge=0, le=1)],
        Field(description="low, normal, high, or 0 (gross faults only) to 1 (everything suspicious)."),
    ] = "normal",
    signals: Annotated[
        list[str] | None, Field(min_length=1, description="Only anomalies of these signals.")
    ] = None,
    window_s: Annotated[
        float | None,
        Field(gt=0, le=3600, description="Seconds to average deviations over, instead of each check's own."),
    ] = None,
    baseline_session_ids: Annotated[
        list[str] | None,
        Field(
            max_length=_MOST_BASELINE_SESSIONS, description="Healthy sessions of the same car to judge it by."
        ),
    ] = None,
) -> Anomalies:
    """Find spikes, stuck and impossible values, levels, steps and mixtures that do not fit, strongest first.

    Works on one session by rules; better against this car's healthy sessions: those named, else those of the same
    vehicle that `update_session` marked healthy. A cold start is not an anomaly.
    """
    from analysis.anomalies import detect

    recorded = recorded_session(context, session_id)
    named = baseline_session_ids
    normal = (
        own_normal(context, recorded.session) if named is None else Normal(learned(context, named), named)
    )
    report = detect(
        recorded.table,
        sensitivity=sensitivity,
        signals=signals,
        window_s=window_s,
        baseline=normal.baseline,
        gaps=recorded.gaps,
    )
    values = dict(report) | {"notes": [*normal.notes, *report.notes]}
    return Anomalies.model_construct(session_id=session_id, baseline_session_ids=normal.session_ids, **values)


class Normal(NamedTuple):
    """What a car is like when it is healthy, by which sessions; or notes on why that is not known."""

    baseline: Baseline | None
    session_ids: list[str]
    notes: tuple[str, ...] = ()


def own_normal(context: ToolContext, session: Session) -> Normal:
    """Return what the car is like by its sessions marked healthy; nothing, and why, where those do not suffice."""
    from analysis.errors import NotEnoughDataError

    healthy = baseline_ids(context, session)
    try:
        return Normal(learned(context, healthy), healthy)
    except NotEnoughDataError as error:
        return Normal(None, [], (f"Judged by rules only: {error.message}",))


def baseline_ids(context: ToolContext, session: Session) -> list[str]:
    """Return the sessions of the same vehicle that were marked healthy, newest first."""
    if session.vehicle_id is None:
        return []
    rows = context.store.sessions.list(vehicle_id=session.vehicle_id, state="finished", limit=200).rows
    healthy = [row.id for row in rows if row.details.get(HEALTHY) and row.id != session.id]
    return healthy[:_MOST_BASELINE_SESSIONS]


def learned(context: ToolContext, session_ids: list[str]) -> Baseline | None:
    """Learn a baseline from sessions of one car, or return None for no sessions.

    Raises:
        ToolError: the sessions belong to different vehicles; NotEnoughDataError: they hold too little driving.
    """
    if not session_ids:
        return None
    from analysis.anomalies import learn_baseline

    sessions = [recorded_session(context, session_id) for session_id in session_ids]
    vehicles = {one.session.vehicle_id for one in sessions}
    if len(vehicles) > 1:
        raise ToolError(
            "bad_arguments",
            "The baseline sessions belong to different vehicles.",
            "A baseline is one car's own normal: name sessions of one vehicle.",
        )
    return learn_baseline([one.table for one in sessions])
