"""The analysis of a whole session: every part from one timeline."""

from collections.abc import Sequence

from analysis.correlations import correlations
from analysis.driving.performance import performance
from analysis.driving.summary import driving_summary
from analysis.engine import Engine
from analysis.errors import NotEnoughDataError, UnknownChoiceError
from analysis.facts import VehicleFacts
from analysis.findings import Finding
from analysis.quality.report import assess
from analysis.quality.speed_scale import speed_scale
from analysis.results.session import SessionAnalysis, Window
from analysis.states import operating_states, state_report
from analysis.summaries import signal_statistics
from analysis.table import SignalTable
from analysis.timeline import Timeline
from analysis.tracks import Gap
from analysis.trends import trends

PARTS = ("quality", "states", "statistics", "correlations", "trends", "driving", "performance")
_ORDER = {"critical": 0, "warning": 1, "advice": 2, "info": 3}


def analyze(
    table: SignalTable,
    *,
    parts: Sequence[str] | None = None,
    confidence_level: float = 0.95,
    gaps: Sequence[Gap] = (),
    vehicle: VehicleFacts | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
) -> SessionAnalysis:
    """Analyse a session's signals; `parts` limits the work (all of PARTS by default).

    `gaps` are those the recorder noted: (start_s, end_s, reason). Raises UnknownChoiceError for a part or level
    that does not exist and NotEnoughDataError when the window holds no readings.
    """
    wanted = _checked(parts, confidence_level)
    timeline = Timeline(table, gaps=gaps, start_s=start_s, end_s=end_s)
    readings = sum(len(track) for track in timeline.values())
    if not readings:
        span = table.span_s
        raise NotEnoughDataError(
            "The window holds no readings.", f"The session's readings span {span[0]:.1f} to {span[1]:.1f} s."
        )
    engine = Engine(timeline)
    states = operating_states(timeline, engine)
    scale = speed_scale(engine, vehicle) if wanted & {"quality", "driving"} else None
    quality = assess(timeline, scale) if "quality" in wanted else None
    return SessionAnalysis(
        window=_window(timeline, readings),
        quality=quality,
        states=state_report(states) if "states" in wanted else None,
        statistics=signal_statistics(timeline, states) if "statistics" in wanted else None,
        correlations=(
            correlations(timeline, confidence_level=confidence_level) if "correlations" in wanted else None
        ),
        trends=trends(timeline, confidence_level=confidence_level) if "trends" in wanted else None,
        driving=driving_summary(timeline, engine, scale) if "driving" in wanted else None,
        performance=performance(timeline, vehicle) if "performance" in wanted else None,
        findings=ranked(quality.findings if quality else []),
    )


def _checked(parts: Sequence[str] | None, confidence_level: float) -> frozenset[str]:
    """Return the wanted parts, or raise UnknownChoiceError."""
    unknown = sorted(set(parts or ()) - set(PARTS))
    if unknown:
        raise UnknownChoiceError(
            f"No such part of an analysis: {', '.join(unknown)}.", f"Parts are: {', '.join(PARTS)}."
        )
    if not 0.5 <= confidence_level < 1:
        raise UnknownChoiceError(
            f"confidence_level {confidence_level} is not possible.",
            "Give one from 0.5 to below 1, such as 0.95.",
        )
    return frozenset(PARTS if parts is None else parts)


def _window(timeline: Timeline, readings: int) -> Window:
    return Window(
        start_s=timeline.start_s,
        end_s=timeline.end_s,
        duration_s=timeline.end_s - timeline.start_s,
        readings=readings,
        signals=[name for name, track in timeline.items() if len(track)],
    )


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Sort findings: most severe first, then most certain."""
    return sorted(findings, key=lambda finding: (_ORDER[finding.severity], -finding.confidence))
