"""A snap of the throttle: whether the intake fills, the mixture goes rich and the engine comes back."""

import math
from typing import Literal, NamedTuple

import numpy as np

from analysis.findings import Evidence, Finding
from analysis.guided.recording import Recording, not_carried_out
from analysis.results.guided import GuidedOutcome

SOURCE = (
    "MOTOR magazine, Driveability Corner, October 2002: snapped open, the sensor goes lean for a moment and then rich, "
    "and lean again as the throttle closes; 0.7 V and 0.3 V are our edges for a narrow-band sensor"
)
_AIR_SOURCE = (
    "SAE J1979 absolute load is air mass per stroke over 1.184 g/l; over the density of the manifold's air it is the "
    "volumetric efficiency, 0.78 to 1.0 near full load (Lightner); 0.72 is our edge in a snap"
)
_IDLE_SOURCE = "the engine comes back to idle without dying; 70 % of idle is our edge for a dip"
_FULL, _RICH_V, _LEAN_V, _LOW_EFFICIENCY, _LOW_KPA = 0.75, 0.7, 0.3, 0.72, 300.0
_LEAST_HZ, _RISE_RPM, _TRANSPORT_S = 5.0, 250.0, 0.3
_STALLED_RPM, _DIP = 150.0, 0.7
# A cold sensor rests near its bias of 0.45 V.
_ACTIVE_V = 0.15
_GAS_CONSTANT = 287.05
Window = tuple[float, float]
Named = tuple[str, str, Literal["advice", "warning", "critical"], float]


class Snap(NamedTuple):
    """The moments of the snap: opened, highest speed, end of the recording of it."""

    opened_s: float
    peak_s: float
    end_s: float
    idle_rpm: float


def judge_snap(recording: Recording) -> GuidedOutcome:
    """Judge manifold filling, air measured, mixture and the return to idle."""
    window = recording.window("snap", "recover")
    times, rpm = recording.series("rpm", window)
    idle_rpm = recording.median("rpm", recording.window("idle"))
    risen = np.flatnonzero(rpm > idle_rpm + _RISE_RPM)
    rate = times.size / max(window[1] - window[0], 0.1)
    if not risen.size or rate < _LEAST_HZ:
        return not_carried_out(
            f"a snap needs {_LEAST_HZ:g} readings of rpm per second, {rate:.1f} came", recording
        )
    peak = int(np.argmax(rpm))
    snap = Snap(float(times[max(risen[0] - 1, 0)]), float(times[peak]), window[1], idle_rpm)
    recording.note("rpm", "highest", float(rpm[peak]), "", window)
    filled = _filling(recording, snap)
    if filled is not None and filled < _FULL:
        reason = f"the manifold reached only {filled:.0%} of the outside pressure: open the throttle fully, and at once"
        return not_carried_out(reason, recording)
    _mixture(recording, snap, _efficiency(recording, snap))
    _return(recording, snap)
    return recording.outcome("the intake fills, the mixture follows and the engine comes back to idle")


def _filling(recording: Recording, snap: Snap) -> float | None:
    """Return the highest manifold pressure over the barometric one, None where either is not known."""
    window = snap.opened_s, snap.peak_s + 0.3
    pressure = recording.series("intake_pressure", window)[1]
    outside = recording.median("barometric_pressure", recording.table.span_s)
    if not pressure.size or not math.isfinite(outside):
        recording.not_judged["manifold filling"] = "needs intake_pressure and barometric_pressure"
        return None
    highest = float(pressure.max())
    recording.note("intake_pressure", "highest", highest, f"{_FULL:.0%} of {outside:.0f} kPa or more", window)
    return highest / outside


def _efficiency(recording: Recording, snap: Snap) -> Evidence | None:
    """Work out the volumetric efficiency that the air mass sensor implies at the fullest moment."""
    window = snap.opened_s, snap.peak_s + 0.3
    load, pressure = (
        recording.series("absolute_load", window)[1],
        recording.series("intake_pressure", window)[1],
    )
    intake_c = recording.median("intake_temp", recording.table.span_s)
    if not load.size or not pressure.size or not math.isfinite(intake_c):
        recording.not_judged["air mass sensor"] = "needs absolute_load, intake_pressure and intake_temp"
        return None
    density = float(pressure.max()) * 1000.0 / (_GAS_CONSTANT * (intake_c + 273.15))
    value = float(load.max()) / 100.0 * 1.184 / density
    statistic = "volumetric efficiency at its highest"
    evidence = recording.note(
        "absolute_load", statistic, value, f"{_LOW_EFFICIENCY:g} or more", window, "ratio"
    )
    if value < _LOW_EFFICIENCY:
        named: Named = ("air-mass-reads-low", "Air mass sensor reads too little", "warning", 0.75)
        why = f"With the manifold full the measured air fills the cylinders only to {value:.0%}."
        advice = "Clean or renew the air mass sensor; a restricted exhaust or wrong valve timing looks alike."
        _add(recording, named, [evidence], why, advice, _AIR_SOURCE)
    return evidence


