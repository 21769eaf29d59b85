"""Fuel trims at idle against 2500 rpm: unmetered air, fuel delivery, or the air mass sensor."""

import math

from analysis.findings import Evidence, Finding, Severity
from analysis.guided.recording import Recording, not_carried_out
from analysis.results.guided import GuidedOutcome

SOURCE = (
    "ecomotif, How to Fuel Trim Diagnostics: within 8 % is normal, 10 % and more lean or rich; lean that goes away at "
    "1500 to 2000 rpm is a vacuum leak, lean that stays is fuel delivery or a sensor; GEARS magazine, Put Fuel Trim to "
    "Work for You; autosolvehub, Lean vs rich"
)
_PRESSURE_SOURCE = SOURCE + "; port injection runs near 300 to 400 kPa, limits of pressure are our judgement"
NORMAL, FAULT = 8.0, 10.0
# Lean at idle must fall by so much, and by this share, to be a leak: a sensor or a pump errs at every speed.
_FALL, _FALL_SHARE = 5.0, 0.4
# Systems differ in their set pressure: between these two it neither accuses the pump nor clears it.
_LOW_KPA, _GOOD_KPA, _DROOP = 300.0, 340.0, 0.08
_UNUSED = 99.0
_UNDECIDED = "fuel delivery against air mass sensor"


def judge_hold(recording: Recording) -> GuidedOutcome:
    """Judge each bank's short plus long trim at idle and at 2500 rpm."""
    idle, hold = recording.window("idle"), recording.window("hold")
    said = []
    for bank in (1, 2):
        low, high = (_trim(recording, bank, window) for window in (idle, hold))
        if not (math.isfinite(low) and math.isfinite(high)):
            continue
        evidence = [
            recording.note(
                f"long_fuel_trim_{bank}", "median of short + long trim at idle", low, "within ±8 %", idle
            ),
            recording.note(
                f"long_fuel_trim_{bank}", "median of short + long trim at 2500", high, "within ±8 %", hold
            ),
        ]
        said.append(f"bank {bank}: trims {low:+.1f} % at idle, {high:+.1f} % at 2500 rpm")
        finding = _classify(recording, low, high, evidence)
        if finding is not None:
            recording.findings.append(finding)
    if not said:
        return not_carried_out("no fuel trims were read both at idle and at 2500 rpm", recording)
    return recording.outcome("; ".join(said))


def _trim(recording: Recording, bank: int, window: tuple[float, float]) -> float:
    short = recording.median(f"short_fuel_trim_{bank}", window)
    long = recording.median(f"long_fuel_trim_{bank}", window)
    return short + long if short < _UNUSED and long < _UNUSED else float("nan")


def _classify(recording: Recording, idle: float, high: float, evidence: list[Evidence]) -> Finding | None:
    seen = f"The ECU adds {idle:+.1f} % fuel at idle and {high:+.1f} % at 2500 rpm"
    if idle > FAULT and idle - high >= max(_FALL, _FALL_SHARE * idle):
        return _leak(seen, high, evidence)
    if max(idle, high) > FAULT:
        return _lean_at_both(recording, seen, evidence)
    if min(idle, high) < -FAULT:
        return _rich(seen, idle < high - _FALL, evidence)
    if max(abs(idle), abs(high)) > NORMAL:
        return _finding(
            ("trims-borderline", "Fuel trims near their limit", "info", 0.6),
            evidence,
            f"{seen}: outside ±8 %, not yet 10 %.",
            "Repeat the test after the next drive and watch for drift.",
        )
    return None


def _leak(seen: str, high: float, evidence: list[Evidence]) -> Finding:
    return _finding(
        (
            "vacuum-leak",
            "Unmetered air: vacuum leak behind the air mass sensor",
            "warning",
            0.9 if high < NORMAL else 0.8,
        ),
        evidence,
        f"{seen}: a leak is a large share of the little air at idle, and a small share at speed.",
        "Find it with smoke: gaskets, hoses, brake booster, crankcase ventilation.",
    )


def _lean_at_both(recording: Recording, seen: str, evidence: list[Evidence]) -> Finding:
    """Tell weak fuel delivery from an air mass sensor that reads low, by the fuel pressure where it is known."""
    idle, hold = recording.window("idle"), recording.window("hold")
    resting, pulling = recording.median("fuel_pressure", idle), recording.median("fuel_pressure", hold)
    if not (math.isfinite(resting) and resting > 0):
        recording.not_judged[_UNDECIDED] = "the car does not report fuel_pressure"
        return _either(seen, evidence)
    expected = f"{_GOOD_KPA:g} kPa or more, steady"
    evidence = [
        *evidence,
        recording.note("fuel_pressure", "median at idle", resting, expected, idle),
        recording.note("fuel_pressure", "median at 2500", pulling, expected, hold),
    ]
    if min(resting, pulling) < _LOW_KPA or pulling < (1 - _DROOP) * resting:
        return _finding(
            ("fuel-delivery-weak", "Too little fuel pressure", "warning", 0.9),
            evidence,
            f"{seen}, lean at both, and the fuel pressure is {resting:.0f} and {pulling:.0f} kPa.",
            "Check fuel filter, pump, its supply voltage and the regulator with a gauge.",
            _PRESSURE_SOURCE,
        )
    if min(resting, pulling) < _GOOD_KPA:
        recording.not_judged[_UNDECIDED] = f"{resting:.0f} kPa is right for some systems and low for others"
        return _either(seen, evidence)
    return _finding(
        ("air-mass-reads-low", "Air mass sensor reads too little", "warning", 0.75),
        evidence,
        f"{seen}, lean at both, while the fuel pressure holds at {resting:.0f} kPa.",
        "Clean or renew the air mass sensor; look for air drawn in behind it that grows with speed.",
        _PRESSURE_SOURCE,
    )


def _either(seen: str, evidence: list[Evidence]) -> Finding:
    return _finding(
        ("lean-at-all-speeds", "Too little fuel, or an air mass sensor that reads low", "warning", 0.6),
        evidence,
        f"{seen}: lean at every speed, which a leak is not; without more of the fuel pressure the two look alike.",
        "Measure the fuel pressure under load against its set value; snap_throttle shows what the air sensor sees.",
    )


def _rich(seen: str, at_idle: bool, evidence: list[Evidence]) -> Finding:
    if at_idle:
        cause, advice = (
            "leaking injector, purge valve or pressure regulator",
            "Pinch off the purge line and repeat.",
        )
    else:
        cause, advice = (
            "fuel pressure too high or an air mass sensor that reads high",
            "Measure the fuel pressure.",
        )
    return _finding(
        ("mixture-rich", f"Mixture too rich: {cause}", "warning", 0.65), evidence, f"{seen}: rich.", advice
    )


def _finding(
    named: tuple[str, str, Severity, float],
    evidence: list[Evidence],
    why: str,
    advice: str,
    source: str = SOURCE,
) -> Finding:
    rule, title, severity, confidence = named
    return Finding(
        rule=f"hold-2500-{rule}",
        title=title,
        system="fuel and air",
        severity=severity,
        confidence=confidence,
        evidence=evidence,
        explanation=why,
        recommendation=advice,
        source=source,
    )
