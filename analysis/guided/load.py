"""Idle under electrical load: whether the alternator carries it and the idle control holds the engine."""

import math
from typing import NamedTuple

from analysis.findings import Evidence, Finding, Severity
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


class Kind(NamedTuple):
    """A finding this test can come to."""

    rule: str
    title: str
    system: str
    severity: Severity
    confidence: float
    advice: str
    source: str


_CHARGING = "charging and battery"
_WEAK = Kind(
    "alternator-weak",
    "Alternator, belt or cable charges too little",
    _CHARGING,
    "warning",
    0.9,
    "Test belt, alternator output and its cables.",
    SOURCE,
)
_AT_LIMIT = Kind(
    "alternator-at-limit",
    "Alternator at its limit at idle",
    _CHARGING,
    "advice",
    0.5,
    "Many cars do this with everything on; test the alternator's output if the battery keeps going flat.",
    SOURCE,
)
_OVERCHARGING = Kind(
    "overcharging",
    "Charging voltage too high",
    _CHARGING,
    "warning",
    0.85,
    "Renew the regulator or alternator before it harms electronics.",
    SOURCE,
)
_DROPS = Kind(
    "idle-drops",
    "Idle speed falls under load",
    "engine",
    "warning",
    0.75,
    "Clean the throttle body, have idle learned anew, look for misfire and for a dragging alternator.",
    _IDLE_SOURCE,
)


def judge_load(recording: Recording) -> GuidedOutcome:
    """Judge voltage and engine speed at idle without and with load, and the voltage with load at a raised speed."""
    volts = recording.first_of(*VOLTAGES)
    if volts is None:
        return not_carried_out("no voltage was recorded", recording)
    unloaded, loaded = recording.window("unloaded"), recording.window("loaded")
    if not all(
        recording.series(name, window)[1].size for name in (volts, "rpm") for window in (unloaded, loaded)
    ):
        return not_carried_out(f"{volts} and rpm were not both read without and with load", recording)
    said = _charging(recording, volts, unloaded, loaded)
    _idle(recording, unloaded, loaded)
    _trims(recording, unloaded, loaded)
    return recording.outcome(said)


def _charging(recording: Recording, volts: str, unloaded: Window, loaded: Window) -> str:
    """Judge three voltages: an alternator too weak at idle only is at its limit, not broken."""
    expected = f"{_WEAK_V:g} to {_HIGH_V:g} V"
    windows = {"without load": unloaded, "with load": loaded}
    if any(phase.step == "raised" for phase in recording.phases):
        windows["with load at 1600 rpm"] = recording.window("raised")
    else:
        recording.not_judged["charging at raised speed"] = "the engine was not held at about 1600 rpm"
    levels = {place: recording.median(volts, window) for place, window in windows.items()}
    levels = {place: level for place, level in levels.items() if math.isfinite(level)}
    evidence = [
        recording.note(volts, f"median {place}", levels[place], expected, window)
        for place, window in windows.items()
        if place in levels
    ]
    said = ", ".join(f"{level:.1f} V {place}" for place, level in levels.items())
    if max(levels.values()) > _HIGH_V:
        _add(recording, _OVERCHARGING, evidence, f"The system shows {said}.")
    elif levels["without load"] < _WEAK_V or levels.get("with load at 1600 rpm", _HIGH_V) < _WEAK_V:
        _add(recording, _WEAK, evidence, f"The system shows {said}: the battery carries what is switched on.")
    elif levels["with load"] < _WEAK_V:
        _add(
            recording,
            _AT_LIMIT,
            evidence,
            f"The system shows {said}: at idle the load is more than it gives.",
        )
    return said


def _idle(recording: Recording, unloaded: Window, loaded: Window) -> None:
    before, after = recording.median("rpm", unloaded), recording.median("rpm", loaded)
    expected = f"within {_DROP:.0%} of {before:.0f} rpm, and {_LEAST_RPM:g} rpm or more"
    evidence = [
        recording.note("rpm", "median without load", before, "", unloaded),
        recording.note("rpm", "median with load", after, expected, loaded),
    ]
    if after < min((1 - _DROP) * before, before - 50.0) or after < min(_LEAST_RPM, 0.9 * before):
        why = f"The engine idles at {before:.0f} rpm without load and at {after:.0f} rpm with it."
        _add(recording, _DROPS, evidence, why)


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


def _add(recording: Recording, kind: Kind, evidence: list[Evidence], why: str) -> None:
    recording.findings.append(
        Finding(
            rule=f"idle-with-load-{kind.rule}",
            title=kind.title,
            system=kind.system,
            severity=kind.severity,
            confidence=kind.confidence,
            evidence=evidence,
            explanation=why,
            recommendation=kind.advice,
            source=kind.source,
        )
    )
