"""Sums a session up into robust levels per signal and operating state."""

from collections.abc import Sequence

import numpy as np

from analysis.compare.limits import RULES, tells_the_car
from analysis.compare.points import Drive
from analysis.results.history import SessionSummary, StateLevel
from analysis.results.states import StateName
from analysis.table import SignalTable
from analysis.timeline import Gap

STATES: tuple[StateName, ...] = ("warm idle", "steady cruise", "acceleration")
LEAST_S = 20.0


def summarize(
    table: SignalTable,
    *,
    name: str,
    day: float | None = None,
    odometer_km: float | None = None,
    gaps: Sequence[Gap] = (),
) -> SessionSummary:
    """Sum a session up: the median of every signal in each state that lasted twenty seconds and tells the car.

    `day` counts from any fixed date. The odometer is taken from the session where it was recorded.
    """
    drive = Drive(name, table, tuple(gaps))
    if odometer_km is None and drive.timeline.has("odometer", readings=1):
        odometer_km = float(drive.timeline["odometer"].values[-1])
    return SessionSummary(
        name=name,
        day=day,
        odometer_km=odometer_km,
        ambient_c=_ambient(drive),
        levels=[level for signal in RULES if signal in drive.timeline for level in _levels(drive, signal)],
    )


def _levels(drive: Drive, signal: str) -> list[StateLevel]:
    if not drive.has(signal):
        return []
    values = drive.timeline.held(signal)
    found = []
    for state in STATES:
        if not tells_the_car(signal, state):
            continue
        known = values[drive.compared & drive.states.where(state) & np.isfinite(values)]
        seconds = known.size * drive.timeline.step_s
        if seconds >= LEAST_S:
            unit = drive.timeline[signal].unit
            middle = float(np.median(known))
            found.append(StateLevel(signal=signal, unit=unit, state=state, median=middle, seconds=seconds))
    return found


def _ambient(drive: Drive) -> float | None:
    if not drive.timeline.has("ambiant_air_temp"):
        return None
    return float(np.median(drive.timeline["ambiant_air_temp"].values))
