"""The findings that a car's history makes."""

from analysis.findings import Evidence, Finding
from analysis.results.history import Deviation, Projection, SignalDrift


def outside(part: Deviation) -> Finding:
    """Make a finding of a session outside the car's own normal."""
    return Finding(
        rule="outside-own-normal",
        title=f"{part.signal} at {part.state} is outside this car's normal",
        system="history",
        severity="advice",
        confidence=0.7,
        evidence=[
            Evidence(
                signal=part.signal,
                unit=part.unit,
                statistic=f"median at {part.state} in {part.session}",
                value=part.value,
                expected=f"{part.normal.low:.4g} to {part.normal.high:.4g} from {part.normal.sessions} sessions",
                samples=part.normal.sessions,
            )
        ],
        explanation=f"It differs by {part.difference.value:+.3g} {part.unit} from the mean of the sessions before.",
        recommendation="Repeat the drive under like conditions; if it stays, look at this system.",
        source="this car's own sessions",
    )


def drifting(part: SignalDrift, projections: list[Projection]) -> Finding:
    """Make a finding of a drift, with the limits it is projected to reach."""
    ahead = [
        f"{p.limit.value:g} {part.unit} ({p.limit.meaning}) in {p.reached_in.value:.0f} {p.axis}"
        for p in projections
        if (p.signal, p.state) == (part.signal, part.state) and p.reached_in.value is not None
    ]
    tail = (
        f" At this rate it reaches {'; '.join(ahead)}." if ahead else " No projection to a limit can be made."
    )
    return Finding(
        rule="drift-over-sessions",
        title=f"{part.signal} at {part.state} drifts",
        system="history",
        severity="warning" if ahead else "advice",
        confidence=0.9 * (1 - part.p_adjusted),
        evidence=[
            Evidence(
                signal=part.signal,
                unit=part.slope.unit,
                statistic=f"Theil-Sen slope over {part.sessions} sessions",
                value=part.slope.value,
                expected="0 within its interval",
                samples=part.sessions,
            )
        ],
        explanation=part.reason + "." + tail,
        recommendation="Check this system before the limit is reached.",
        source="Kendall and Theil-Sen over session medians",
    )
