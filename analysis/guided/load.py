"""Idle under electrical load: whether the alternator carries it and the idle control holds the engine."""

import math

from analysis.findings import Evidence, Finding
from analysis.guided.procedures import VOLTAGES
from analysis.guided.recording import Recording, not_carried_out
from analysis.results.guided import GuidedOutcome

SOURCE = (
    "charging 13.5 to 15 V, less points to the alternator, more to the regulator (Ironton battery load tester, manual; "
    "ASE L1 guide); 12.9 V at idle leaves room for smart alternators (our edge, as in the health report)"
)
_IDLE_SOURCE = (
    "idle control holds its speed under load; a lasting drop over 15 % or under 550 rpm is our limit"
)
_WEAK_V, _HIGH_V = 12.9, 15.0
_DROP, _LEAST_RPM = 0.15, 550.0
Window = tuple[float, float]


def judge_load(recording: Recording) -> GuidedOutcome:
    """Judge voltage and engine speed at idle without and with load."""
    volts = recording.first_of(*VOLTAGES)
    if volts is None:
        return not_carried_out("no voltage was recorded", recording)
    unloaded, loaded = recording.window("unloaded"), recording.window("loaded")
    before, after = _charging(recording, volts, unloaded, loaded)
    _idle(recording, unloaded, loaded)
    _trims(recording, unloaded, loaded)
    return recording.outcome(f"{before:.1f} V without load and {after:.1f} V with it")


def _charging(recording: Recording, volts: str, unloaded: Window, loaded: Window) -> tuple[float, float]:
    before, after = recording.median(volts, unloaded), recording.median(volts, loaded)
    expected = f"{_WEAK_V:g} to {_HIGH_V:g} V"
    evidence = [
        recording.note(volts, "median without load", before, expected, unloaded),
        recording.note(volts, "median with load", after, expected, loaded),
    ]
    if after < _WEAK_V:
        rule, title, confidence = "alternator-weak", "Alternator, belt or cable charges too little", 0.9
        why = f"The voltage is {before:.1f} V without load and {after:.1f} V with it: the battery carries the load."
        if before >= _WEAK_V:
            confidence = 0.7
            why += " Without load it charges, so the alternator is at its limit at idle; repeat at 1500 rpm."
        _add(
            recording,
            (rule, title, confidence),
            evidence,
            why,
            "Test belt, alternator output and its cables.",
            SOURCE,
        )
    elif max(before, after) > _HIGH_V:
        why = f"The system voltage is {max(before, after):.1f} V."
        named = ("overcharging", "Charging voltage too high", 0.85)
        _add(
            recording,
            named,
            evidence,
            why,
            "Renew the regulator or alternator before it harms electronics.",
            SOURCE,
        )
    return before, after


def _idle(recording: Recording, unloaded: Window, loaded: Window) -> None:
    before, after = recording.median("rpm", unloaded), recording.median("rpm", loaded)
    expected = f"within {_DROP:.0%} of {before:.0f} rpm, and {_LEAST_RPM:g} rpm or more"
    evidence = [
        recording.note("rpm", "median without load", before, "", unloaded),
        recording.note("rpm", "median with load", after, expected, loaded),
    ]
    if after < min((1 - _DROP) * before, before - 50.0) or after < min(_LEAST_RPM, 0.9 * before):
        named = ("idle-drops", "Idle speed falls under load", 0.75)
        why = f"The engine idles at {before:.0f} rpm without load and at {after:.0f} rpm with it."
        advice = (
            "Clean the throttle body, have idle learned anew, look for misfire and for a dragging alternator."
        )
        _add(recording, named, evidence, why, advice, _IDLE_SOURCE)


def _trims(recording: Recording, unloaded: Window, loaded: Window) -> None:
    for place, window in (("without load", unloaded), ("with load", loaded)):
        trim = sum(recording.median(f"{term}_fuel_trim_1", window) for term in ("short", "long"))
        if math.isfinite(trim):
            name = "long_fuel_trim_1"
            recording.note(
                name, f"median of short + long trim {place}", trim, "judged by hold_2500_rpm", window
            )
        else:
            recording.not_judged[f"trims {place}"] = "the car does not report both fuel trims"


def _add(
    recording: Recording,
    named: tuple[str, str, float],
    evidence: list[Evidence],
    why: str,
    advice: str,
    source: str,
) -> None:
    rule, title, confidence = named
    recording.findings.append(
        Finding(
            rule=f"idle-with-load-{rule}",
            title=title,
            system="engine mechanical" if rule == "idle-drops" else "charging and battery",
            severity="warning",
            confidence=confidence,
            evidence=evidence,
            explanation=why,
            recommendation=advice,
            source=source,
        )
    )
