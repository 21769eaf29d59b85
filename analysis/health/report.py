"""The health report of a session: all checks, scores per system, findings, causes, what to record next."""

from collections.abc import Sequence
from typing import get_args

from analysis.errors import NotEnoughDataError
from analysis.facts import VehicleFacts
from analysis.findings import Finding, Severity
from analysis.health import breathing, cooling, driveline, electrics, exhaust, mixture, running
from analysis.health.checking import Car, Judge, Rule, checked
from analysis.health.codes import code_finding, system_of
from analysis.health.oddities import anomaly_checks
from analysis.health.own_normal import normal_checks
from analysis.health.ranking import ranked_causes
from analysis.health.readiness import recently_cleared
from analysis.health.recording import recording_checks
from analysis.health.scoring import FORMULA, overall, system_health
from analysis.quality.report import assess as assess_quality
from analysis.results.anomalies import AnomalyReport
from analysis.results.health import (
    Check,
    HealthReport,
    MonitorTest,
    Readiness,
    SystemHealth,
    SystemName,
    TroubleCode,
)
from analysis.results.history import CarNormal
from analysis.results.session import SessionAnalysis
from analysis.session import ranked
from analysis.table import SignalTable
from analysis.timeline import Gap, Timeline

RULES: tuple[tuple[Rule, Judge], ...] = (
    *running.CHECKS,
    *mixture.CHECKS,
    *cooling.CHECKS,
    *exhaust.CHECKS,
    *electrics.CHECKS,
    *breathing.CHECKS,
    *driveline.CHECKS,
)
SYSTEMS: tuple[SystemName, ...] = get_args(SystemName)
WORTH_SAYING, WARNING, CRITICAL = 0.15, 0.5, 0.85
_SAFETY = {rule.rule for rule, _ in RULES if rule.safety}
_PRIORS = {rule.rule: rule.prior for rule, _ in RULES}


def assess(
    table: SignalTable,
    *,
    analysis: SessionAnalysis | None = None,
    anomalies: AnomalyReport | None = None,
    trouble_codes: Sequence[TroubleCode] | None = None,
    readiness: Readiness | None = None,
    monitor_tests: Sequence[MonitorTest] | None = None,
    vehicle: VehicleFacts | None = None,
    baseline: CarNormal | None = None,
    gaps: Sequence[Gap] = (),
) -> HealthReport:
    """Report the health of a car as far as a session and what was read from its ECUs show it.

    Parts that were computed before can be handed in; `baseline` is the car's own normal from analysis.history.
    Raises NotEnoughDataError for a table without readings.
    """
    if not table.readings:
        raise NotEnoughDataError("The session holds no readings.", "Record some signals first.")
    timeline = Timeline(table, gaps=gaps)
    car = Car(timeline, vehicle, readiness, tuple(monitor_tests or ()))
    checks = [checked(rule, judge, car) for rule, judge in RULES]
    quality = analysis.quality if analysis and analysis.quality else assess_quality(timeline)
    checks += recording_checks(quality)
    checks += anomaly_checks(anomalies) if anomalies else []
    checks += normal_checks(car, baseline) if baseline else []
    codes = list(trouble_codes or ())
    systems = [_system(system, checks, codes) for system in SYSTEMS]
    odometer = float(timeline["odometer"].values[-1]) if timeline.has("odometer", readings=1) else None
    return HealthReport(
        overall=overall(systems),
        systems=systems,
        findings=ranked([_finding(c) for c in checks if _worth(c)] + [code_finding(code) for code in codes]),
        recommendation=ranked_causes(checks, codes, vehicle, odometer),
        trouble_codes=codes,
        readiness=recently_cleared(car),
        record_next=_record_next(systems),
        formula=FORMULA,
        notes=_notes(car, codes, trouble_codes is None),
    )


def _system(system: SystemName, checks: list[Check], codes: list[TroubleCode]) -> SystemHealth:
    mine = [check for check in checks if check.system == system]
    own = [code for code in codes if system_of(code.code) == system]
    return system_health(system, mine, _PRIORS, own)


def _worth(check: Check) -> bool:
    """Say whether a check deserves a finding: what was seen, weighed by how well."""
    return check.severity is not None and check.severity >= WORTH_SAYING and check.quality > 0.15


def _finding(check: Check) -> Finding:
    severity = check.severity or 0.0
    return Finding(
        rule=check.rule,
        title=check.title,
        system=check.system,
        severity=_grade(check, severity),
        confidence=min(1.0, 0.3 + 0.6 * check.quality),
        evidence=check.evidence,
        explanation=check.explanation,
        recommendation=check.recommendation,
        source=check.source,
    )


def _grade(check: Check, severity: float) -> Severity:
    """Grade by severity; poorly seen and about the data only never rise above advice."""
    if check.quality < 0.4 or check.system == "data quality" or severity < WARNING:
        return "advice" if severity >= 0.3 else "info"
    return "critical" if severity >= CRITICAL and check.rule in _SAFETY else "warning"


def _record_next(systems: list[SystemHealth]) -> list[str]:
    """Return what to record next: systems without a score first, heaviest missing checks first."""
    wanted: list[tuple[bool, float, str]] = []
    for part in systems:
        for check in part.checks:
            if check.record_next and check.applicable:
                lost = check.weight * (1 - check.quality)
                wanted.append((part.score.value is not None, -lost, f"{part.system}: {check.record_next}"))
    return list(dict.fromkeys(text for _, _, text in sorted(wanted)))[:8]


def _notes(car: Car, codes: list[TroubleCode], unread: bool) -> list[str]:
    notes = list(car.engine.notes)
    if unread:
        notes.append("Trouble codes were not given: their absence here says nothing.")
    elsewhere = [code.code for code in codes if system_of(code.code) is None]
    if elsewhere:
        notes.append(f"Not part of the systems scored here: {', '.join(elsewhere)}.")
    return notes
