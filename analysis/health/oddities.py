"""Turns anomalies found by the detector into checks of the systems they concern."""

from analysis.findings import Evidence
from analysis.health.checking import between
from analysis.results.anomalies import Anomaly, AnomalyReport
from analysis.results.health import Check, SystemName

_BY_KIND: dict[str, SystemName] = {
    "mixture": "fuel and air",
    "air": "intake and boost",
    "roughness": "ignition",
    "slip": "transmission",
}
_BY_SIGNAL: dict[str, SystemName] = {
    "coolant_temp": "cooling",
    "oil_temp": "engine mechanical",
    "control_module_voltage": "charging and battery",
    "intake_pressure": "intake and boost",
    "maf": "intake and boost",
    "engine_load": "intake and boost",
    "intake_temp": "intake and boost",
    "fuel_pressure": "fuel and air",
    "short_fuel_trim_1": "fuel and air",
    "long_fuel_trim_1": "fuel and air",
    "fuel_rail_pressure_direct": "fuel and air",
    "fuel_rate": "fuel and air",
    "short_fuel_trim_2": "fuel and air",
    "long_fuel_trim_2": "fuel and air",
    "timing_advance": "ignition",
    "throttle_pos": "intake and boost",
    "absolute_load": "intake and boost",
    "catalyst_temp_b1s1": "emissions",
    "catalyst_temp_b1s2": "emissions",
    "o2_b1s2": "emissions",
}


def system_of(anomaly: Anomaly) -> SystemName:
    """Return the system an anomaly concerns; odd readings of a sensor concern the recording first."""
    if anomaly.kind in _BY_KIND:
        return _BY_KIND[anomaly.kind]
    return system_of_signal(anomaly.signal) if anomaly.kind == "level" else "data quality"


def system_of_signal(signal: str) -> SystemName:
    """Return the system whose level a signal tells."""
    return _BY_SIGNAL.get(signal.split("@")[0], "engine mechanical")


def anomaly_checks(report: AnomalyReport) -> list[Check]:
    """Return one check per system that anomalies were found in."""
    by_system: dict[SystemName, list[Anomaly]] = {}
    for anomaly in report.anomalies:
        by_system.setdefault(system_of(anomaly), []).append(anomaly)
    return [_check(system, found, report) for system, found in by_system.items()]


def _check(system: SystemName, found: list[Anomaly], report: AnomalyReport) -> Check:
    worst = max(found, key=lambda anomaly: anomaly.score)
    own = any(anomaly.baseline for anomaly in found)
    return Check(
        rule="anomalies",
        title=f"Anomalies: {', '.join(sorted({anomaly.signal for anomaly in found}))}",
        system=system,
        weight=0.7 if own else 0.5,
        severity=between(worst.score / report.limit_factor, 1.0, 4.0),
        quality=1.0,
        evidence=[_evidence(anomaly) for anomaly in found[:5]],
        explanation=worst.explanation,
        recommendation="Look at these stretches in the recording, and at what happened on the drive then.",
        source=f"anomaly detection, {'limits of this car' if own else 'general limits'}",
    )


def _evidence(anomaly: Anomaly) -> Evidence:
    return Evidence(
        signal=anomaly.signal,
        unit=anomaly.unit,
        statistic=f"{anomaly.kind}, {anomaly.score:.1f} times its limit",
        value=anomaly.value,
        expected=anomaly.expected,
        start_s=anomaly.start_s,
        end_s=anomaly.end_s,
        samples=anomaly.samples,
    )
