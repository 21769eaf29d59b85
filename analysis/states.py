"""The operating state of every moment: off, cranking, cold start, idle, cruise, overrun, full load."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.engine import WARM_C, Engine
from analysis.findings import absent, derived
from analysis.results.states import StateName, StateReport, StateShare
from analysis.timeline import Timeline
from analysis.tracks import Bools, runs

DEFINITIONS: dict[StateName, str] = {
    "unknown": "no engine speed is known",
    "off": "rpm below 50",
    "cranking": "rpm from 50 to 400",
    "cold start": f"running, coolant not yet at {WARM_C:.0f} °C since the start and under 20 min of running",
    "overrun": "rolling above 10 km/h, pedal released, rpm above idle, nothing speaks for injected fuel",
    "full load": "pedal at 80 % or more, or calculated load at 95 % or more, above 1200 rpm",
    "warm idle": "running warm while the car stands",
    "idle": "running while the car stands, warmth not known",
    "acceleration": "speed rising by more than 0.4 m/s²",
    "steady cruise": "moving above 15 km/h, speed steady within 0.25 m/s²",
    "other running": "running, none of the above",
}
"""What each state means, in the order in which they are asked: the first that holds is the state."""

STATE_NAMES: tuple[StateName, ...] = tuple(DEFINITIONS)
_ACCELERATING_MS2 = 0.4
_STEADY_MS2 = 0.25
_CRUISE_KMH = 15.0


@dataclass(frozen=True)
class States:
    """The state of each moment as a place in STATE_NAMES (int8), and why some states cannot be told."""

    codes: NDArray[np.int8]
    step_s: float
    absent: dict[StateName, str]
    notes: list[str]

    def where(self, state: StateName) -> Bools:
        """Return the moments in a state."""
        place = np.int8(STATE_NAMES.index(state))
        return np.equal(self.codes, place)

    def seconds(self, state: StateName) -> float:
        """Return how long the car was in a state."""
        return float(np.count_nonzero(self.where(state))) * self.step_s


def operating_states(timeline: Timeline, engine: Engine | None = None) -> States:
    """Tell the operating state of every moment of a timeline, from whichever signals it has."""
    engine = engine or Engine(timeline)
    if timeline.untimed:
        unknown = np.zeros(timeline.moments_s.size, dtype=np.int8)
        return States(unknown, timeline.step_s, dict.fromkeys(STATE_NAMES, timeline.untimed), [])
    warm, idle, rate = engine.warm, engine.idle, engine.acceleration_ms2
    masks: dict[StateName, Bools] = {
        "unknown": ~np.isfinite(engine.rpm),
        "off": engine.off,
        "cranking": engine.cranking,
        "cold start": engine.cold,
        "overrun": engine.overrun,
        "full load": engine.full_load,
        "warm idle": idle & warm,
        "idle": idle,
        "acceleration": engine.moving & (rate > _ACCELERATING_MS2),
        "steady cruise": (engine.speed_kmh > _CRUISE_KMH) & (np.abs(rate) <= _STEADY_MS2),
        "other running": np.ones(rate.size, dtype=bool),
    }
    codes = np.select([masks[name] for name in STATE_NAMES], range(len(STATE_NAMES))).astype(np.int8)
    return States(codes, timeline.step_s, _untellable(engine), engine.notes)


def _untellable(engine: Engine) -> dict[StateName, str]:
    """Say for each state why it cannot be told, where that is so."""
    why = engine.why_not
    if "running" in why:
        return {name: why["running"] for name in STATE_NAMES if name != "unknown"}
    reasons: dict[StateName, str] = {}
    if "warm" in why:
        reasons |= {"cold start": why["warm"], "warm idle": why["warm"]}
    if "standing" in why:
        reasons |= {"acceleration": why["standing"], "steady cruise": why["standing"]}
    if "idle" in why:
        reasons |= {"idle": why["idle"], "warm idle": why["idle"]}
    if "overrun" in why:
        reasons["overrun"] = why["overrun"]
    if "full_load" in why:
        reasons["full load"] = why["full_load"]
    return reasons


def state_report(states: States) -> StateReport:
    """State how long the car was in each state, and why some are absent."""
    known_s = states.codes.size * states.step_s
    return StateReport(states=[_share(states, name, known_s) for name in STATE_NAMES], notes=states.notes)


def _share(states: States, name: StateName, known_s: float) -> StateShare:
    where = states.where(name)
    moments = int(np.count_nonzero(where))
    if name in states.absent:
        reason = states.absent[name]
        seconds, share = absent("s", reason), absent("ratio", reason)
    else:
        method = f"moments {states.step_s:.3g} s apart with: {DEFINITIONS[name]}"
        seconds = derived(moments * states.step_s, "s", method, samples=moments)
        share = derived(moments * states.step_s / known_s, "ratio", method, samples=moments)
    return StateShare(
        state=name,
        definition=DEFINITIONS[name],
        duration_s=seconds,
        share=share,
        visits=len(runs(where)),
    )
