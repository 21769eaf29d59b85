"""Starting the engine: the lowest voltage, the speed of cranking, how long it took."""

from typing import Literal

import numpy as np

from analysis.findings import Evidence, Finding
from analysis.guided.procedures import VOLTAGES
from analysis.guided.recording import Recording, not_carried_out
from analysis.results.guided import GuidedOutcome

SOURCE = (
    "under 9.6 V while cranking points to battery or starter (Chrysler, cold cranking test; Saturn manual: 9.5 V); "
    "readings between which the voltage dips lower cannot be seen"
)
_SPEED_SOURCE = (
    "starters turn car engines at 150 to 250 rpm; under 120 rpm is our limit for slow, over 4 s for long"
)
_LEAST_V, _SLOW_RPM, _LONG_S = 9.6, 120.0, 4.0
_TURNING_RPM, _RUNNING_RPM = 40.0, 400.0
Window = tuple[float, float]
Named = tuple[str, str, Literal["warning", "critical"], float]


def judge_crank(recording: Recording) -> GuidedOutcome:
    """Judge the stretch from the first turn to the engine running by itself."""
    volts = recording.first_of(*VOLTAGES)
    after_standing = recording.window("standing")[1], recording.table.span_s[1]
    times, rpm = recording.series("rpm", after_standing)
    turning = np.flatnonzero(rpm > _TURNING_RPM)
    if volts is None or not turning.size:
        return not_carried_out("the engine was not seen turning", recording)
    running = np.flatnonzero(rpm >= _RUNNING_RPM)
    began, fired = float(times[turning[0]]), float(times[running[0]]) if running.size else None
    # the voltage falls before the first speed reading shows it
    window = (max(after_standing[0], began - 0.5), fired if fired is not None else after_standing[1])
    _voltage(recording, volts, window)
    cranked = (times >= began) & (rpm > _TURNING_RPM) & (rpm < _RUNNING_RPM)
    _speed(recording, rpm[cranked], window)
    lasted = window[1] - began
    _length(recording, window, lasted, fired is not None)
    stalled = running.size > 0 and rpm[-3:].max() < _TURNING_RPM
    if stalled:
        named: Named = ("stalls", "The engine starts and dies", "critical", 0.9)
        why = "It reached its own speed and stood still again."
        _add(
            recording,
            named,
            recording.evidence[-1:],
            why,
            "Check immobiliser, fuel pressure and idle air.",
            "as seen",
        )
    return recording.outcome(f"the engine ran {lasted:.1f} s after its first turn")


def _voltage(recording: Recording, volts: str, window: Window) -> None:
    values = recording.series(volts, window)[1]
    if not values.size:
        recording.not_judged["cranking voltage"] = "no voltage reading fell into the cranking"
        return
    lowest = float(values.min())
    evidence = recording.note(volts, "lowest while cranking", lowest, f"{_LEAST_V:g} V or more", window)
    if lowest < _LEAST_V:
        named: Named = (
            "voltage-low",
            "Battery or starter: voltage falls too low while cranking",
            "warning",
            0.8,
        )
        why = f"The voltage fell to {lowest:.1f} V."
        _add(
            recording,
            named,
            [evidence],
            why,
            "Charge and load-test the battery, then the starter's cables.",
            SOURCE,
        )


def _speed(
    recording: Recording, rpm: np.ndarray[tuple[int, ...], np.dtype[np.float64]], window: Window
) -> None:
    if rpm.size < 2:
        recording.not_judged["cranking speed"] = f"only {rpm.size} readings of rpm fell into the cranking"
        return
    speed = float(np.median(rpm))
    evidence = recording.note("rpm", "median while cranking", speed, f"{_SLOW_RPM:g} rpm or more", window)
    if speed < _SLOW_RPM:
        named: Named = ("slow", "The starter turns the engine slowly", "warning", 0.7)
        advice = "Test battery and starter cables, then the starter; a stiff engine is the last to suspect."
        _add(recording, named, [evidence], f"It turned at {speed:.0f} rpm.", advice, _SPEED_SOURCE)


def _length(recording: Recording, window: Window, lasted: float, fired: bool) -> None:
    evidence = recording.note("rpm", "seconds of cranking", lasted, f"{_LONG_S:g} s or less", window, "s")
    if not fired:
        named: Named = ("no-start", "The engine turns and does not start", "critical", 0.9)
        advice = "Check fuel pressure, spark, immobiliser and the crankshaft sensor; read the codes."
        _add(recording, named, [evidence], "It turned and never ran by itself.", advice, _SPEED_SOURCE)
    elif lasted > _LONG_S:
        named = ("long", "The engine starts late", "warning", 0.6)
        advice = "Check that fuel pressure holds overnight, coolant temperature reading, spark."
        _add(recording, named, [evidence], f"It took {lasted:.1f} s.", advice, _SPEED_SOURCE)


def _add(
    recording: Recording, named: Named, evidence: list[Evidence], why: str, advice: str, source: str
) -> None:
    rule, title, severity, confidence = named
    recording.findings.append(
        Finding(
            rule=f"crank-{rule}",
            title=title,
            system="charging and battery" if rule in ("voltage-low", "slow") else "engine",
            severity=severity,
            confidence=confidence,
            evidence=evidence,
            explanation=why,
            recommendation=advice,
            source=source,
        )
    )
