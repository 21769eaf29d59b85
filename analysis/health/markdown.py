"""Renders a health report as Markdown text; nothing is written anywhere."""

from analysis.findings import Evidence, Finding, Quantity
from analysis.results.health import Cause, Check, HealthReport, SystemHealth

_MARKS = {"critical": "‼", "warning": "!", "advice": "·", "info": "·"}


def report_markdown(report: HealthReport) -> str:
    """Render a health report as Markdown: scores, findings with evidence, causes, what to do and record next."""
    parts = [
        "# Health report",
        f"**Overall: {_score(report.overall)}**",
        _systems(report.systems),
        _section("Findings", [_finding(finding) for finding in report.findings], "Nothing was found."),
        _causes(report),
        _priorities(report),
        _maintenance(report),
        f"## Readiness\n\n{report.readiness}",
        _section("Record next", [f"- {text}" for text in report.record_next], "Everything was judged."),
        _checks(report.systems),
        _section("Notes", [f"- {note}" for note in report.notes], ""),
        f"## How the score is made\n\n{report.formula}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, lines: list[str], nothing: str) -> str:
    body = "\n".join(lines) if lines else nothing
    return f"## {title}\n\n{body}" if body else ""


def _score(quantity: Quantity) -> str:
    if quantity.value is None:
        return f"no score ({quantity.reason})"
    return f"{quantity.value:.0f} of 100 ({quantity.low:.0f} to {quantity.high:.0f})"


def _systems(systems: list[SystemHealth]) -> str:
    rows = ["| system | score | seen |", "|---|---|---|"]
    for part in systems:
        capped = f", capped by {', '.join(part.capped_by)}" if part.capped_by else ""
        rows.append(f"| {part.system} | {_score(part.score)}{capped} | {100 * part.coverage:.0f} % |")
    return "## Systems\n\n" + "\n".join(rows)


def _finding(finding: Finding) -> str:
    evidence = "".join(f"\n  - {_evidence(item)}" for item in finding.evidence)
    return (
        f"- **{_MARKS[finding.severity]} {finding.title}** ({finding.system}, {finding.severity}, confidence "
        f"{finding.confidence:.0%}). {finding.explanation} {finding.recommendation}{evidence}"
    )


def _evidence(item: Evidence) -> str:
    value = f"{item.value:.4g} {item.unit}" if item.value is not None else item.statistic
    expected = f", expected {item.expected}" if item.expected else ""
    when = f", {item.start_s:.0f} to {item.end_s:.0f} s" if None not in (item.start_s, item.end_s) else ""
    samples = f", {item.samples} samples" if item.samples else ""
    return f"{item.signal}: {item.statistic} {value}{expected}{when}{samples}"


def _causes(report: HealthReport) -> str:
    found = report.recommendation
    lines = [_cause(number, cause) for number, cause in enumerate(found.causes, start=1)]
    if found.next_test is not None:
        test = found.next_test
        lines.append(
            f"\n**Next test: {test.test}** ({test.minutes} min). {test.how} {test.tells} {found.why}"
        )
    else:
        lines.append(found.why)
    if found.not_linked:
        lines.append(f"\nCodes that no cause here explains: {', '.join(found.not_linked)}.")
    return _section("Probable causes", lines, "")


def _cause(number: int, cause: Cause) -> str:
    support = f"for: {'; '.join(cause.supporting) or 'codes only'}"
    against = f"; against: {'; '.join(cause.contradicting)}" if cause.contradicting else ""
    codes = f"; codes: {', '.join(cause.codes)}" if cause.codes else ""
    return f"{number}. **{cause.title}** ({cause.strength}; {support}{against}{codes}). {cause.repair}"


def _priorities(report: HealthReport) -> str:
    lines = [
        f"- **{when}**: {entry}"
        for when, entries in report.recommendation.priorities.items()
        for entry in entries
    ]
    return _section("What to do", lines, "")


def _maintenance(report: HealthReport) -> str:
    lines = []
    for item in report.recommendation.maintenance:
        every = " or ".join(
            text
            for text in (
                f"{item.interval_km:,} km" if item.interval_km else "",
                f"{item.interval_months} months" if item.interval_months else "",
            )
            if text
        )
        due = (
            f"due in {item.due_in_km.value:,.0f} km"
            if item.due_in_km.value is not None
            else item.due_in_km.reason
        )
        lines.append(f"- {item.item}: every {every}; {due}")
    basis = report.recommendation.maintenance[0].basis if report.recommendation.maintenance else ""
    return _section(f"Maintenance ({basis})", lines, "")


def _checks(systems: list[SystemHealth]) -> str:
    rows = ["| check | severity | quality | what was seen | source |", "|---|---|---|---|---|"]
    rows += [_check(check) for part in systems for check in part.checks if check.applicable]
    return "## All checks\n\n" + "\n".join(rows)


def _check(check: Check) -> str:
    severity = f"{check.severity:.2f}" if check.severity is not None else "-"
    said = check.explanation if check.severity is not None else f"not judged: {check.reason}"
    return f"| {check.title} | {severity} | {check.quality:.2f} | {said} | {check.source} |"
