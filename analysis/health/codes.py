"""Trouble codes: which system they belong to, and the findings they make."""

import re

from analysis.findings import Evidence, Finding, Severity
from analysis.results.health import SystemName, TroubleCode

# By the structure of SAE J2012 codes; the first pattern that fits decides.
_SYSTEMS: tuple[tuple[str, SystemName], ...] = (
    (r"P011[5-9]|P012[568]|P0217|P048\d|P059[7-9]|P2181|P2185", "cooling"),
    (r"P05[6][0-3]|P062[0-9]|P2503", "charging and battery"),
    (r"P052\d|P00[1-2]\d|P0298|P001\d", "engine mechanical"),
    (r"P03\d\d", "ignition"),
    (
        r"P017[0-9]|P218[7-9]|P219[0-9]|P008[7-9]|P009\d|P019[0-4]|P02[0-1]\d|P023[0-3]|P050[5-9]|P046\d",
        "fuel and air",
    ),
    (r"P013\d|P014\d|P015\d|P016\d|P04[0-5]\d|P003\d|P005\d|P220\d|P24\d\d|P227\d", "emissions"),
    (r"P0068|P010\d|P011[0-4]|P012[0-4]|P022\d|P023[4-9]|P024\d|P0299|P256[2-5]|P226\d", "intake and boost"),
    (r"P050[0-3]|P0[7-9]\d\d|P27\d\d|P17\d\d", "transmission"),
)
_GRAVE = re.compile(r"P0217|P052[0-4]|P0298|P0087|P030\d")


def system_of(code: str) -> SystemName | None:
    """Return the system a trouble code belongs to by its number, None for body, chassis, network and the rest."""
    for pattern, system in _SYSTEMS:
        if re.fullmatch(pattern, code.strip().upper()[:5]):
            return system
    return None


def code_finding(code: TroubleCode) -> Finding:
    """Make a finding of a trouble code."""
    told = f": {code.description}" if code.description else ""
    return Finding(
        rule=f"trouble-code-{code.status}",
        title=f"{code.code} is {code.status}{told}",
        system=system_of(code.code) or "other",
        severity=_severity(code),
        confidence=0.9 if code.status == "stored" else 0.7,
        evidence=[
            Evidence(
                signal=code.code,
                unit="code",
                statistic=f"read as {code.status}{f' from {code.ecu}' if code.ecu else ''}",
                value=None,
                expected="no codes",
            )
        ],
        explanation="The car's own monitor saw this fault; it names a symptom, not the part.",
        recommendation="Look the code up, read its freeze frame, and follow the ranked causes.",
        source="SAE J2012, services 03, 07 and 0A",
    )


def _severity(code: TroubleCode) -> Severity:
    if code.status == "pending":
        return "advice"
    if code.status == "permanent":
        return "info"
    return "critical" if _GRAVE.fullmatch(code.code.upper()[:5]) else "warning"
