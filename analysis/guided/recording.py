"""The recording of a guided test as its judges see it: signals by phase, and evidence about them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.findings import Evidence, Finding
from analysis.results.guided import GuidedOutcome, GuidedPhase
from analysis.table import Floats, SignalTable

_NONE = np.empty(0)


@dataclass
class Recording:
    """Signals and phases of a test; collects what the judges find."""

    table: SignalTable
    phases: Sequence[GuidedPhase]
    findings: list[Finding] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    not_judged: dict[str, str] = field(default_factory=dict)

    def window(self, first: str, last: str = "") -> tuple[float, float]:
        """Return start and end of a phase, or from one to another; the recording's end where that is missing."""
        held = {phase.step: phase for phase in self.phases}
        end = held.get(last or first)
        return held[first].start_s, end.end_s if end else self.table.span_s[1]

    def series(self, signal: str, window: tuple[float, float]) -> tuple[Floats, Floats]:
        """Return times and values of a signal in a window, both empty where there are none."""
        if signal not in self.table:
            return _NONE, _NONE
        part = self.table[signal].between(*window)
        return part.times_s, part.values

    def median(self, signal: str, window: tuple[float, float]) -> float:
        """Return the median of a signal in a window, NaN where there is none."""
        values = self.series(signal, window)[1]
        return float(np.median(values)) if values.size else float("nan")

    def first_of(self, *names: str) -> str | None:
        """Return the first of some signals that was recorded."""
        return next((name for name in names if name in self.table and len(self.table[name])), None)

    def note(
        self,
        signal: str,
        statistic: str,
        value: float,
        expected: str,
        window: tuple[float, float],
        unit: str = "",
    ) -> Evidence:
        """State what a signal showed in a window; it is kept as evidence of the test."""
        piece = Evidence(
            signal=signal,
            unit=unit or self.table[signal].unit,
            statistic=statistic,
            value=float(value),
            expected=expected or None,
            start_s=float(window[0]),
            end_s=float(window[1]),
            samples=int(self.series(signal, window)[1].size),
        )
        self.evidence.append(piece)
        return piece

    def outcome(self, said: str) -> GuidedOutcome:
        """Return the verdict: failed where a finding is more than advice."""
        bad = [one for one in self.findings if one.severity in ("warning", "critical")]
        return GuidedOutcome(
            verdict="failed" if bad else "passed",
            reason="; ".join(one.title for one in bad) or said,
            findings=self.findings,
            evidence=self.evidence,
            not_judged=self.not_judged,
        )


def not_carried_out(reason: str, recording: Recording | None = None) -> GuidedOutcome:
    """Return the outcome of a test that gives no verdict, and why."""
    return GuidedOutcome(
        verdict="not carried out",
        reason=reason,
        findings=[],
        evidence=recording.evidence if recording else [],
        not_judged=recording.not_judged if recording else {},
    )