def _mixture(recording: Recording, snap: Snap, efficiency: Evidence | None) -> None:
    pulled = snap.opened_s + _TRANSPORT_S, snap.peak_s + 0.6
    closed = snap.peak_s + 0.6, snap.end_s
    rich, lean = recording.series("o2_b1s1", pulled)[1], recording.series("o2_b1s1", closed)[1]
    whole = recording.series("o2_b1s1", recording.table.span_s)[1]
    if whole.size and np.ptp(whole) < _ACTIVE_V:
        recording.not_judged["mixture"] = (
            f"o2_b1s1 rests at {np.median(whole):.2f} V: the sensor is not active"
        )
        return
    if rich.size < 2 or lean.size < 2:
        recording.not_judged["mixture"] = (
            f"{rich.size} readings of o2_b1s1 while the throttle was open; 2 are needed"
        )
        return
    evidence = [
        recording.note("o2_b1s1", "highest while open", float(rich.max()), f"{_RICH_V:g} V or more", pulled),
        recording.note(
            "o2_b1s1", "lowest after closing", float(lean.min()), f"{_LEAN_V:g} V or less", closed
        ),
    ]
    if rich.max() < _RICH_V:
        _stays_lean(recording, evidence, efficiency)
    elif lean.min() > _LEAN_V:
        named: Named = ("stays-rich", "Mixture or sensor stays rich after a snap", "advice", 0.5)
        advice = "Look for a leaking injector; test the sensor."
        _add(recording, named, evidence, f"The sensor stayed above {lean.min():.2f} V.", advice, SOURCE)


def _stays_lean(recording: Recording, evidence: list[Evidence], efficiency: Evidence | None) -> None:
    why = f"The sensor reached only {evidence[0].value:.2f} V with the throttle open: the mixture stayed lean"
    if any(one.rule.endswith("air-mass-reads-low") for one in recording.findings):
        named: Named = ("lean-for-lack-of-measured-air", "Lean when the throttle opens", "warning", 0.7)
        _add(
            recording,
            named,
            evidence,
            f"{why}; the air was measured too low.",
            "Mend the air mass sensor.",
            SOURCE,
        )
        return
    span = recording.window("idle", "recover")
    pressure = recording.series("fuel_pressure", span)[1]
    if pressure.size and 0 < float(pressure.min()) < _LOW_KPA:
        lowest = float(pressure.min())
        evidence = [
            *evidence,
            recording.note("fuel_pressure", "lowest", lowest, f"{_LOW_KPA:g} kPa or more", span),
        ]
    confidence = 0.9 if len(evidence) > 2 else 0.7 if efficiency else 0.55
    named = ("fuel-delivery-weak", "Too little fuel when the throttle opens", "warning", confidence)
    advice = "Measure fuel pressure and delivery under load; check the filter."
    _add(recording, named, evidence, f"{why}.", advice, SOURCE)


def _return(recording: Recording, snap: Snap) -> None:
    window = snap.peak_s, snap.end_s
    lowest = float(recording.series("rpm", window)[1].min())
    expected = f"{_DIP:.0%} of {snap.idle_rpm:.0f} rpm or more"
    evidence = [recording.note("rpm", "lowest after the snap", lowest, expected, window)]
    came_back = any(phase.step == "recover" for phase in recording.phases)
    if lowest < _STALLED_RPM:
        named: Named = ("stalls", "The engine dies after a snap", "critical", 0.9)
        _add(
            recording,
            named,
            evidence,
            "It stood still.",
            "Check idle air, fuel pressure and misfire.",
            _IDLE_SOURCE,
        )
    elif not came_back:
        named = ("hangs", "The engine does not come back to idle", "warning", 0.8)
        advice = "Check the throttle for sticking and the intake for leaks."
        _add(recording, named, evidence, "It stayed above idle.", advice, _IDLE_SOURCE)
    elif lowest < _DIP * snap.idle_rpm:
        named = ("dips", "Idle dips after a snap", "advice", 0.6)
        why = f"It fell to {lowest:.0f} rpm."
        _add(
            recording, named, evidence, why, "Clean the throttle body; have idle learned anew.", _IDLE_SOURCE
        )


def _add(
    recording: Recording, named: Named, evidence: list[Evidence], why: str, advice: str, source: str
) -> None:
    rule, title, severity, confidence = named
    recording.findings.append(
        Finding(
            rule=f"snap-throttle-{rule}",
            title=title,
            system="fuel and air" if evidence[0].signal != "rpm" else "engine",
            severity=severity,
            confidence=confidence,
            evidence=evidence,
            explanation=why,
            recommendation=advice,
            source=source,
        )
    )
