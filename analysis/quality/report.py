"""Joins the checks of a recording into one quality report with findings."""

from analysis.findings import Evidence, Finding, Quantity, absent, derived
from analysis.quality.clocks import as_time_gaps, clock_steps, common_gaps, held_values
from analysis.quality.engine_clock import clock_rate_finding, jumps_by_run_time
from analysis.quality.impossible import beyond_grip, contradictions, outside_limits
from analysis.quality.signals import LISTED_GAPS, signal_quality
from analysis.quality.stuck import stuck_runs
from analysis.results.quality import ClockStep, QualityReport, SignalQuality, StuckRun, TimeGap, Verdict
from analysis.timeline import Timeline

_NO_POWERTRAIN = ("rpm", "speed")


def assess(timeline: Timeline, scale: Finding | None = None) -> QualityReport:
    """Report rates, gaps, clock steps, stuck and impossible values of a timeline, with findings.

    `scale` is what `speed_scale` found, if anything.
    """
    stuck = {name: stuck_runs(name, timeline) for name in timeline}
    signals = [signal_quality(name, timeline, stuck[name]) for name in timeline]
    gaps, steps = as_time_gaps(common_gaps(timeline)), [*clock_steps(timeline), *jumps_by_run_time(timeline)]
    lost_s = sum(gap.end_s - gap.start_s for gap in gaps)
    return QualityReport(
        verdict=_verdict(signals, bool(steps) or lost_s > 0.05 * (timeline.end_s - timeline.start_s)),
        completeness=_completeness(signals),
        signals=signals,
        gaps=sorted(gaps, key=lambda gap: gap.start_s - gap.end_s)[:LISTED_GAPS],
        gap_s=lost_s,
        clock_steps=steps[:LISTED_GAPS],
        held_values=held_values(timeline),
        notes=_notes(signals, gaps, timeline.untimed),
        findings=([scale] if scale else []) + _findings(timeline, stuck, steps, gaps),
    )


def _verdict(signals: list[SignalQuality], damaged: bool) -> Verdict:
    """Call a recording poor if half its signals are, good if all are and its time line is whole."""
    verdicts = [signal.verdict for signal in signals]
    if not verdicts or 2 * verdicts.count("poor") >= len(verdicts):
        return "poor"
    return "good" if set(verdicts) == {"good"} and not damaged else "usable"


def _completeness(signals: list[SignalQuality]) -> Quantity:
    shares = [s.completeness.value for s in signals if s.completeness.value is not None]
    if not shares:
        return absent("%", "no signal has three readings")
    method = "median over the signals of readings / expected at the signal's own rate"
    return derived(sorted(shares)[len(shares) // 2], "%", method, samples=sum(s.readings for s in signals))


def _notes(signals: list[SignalQuality], gaps: list[TimeGap], untimed: str | None) -> list[str]:
    notes = [untimed] if untimed else []
    notes += [f"{len(gaps)} gaps; the {LISTED_GAPS} longest are listed"] if len(gaps) > LISTED_GAPS else []
    names = {signal.signal for signal in signals if signal.readings}
    return notes + [f"no {name} in this recording" for name in _NO_POWERTRAIN if name not in names]


def _findings(
    timeline: Timeline, stuck: dict[str, list[StuckRun]], steps: list[ClockStep], gaps: list[TimeGap]
) -> list[Finding]:
    found = [
        _stuck_finding(name, timeline[name].unit, run) for name, all_runs in stuck.items() for run in all_runs
    ]
    found += contradictions(timeline)
    found += [out for name, track in timeline.items() if (out := outside_limits(name, track)) is not None]
    if timeline.untimed:
        return [finding for finding in found if finding.rule == "outside-limits"]
    if timeline.has("speed") and (jump := beyond_grip("speed", timeline["speed"])) is not None:
        found.append(jump)
    if (rate := clock_rate_finding(timeline)) is not None:
        found.append(rate)
    if steps:
        found.append(_clock_finding(steps))
    if gaps:
        found.append(_gap_finding(timeline, gaps))
    return found


def _stuck_finding(name: str, unit: str, run: StuckRun) -> Finding:
    return Finding(
        rule="stuck-signal",
        title=f"{name} stays at one value while the engine moves",
        system="recording",
        severity="warning",
        confidence=0.85,
        evidence=[
            Evidence(
                signal=name,
                unit=unit,
                statistic="value repeated without change",
                value=run.value,
                expected="a new value at least every few seconds",
                start_s=run.start_s,
                end_s=run.end_s,
                samples=run.samples,
            )
        ],
        explanation=(
            f"{name} repeats {run.value:g} {unit} for {run.end_s - run.start_s:.0f} s, while {run.moved}."
        ),
        recommendation="Check sensor and wiring; if the adapter repeats old answers, record again.",
        source="own rule: 30 s without change while two other signals move",
    )


def _clock_finding(steps: list[ClockStep]) -> Finding:
    evidence = [
        Evidence(
            signal=step.signals[0],
            unit="s",
            statistic="clock step",
            value=step.step_s,
            expected="time moves forward as the engine counts it",
            start_s=step.at_s,
            end_s=step.at_s,
            samples=len(step.signals),
        )
        for step in steps[:LISTED_GAPS]
    ]
    return Finding(
        rule="clock-step",
        title="The clock of the recording jumps",
        system="recording",
        severity="advice",
        confidence=0.9,
        evidence=evidence,
        explanation=(
            "After a step back, readings that claim times earlier readings hold were left out; after a step forward "
            "the time between is a gap that never was."
        ),
        recommendation="Set the clock of the recording device before, not during, a drive.",
        source="own rule",
    )


def _gap_finding(timeline: Timeline, gaps: list[TimeGap]) -> Finding:
    lost_s = sum(gap.end_s - gap.start_s for gap in gaps)
    whole_s = max(timeline.end_s - timeline.start_s, 1e-9)
    longest = sorted(gaps, key=lambda gap: gap.start_s - gap.end_s)[:5]
    return Finding(
        rule="recording-gaps",
        title=f"The recording has {len(gaps)} gaps",
        system="recording",
        severity="advice" if lost_s > 0.05 * whole_s else "info",
        confidence=1.0,
        evidence=[
            Evidence(
                signal="all",
                unit="s",
                statistic=f"gap: {gap.reason}",
                value=gap.end_s - gap.start_s,
                expected="readings throughout",
                start_s=gap.start_s,
                end_s=gap.end_s,
            )
            for gap in longest
        ],
        explanation=f"{lost_s:.1f} s of {whole_s:.1f} s have no reading of any signal. Sums leave them out.",
        recommendation="Distances and fuel of this session are lower bounds; check the adapter's connection.",
        source="own rule: more than three usual intervals and 1 s",
    )
