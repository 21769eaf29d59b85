"""A snap of the throttle: whether the intake fills, the mixture goes rich and the engine comes back."""

import numpy as np

from analysis.findings import Evidence
from analysis.guided.recording import Recording, not_carried_out
from analysis.guided.snap_air import FULL, Named, Snap, add_finding, efficiency_in, filling
from analysis.results.guided import GuidedOutcome

SOURCE = (
    "MOTOR magazine, Driveability Corner, October 2002: snapped open, the sensor goes lean for a moment and then rich, "
    "and lean again as the throttle closes; 0.7 V and 0.3 V are our edges for a narrow-band sensor"
)
_IDLE_SOURCE = "the engine comes back to idle without dying; 70 % of idle is our edge for a dip"
_RICH_V, _LEAN_V, _LOW_KPA = 0.7, 0.3, 300.0
_GOOD_EFFICIENCY = 0.83
_LEAST_HZ, _RISE_RPM, _TRANSPORT_S = 5.0, 250.0, 0.3
_STALLED_RPM, _DIP = 150.0, 0.7
# A cold sensor rests near its bias of 0.45 V.
_ACTIVE_V = 0.15


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
    filled = filling(recording, snap)
    if filled is not None and filled < FULL:
        reason = f"the manifold reached only {filled:.0%} of the outside pressure: open the throttle fully, and at once"
        return not_carried_out(reason, recording)
    _mixture(recording, snap, efficiency_in(recording, snap))
    _return(recording, snap)
    return recording.outcome("the intake fills, the mixture follows and the engine comes back to idle")


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
        add_finding(
            recording, named, evidence, f"The sensor stayed above {lean.min():.2f} V.", advice, SOURCE
        )


def _stays_lean(recording: Recording, evidence: list[Evidence], efficiency: Evidence | None) -> None:
    why = f"The sensor reached only {evidence[0].value:.2f} V with the throttle open: the mixture stayed lean"
    if any(one.rule.endswith("air-mass-reads-low") for one in recording.findings):
        named: Named = ("lean-for-lack-of-measured-air", "Lean when the throttle opens", "warning", 0.7)
        add_finding(
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
        expected = f"{_LOW_KPA:g} kPa or more"
        evidence = [*evidence, recording.note("fuel_pressure", "lowest", lowest, expected, span)]
        named = ("fuel-delivery-weak", "Too little fuel when the throttle opens", "warning", 0.9)
        why += f", and the fuel pressure fell to {lowest:.0f} kPa"
    else:
        cleared = efficiency is not None and (efficiency.value or 0.0) >= _GOOD_EFFICIENCY
        title = "Lean when the throttle opens: fuel delivery" + (
            "" if cleared else ", or the air mass sensor"
        )
        named = ("stays-lean", title, "warning", 0.7 if cleared else 0.6)
    add_finding(
        recording, named, evidence, f"{why}.", "Measure fuel pressure and delivery under load.", SOURCE
    )


def _return(recording: Recording, snap: Snap) -> None:
    window = snap.peak_s, snap.end_s
    lowest = float(recording.series("rpm", window)[1].min())
    expected = f"{_DIP:.0%} of {snap.idle_rpm:.0f} rpm or more"
    evidence = [recording.note("rpm", "lowest after the snap", lowest, expected, window)]
    came_back = any(phase.step == "recover" for phase in recording.phases)
    if lowest < _STALLED_RPM:
        named: Named = ("stalls", "The engine dies after a snap", "critical", 0.9)
        add_finding(
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
        add_finding(recording, named, evidence, "It stayed above idle.", advice, _IDLE_SOURCE)
    elif lowest < _DIP * snap.idle_rpm:
        named = ("dips", "Idle dips after a snap", "advice", 0.6)
        why = f"It fell to {lowest:.0f} rpm."
        add_finding(
            recording, named, evidence, why, "Clean the throttle body; have idle learned anew.", _IDLE_SOURCE
        )
