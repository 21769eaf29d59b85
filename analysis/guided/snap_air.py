"""The air of a throttle snap: whether the manifold fills, and whether the air mass sensor sees it."""

import math
from typing import Literal, NamedTuple

from analysis.findings import Evidence, Finding
from analysis.guided.recording import Recording

_AIR_SOURCE = (
    "SAE J1979 absolute load is air mass per stroke over 1.184 g/l; over the density of the manifold's air it is the "
    "volumetric efficiency, 0.78 to 1.0 near full load (Lightner); 0.72 is our edge in a snap"
)
FULL, _LOW_EFFICIENCY = 0.75, 0.72
_GAS_CONSTANT = 287.05
Named = tuple[str, str, Literal["advice", "warning", "critical"], float]


class Snap(NamedTuple):
    """The moments of the snap: opened, highest speed, end of the recording of it."""

    opened_s: float
    peak_s: float
    end_s: float
    idle_rpm: float


def filling(recording: Recording, snap: Snap) -> float | None:
    """Return the highest manifold pressure over the barometric one, None where either is not known."""
    window = snap.opened_s, snap.peak_s + 0.3
    pressure = recording.series("intake_pressure", window)[1]
    outside = recording.median("barometric_pressure", recording.table.span_s)
    if not pressure.size or not math.isfinite(outside):
        recording.not_judged["manifold filling"] = "needs intake_pressure and barometric_pressure"
        return None
    highest = float(pressure.max())
    recording.note("intake_pressure", "highest", highest, f"{FULL:.0%} of {outside:.0f} kPa or more", window)
    return highest / outside


def efficiency_in(recording: Recording, snap: Snap) -> Evidence | None:
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
        add_finding(recording, named, [evidence], why, advice, _AIR_SOURCE)
    return evidence


def add_finding(
    recording: Recording, named: Named, evidence: list[Evidence], why: str, advice: str, source: str
) -> None:
    """Keep a finding of this test."""
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
