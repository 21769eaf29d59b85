"""Checks of the recording itself: a poor recording is a fact about the data, not about the car."""

from analysis.findings import Evidence
from analysis.health.checking import Rule, between
from analysis.results.health import Check
from analysis.results.quality import QualityReport

_KEY = ("rpm", "speed", "coolant_temp", "control_module_voltage", "short_fuel_trim_1", "long_fuel_trim_1")
_SOURCE = "quality report of the session; edges ours"
COMPLETENESS = Rule(
    "recording-complete",
    "Readings that should be there",
    "data quality",
    0.8,
    _SOURCE,
    "the drive again with a steadier connection",
    "Check adapter and connection; ask for fewer signals at once.",
)
SIGNALS = Rule(
    "signals-poor",
    "Signals of poor quality",
    "data quality",
    0.8,
    _SOURCE,
    "the drive again",
    "Doubt the findings that rest on these signals.",
)
KEYS = Rule(
    "key-signals",
    "Signals that most checks need",
    "data quality",
    0.6,
    "own list",
    "rpm, speed, coolant_temp, control_module_voltage and the fuel trims",
    "Record the missing signals too.",
)


def recording_checks(quality: QualityReport) -> list[Check]:
    """Return the checks of a recording from its quality report."""
    complete = quality.completeness.value
    poor = [signal.signal for signal in quality.signals if signal.verdict == "poor"]
    held = {signal.signal for signal in quality.signals if signal.readings}
    lost = [name for name in _KEY if name not in held]
    share = 100 * len(poor) / max(1, len(quality.signals))
    known = complete if complete is not None else 0.0
    said = (
        f"{known:.0f} % of the expected readings are there."
        if complete is not None
        else "Too few readings to say."
    )
    return [
        _check(
            COMPLETENESS, between(known, 92, 60), _seen("completeness", "%", complete, "92 % or more"), said
        ),
        _check(
            SIGNALS,
            between(share, 5, 50),
            _seen("signals of poor quality", "%", share, "5 % or less"),
            f"Poor signals: {', '.join(poor) or 'none'}.",
        ),
        _check(
            KEYS,
            between(len(lost), 0, len(_KEY)),
            _seen("key signals missing", "count", float(len(lost)), "0"),
            f"Missing: {', '.join(lost) or 'none'}.",
        ),
    ]


def _seen(statistic: str, unit: str, value: float | None, expected: str) -> Evidence:
    return Evidence(signal="all", unit=unit, statistic=statistic, value=value, expected=expected)


def _check(rule: Rule, severity: float, evidence: Evidence, explanation: str) -> Check:
    return Check(
        rule=rule.rule,
        title=rule.title,
        system=rule.system,
        weight=rule.weight,
        severity=severity,
        quality=1.0,
        evidence=[evidence],
        explanation=explanation,
        record_next=rule.record_next if severity > 0.3 else None,
        recommendation=rule.recommendation,
        source=rule.source,
    )
