"""Learns what one car is like when it is healthy, from its own sessions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.anomalies.context import CONTEXTS, Context, contexts_of
from analysis.anomalies.maps import learn_map, read_map
from analysis.anomalies.smoothing import ewma
from analysis.anomalies.stillness import learn_stillness
from analysis.anomalies.transmission import learn_gears, slip
from analysis.anomalies.warm_up import learn_warm_up
from analysis.engine import Engine
from analysis.errors import NotEnoughDataError
from analysis.results.anomalies import Baseline, ContextMap, Limits
from analysis.table import Floats, SignalTable
from analysis.timeline import Timeline

_MARGIN = 1.15
_CAUTION_H = 1.0
_FEWEST_S = 600.0
_FEWEST_MOMENTS_S = 60.0
SLIP_FLOOR = 0.08


@dataclass(frozen=True)
class _Part:
    """One context of one stretch of healthy driving: its values and the keys of its map."""

    values: Floats
    keys: list[Floats]
    step_s: float


def learn_baseline(tables: Sequence[SignalTable]) -> Baseline:
    """Learn maps and limits from healthy sessions of one car; raises NotEnoughDataError below ten minutes.

    A limit is 1.15 times the largest deviation seen in healthy driving that the map was not learned
    from (each half of the sessions judged by the other), and never below the floor of its check. Few hours make
    limits wider, by one hour over the hours seen: what a short baseline has not met is not yet a fault.
    """
    sessions = [Conditions(Engine(Timeline(table))) for table in tables]
    running_s = sum(c.timeline.seconds(c.engine.running) for c in sessions)
    if running_s < _FEWEST_S:
        raise NotEnoughDataError(
            f"A baseline needs {_FEWEST_S / 60:.0f} min of running engine; these sessions hold {running_s / 60:.1f}.",
            "Record more healthy drives of this car.",
        )
    maps: dict[str, ContextMap] = {}
    limits: dict[str, list[Limits]] = {}
    found = _parts(sessions)
    caution = 1 + _CAUTION_H / max(running_s / 3600, _CAUTION_H)
    for context in CONTEXTS:
        parts = found.get(context.name, [])
        if sum(np.isfinite(part.values).sum() * part.step_s for part in parts) >= _FEWEST_MOMENTS_S:
            maps[context.name] = _map(context, parts)
            residuals = _residuals(context, parts)
            limits[context.name] = _limits(residuals, context.floor, context.averaged_s, caution)
    gears = learn_gears(sessions)
    if gears:
        residuals = [(slip(c, gears), c.timeline.step_s) for c in sessions]
        limits["gear ratio"] = _limits(residuals, SLIP_FLOOR, (0.0, 5.0), caution)
    return Baseline(
        sessions=len(sessions),
        hours=running_s / 3600,
        maps=maps,
        limits=limits,
        gear_log_ratios=gears,
        warm_up=learn_warm_up(sessions),
        rests_s=learn_stillness(sessions),
        notes=_notes(len(sessions), running_s, maps),
    )


def _notes(sessions: int, running_s: float, maps: dict[str, ContextMap]) -> list[str]:
    notes = [f"{sessions} sessions, {running_s / 3600:.1f} h of running engine, {len(maps)} quantities"]
    if sessions < 5 or running_s < 3 * 3600:
        notes.append(
            "few healthy drives: conditions they did not meet cannot be judged, and limits may be too tight"
        )
    return notes


def _parts(sessions: Sequence[Conditions]) -> dict[str, list[_Part]]:
    """Return the stretches of every context; a single session is cut in two so that each can judge the other."""
    parts: dict[str, list[_Part]] = {}
    for conditions in sessions:
        for context, values in contexts_of(conditions):
            keys = [conditions.timeline.held(name) for name in context.keys]
            cuts = 2 if len(sessions) == 1 else 1
            for place in np.array_split(np.arange(values.size), cuts):
                part = _Part(values[place], [key[place] for key in keys], conditions.timeline.step_s)
                parts.setdefault(context.name, []).append(part)
    return parts


def _map(context: Context, parts: Sequence[_Part]) -> ContextMap:
    """Learn the map of a context over all its stretches."""
    keys = [np.concatenate([part.keys[k] for part in parts]) for k in range(len(context.keys))]
    step_s = float(np.median([part.step_s for part in parts]))
    return learn_map(context.keys, keys, np.concatenate([part.values for part in parts]), step_s)


def _residuals(context: Context, parts: Sequence[_Part]) -> list[tuple[Floats, float]]:
    """Return each stretch's deviation from the map of the other half, with its step."""
    halves = (parts[::2], parts[1::2])
    if not halves[1]:
        halves = (parts, parts)
    found = []
    for own, other in ((halves[0], halves[1]), (halves[1], halves[0])):
        learned = _map(context, other)
        for part in own:
            expected = read_map(learned, part.keys, part.values.size)
            found.append((part.values - expected, part.step_s))
    return found


def _limits(
    residuals: Sequence[tuple[Floats, float]], floor: float, averaged_s: Sequence[float], caution: float
) -> list[Limits]:
    """Return the limits for each averaging time from deviations of healthy driving."""
    limits = []
    for seconds in averaged_s:
        lowest, highest = -floor, floor
        for residual, step_s in residuals:
            smooth = ewma(residual, seconds, step_s)
            known = smooth[np.isfinite(smooth)]
            if known.size:
                lowest = min(lowest, _MARGIN * float(known.min()))
                highest = max(highest, _MARGIN * float(known.max()))
        limits.append(Limits(averaged_s=seconds, below=-lowest * caution, above=highest * caution))
    return limits
