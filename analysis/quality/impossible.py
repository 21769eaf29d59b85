"""Values that cannot be true: outside the standard's limits, or contradicting another signal."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.findings import Evidence, Finding
from analysis.motion import acceleration_ms2
from analysis.timeline import Timeline
from analysis.tracks import Bools, Track, runs

_LASTING_S = 2.0
_LISTED = 5
_GRIP_MS2 = 12.0


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A state two signals cannot be in together."""

    rule: str
    title: str
    signals: tuple[str, ...]
    holds: Callable[[Timeline], Bools]
    expected: str
    explanation: str
    recommendation: str


CONTRADICTIONS = (
    Contradiction(
        "impossible-rpm-zero",
        "Engine speed reads zero while air flows through the engine",
        ("rpm", "maf"),
        lambda t: (t.held("rpm") == 0) & (t.held("maf") > 1.5),
        "rpm above 0 when maf is above 1.5 g/s",
        "A standing engine draws no air.",
        "Check the crankshaft sensor signal and the recording of rpm.",
    ),
    Contradiction(
        "impossible-maf-zero",
        "Air flow reads zero while the engine turns",
        ("maf", "rpm"),
        lambda t: (t.held("maf") == 0) & (t.held("rpm") > 400),
        "maf above 0 g/s when rpm is above 400",
        "A turning engine draws air.",
        "Check the air flow meter's connector and supply.",
    ),
    Contradiction(
        "impossible-manifold-vacuum",
        "Manifold pressure is lower than any engine can draw",
        ("intake_pressure",),
        lambda t: t.held("intake_pressure") < 8,
        "intake_pressure of at least 8 kPa absolute",
        "Running engines draw the manifold down to about 20 kPa; less than 8 kPa is a broken signal.",
        "Check the pressure sensor's connector and supply.",
    ),
    Contradiction(
        "impossible-supply-voltage",
        "Supply voltage reads too low for a working control unit",
        ("control_module_voltage", "rpm"),
        lambda t: (t.held("control_module_voltage") < 6) & (t.held("rpm") > 400),
        "control_module_voltage above 6 V while the engine runs",
        "A control unit resets below about 6 V, so it could not have answered.",
        "Doubt this signal before the battery; measure at the battery's terminals.",
    ),
)


def contradictions(timeline: Timeline) -> list[Finding]:
    """Return a finding for each contradiction that lasts 2 s or more."""
    return [found for rule in CONTRADICTIONS if (found := _contradiction(rule, timeline)) is not None]


def contradiction_spans(
    rule: Contradiction, timeline: Timeline, *, lasting_s: float = _LASTING_S
) -> list[tuple[int, int]]:
    """Return the stretches in which a contradiction lasts so long, as (first moment, moment after the last)."""
    if not timeline.has(*rule.signals):
        return []
    least = max(1, round(lasting_s / timeline.step_s))
    spans = runs(rule.holds(timeline))
    return [(int(first), int(end)) for first, end in spans if end - first >= least]


def _contradiction(rule: Contradiction, timeline: Timeline) -> Finding | None:
    spans = contradiction_spans(rule, timeline)
    if not spans:
        return None
    return Finding(
        rule=rule.rule,
        title=rule.title,
        system="recording",
        severity="warning",
        confidence=0.9,
        evidence=[
            _evidence(timeline, name, first, end, rule.expected)
            for first, end in spans[:_LISTED]
            for name in rule.signals
        ],
        explanation=f"{rule.explanation} Seen {len(spans)} times.",
        recommendation=rule.recommendation,
        source="physics",
    )


def _evidence(timeline: Timeline, name: str, first: int, end: int, expected: str) -> Evidence:
    values = timeline.held(name)[first:end]
    moments = timeline.moments_s
    return Evidence(
        signal=name,
        unit=timeline[name].unit,
        statistic="median",
        value=float(np.nanmedian(values)),
        expected=expected,
        start_s=float(moments[first]),
        end_s=float(moments[end - 1] + timeline.step_s),
        samples=int(np.count_nonzero(np.isfinite(values))),
    )


def outside_limits(name: str, track: Track) -> Finding | None:
    """Return a finding if readings lie outside the limits the standard allows for the signal."""
    low = -np.inf if track.low is None else track.low
    high = np.inf if track.high is None else track.high
    where = np.flatnonzero((track.values < low) | (track.values > high))
    if not where.size:
        return None
    values = track.values[where]
    worst = values[np.argmax(np.maximum(low - values, values - high))]
    expected = f"{low:g} to {high:g} {track.unit}"
    return Finding(
        rule="outside-limits",
        title=f"{name} has values the standard does not allow",
        system="recording",
        severity="advice",
        confidence=0.95,
        evidence=[
            Evidence(
                signal=name,
                unit=track.unit,
                statistic="farthest outside",
                value=float(worst),
                expected=expected,
                start_s=float(track.times_s[where[0]]),
                end_s=float(track.times_s[where[-1]]),
                samples=int(where.size),
            )
        ],
        explanation=f"{where.size} of {len(track)} readings lie outside {expected}.",
        recommendation="Doubt the decoding or the unit of this signal before the car.",
        source="limits of the signal table (SAE J1979)",
    )


def beyond_grip(name: str, track: Track) -> Finding | None:
    """Return a finding if the speed changes faster than tyres can grip (12 m/s² over at least 1 s)."""
    rates = acceleration_ms2(track, half_window_s=0.5)
    where = np.flatnonzero(np.abs(rates) > _GRIP_MS2)
    if not where.size:
        return None
    worst = where[np.argmax(np.abs(rates[where]))]
    return Finding(
        rule="beyond-grip",
        title="Speed changes faster than tyres can grip",
        system="recording",
        severity="warning",
        confidence=0.9,
        evidence=[
            Evidence(
                signal=name,
                unit="m/s²",
                statistic="largest change of speed over 1 s or more",
                value=float(rates[worst]),
                expected=f"within ±{_GRIP_MS2:g} m/s²",
                start_s=float(track.times_s[where[0]]),
                end_s=float(track.times_s[where[-1]]),
                samples=int(where.size),
            )
        ],
        explanation="Road tyres carry about 10 m/s²; the speed has jumps, or it is on a wrong scale.",
        recommendation="Check the scale of the speed signal, and its spikes.",
        source="physics",
    )
