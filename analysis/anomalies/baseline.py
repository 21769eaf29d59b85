"""Learns what one car is like when it is healthy, from its own sessions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.anomalies.context import CONTEXTS, Context, contexts_of
from analysis.anomalies.maps import learn_map, read_map
from analysis.anomalies.smoothing import averaged
from analysis.anomalies.stillness import learn_stillness
from analysis.anomalies.transmission import learn_gears, slip
from analysis.anomalies.warm_up import learn_warm_up
from analysis.engine import Engine
from analysis.errors import NotEnoughDataError
from analysis.results.anomalies import Baseline, ContextMap, Limits
from analysis.table import Floats, SignalTable
from analysis.timeline import Timeline

_MARGIN = 1.15
_CAUTION_H = 0.5
_GROUPS = 4
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
    from (each quarter of the sessions judged by the others). The less a check applied the wider it is, by half an
    hour over the hours it did (at most twice as wide): what a short baseline has not met is not yet a fault. No limit
    is below the floor of its check.
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
    for context in CONTEXTS:
        parts = found.get(context.name, [])
        if _seen_s([(part.values, part.step_s) for part in parts]) >= _FEWEST_MOMENTS_S:
            maps[context.name] = _map(context, parts)
            residuals = _residuals(context, parts)
            floors = (context.floor, context.floor_above or context.floor)
            limits[context.name] = _limits(residuals, floors, context.averaged_s)
    gears = learn_gears(sessions)
    if gears:
        residuals = [(slip(c, gears), c.timeline.step_s) for c in sessions]
        limits["gear ratio"] = _limits(residuals, (SLIP_FLOOR, SLIP_FLOOR), (0.0, 5.0))
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
    """Return each stretch's deviation from a map of the others, with its step: up to four groups take turns."""
    found = []
    groups = [parts[first::_GROUPS] for first in range(min(_GROUPS, len(parts)))]
    for own in groups:
        others = [part for group in groups if group is not own for part in group]
        learned = _map(context, others or own)
        for part in own:
            found.append((part.values - read_map(learned, part.keys, part.values.size), part.step_s))
    return found


def _seen_s(values: Sequence[tuple[Floats, float]]) -> float:
    """Return for how many seconds values are known."""
    return sum(float(np.isfinite(one).sum()) * step_s for one, step_s in values)


def _clip(residuals: Sequence[tuple[Floats, float]], floor: float) -> float:
    """Return what one moment may count in an average: three floors, or four robust standard deviations."""
    known = np.concatenate([residual[np.isfinite(residual)] for residual, _ in residuals])
    if not known.size:
        return 3 * floor
    return max(3 * floor, 4 * 1.4826 * float(np.median(np.abs(known - np.median(known)))))


def _limits(
    residuals: Sequence[tuple[Floats, float]],
    floors: tuple[float, float],
    averaged_s: Sequence[float],
) -> list[Limits]:
    """Return the limits for each averaging time from deviations of healthy driving, never below the floors."""
    limits, clip = [], _clip(residuals, max(floors))
    caution = 1 + _CAUTION_H / max(_seen_s(residuals) / 3600, _CAUTION_H)
    for seconds in averaged_s:
        lowest = highest = 0.0
        for residual, step_s in residuals:
            smooth = averaged(residual, seconds, step_s, clip)
            known = smooth[np.isfinite(smooth)]
            if known.size:
                lowest = min(lowest, float(known.min()))
                highest = max(highest, float(known.max()))
        below, above = (
            max(floor, _MARGIN * caution * seen)
            for floor, seen in zip(floors, (-lowest, highest), strict=True)
        )
        limits.append(Limits(averaged_s=seconds, below=below, above=above, clip=clip))
    return limits
