"""Follows one car over its sessions."""

from collections.abc import Sequence

import numpy as np

from analysis.compare.degradation import FEWEST_SESSIONS, change_point, drift
from analysis.correlations import benjamini_hochberg
from analysis.errors import NotEnoughDataError, UnknownChoiceError
from analysis.findings import derived
from analysis.history.normal import deviation, judged, normal_of
from analysis.history.notices import drifting, outside
from analysis.history.projection import LIMITS, finite, limits_for, projection
from analysis.history.repairs import effects, place_of
from analysis.history.series import Series, axis_of, series_of
from analysis.results.history import (
    AxisName,
    Deviation,
    HistoryVerdict,
    Limit,
    Projection,
    Repair,
    SessionSummary,
    SignalDrift,
    VehicleHistory,
)

_FEWEST_FOR_A_SLOPE = 4


def track(
    summaries: Sequence[SessionSummary],
    *,
    repairs: Sequence[Repair] = (),
    limits: Sequence[Limit] = LIMITS,
    confidence_level: float = 0.95,
) -> VehicleHistory:
    """Follow one car over its sessions: its own normal, the latest session against it, drift, projections, repairs.

    Sessions are put in order by day, else by odometer, else as given. Drift and normal look at the sessions since
    the last repair. Raises NotEnoughDataError below two sessions and UnknownChoiceError for arguments that do not fit.
    """
    _check(summaries, repairs, confidence_level)
    axis, places = axis_of(summaries)
    order = np.argsort(places, kind="stable")
    names = [summaries[index].name for index in order]
    ordered = sorted(repairs, key=lambda repair: names.index(repair.before_session))
    whole = series_of(summaries, places)
    recent = [_since_last(part, ordered) for part in whole]
    latest, before = _latest(recent, names[-1], confidence_level)
    drifts = _drifts(recent, axis, confidence_level)
    projections = _projections(recent, drifts, axis, tuple(limits), confidence_level)
    changed = effects(whole, ordered, confidence_level)
    return VehicleHistory(
        sessions=names,
        axis=axis,
        normal=normal_of(before, len(names) - 1, confidence_level),
        latest=latest,
        drifts=drifts,
        projections=projections,
        repairs=changed,
        findings=[outside(part) for part in latest if part.outside]
        + [drifting(part, projections) for part in drifts if part.verdict == "drifts"],
        notes=_notes(summaries, axis, ordered),
    )


def _check(summaries: Sequence[SessionSummary], repairs: Sequence[Repair], level: float) -> None:
    if len(summaries) < 2:
        raise NotEnoughDataError("Following a car needs two sessions or more.", "Record further sessions.")
    names = [summary.name for summary in summaries]
    if len(set(names)) != len(names):
        raise UnknownChoiceError("Two sessions have the same name.", "Give each session its own name.")
    lost = [repair.before_session for repair in repairs if repair.before_session not in names]
    if lost:
        raise UnknownChoiceError(f"No such session: {', '.join(lost)}.", f"Sessions: {', '.join(names)}.")
    if not 0.5 <= level < 1:
        raise UnknownChoiceError(
            f"confidence_level {level} is not possible.", "Give one from 0.5 to below 1."
        )


def _since_last(part: Series, repairs: list[Repair]) -> Series:
    """Return a series since the last repair that should have changed it."""
    places = [
        place
        for repair in repairs
        if (not repair.signals or part.signal in repair.signals)
        and (place := place_of(part, repair)) is not None
    ]
    return part.part(max(places, default=0))


def _latest(recent: list[Series], name: str, level: float) -> tuple[list[Deviation], list[Series]]:
    """Return how the latest session lies against the normal of those before, and the series without it."""
    before = [part.part(0, -1) if part.names and part.names[-1] == name else part for part in recent]
    found = []
    for part, earlier in zip(recent, before, strict=True):
        normal = normal_of([earlier], len(earlier), level).levels
        if len(earlier) < len(part) and normal:
            found.append(deviation(earlier, float(part.values[-1]), name, normal[0]))
    found = judged(found, level)
    return sorted(found, key=lambda d: -abs(d.difference.value or 0.0) / d.minimum_effect), before


def _drifts(recent: list[Series], axis: AxisName, level: float) -> list[SignalDrift]:
    """Return the drift of every series with four sessions or more, p-values adjusted over all of them."""
    long = [part for part in recent if len(part) >= _FEWEST_FOR_A_SLOPE and np.ptp(part.places) > 0]
    plain = [_drift(part, axis, level) for part in long]
    adjusted = benjamini_hochberg(np.array([part.p_value for part in plain]))
    judged = [_judged(part, float(p), level) for part, p in zip(plain, adjusted, strict=True)]
    return sorted(judged, key=lambda part: (part.verdict != "drifts", part.p_adjusted))


def _drift(part: Series, axis: AxisName, level: float) -> SignalDrift:
    trend = drift(part.values, level, part.places)
    span = float(part.places[-1] - part.places[0])
    method = "Theil-Sen over the sessions' medians, interval by Sen"
    unit = f"{part.unit} per {axis.removesuffix('s') if axis != 'km' else 'km'}"
    return SignalDrift(
        signal=part.signal,
        unit=part.unit,
        state=part.state,
        axis=axis,
        slope=derived(trend.slope, unit, method, low=trend.low, high=trend.high, samples=len(part)),
        change=derived(
            trend.slope * span,
            part.unit,
            f"{method}, times the {span:.4g} {axis} seen",
            low=trend.low * span,
            high=trend.high * span,
            samples=len(part),
        ),
        minimum_effect=part.minimum,
        tau=trend.tau,
        p_value=trend.p_value,
        p_adjusted=trend.p_value,
        change_point=change_point(part.values, part.names),
        sessions=len(part),
        verdict="steady",
        reason="",
    )


def _judged(part: SignalDrift, p_adjusted: float, level: float) -> SignalDrift:
    """Add the verdict: enough sessions, significant after adjustment, large enough to matter."""
    change = abs(part.change.value or 0.0)
    reason = f"{change:.3g} {part.unit} over {part.sessions} sessions; {part.minimum_effect:.3g} would matter"
    verdict: HistoryVerdict = "steady"
    if part.sessions < FEWEST_SESSIONS:
        verdict = "not enough sessions to tell"
        reason = f"{part.sessions} sessions of {FEWEST_SESSIONS} needed; {reason}"
    elif p_adjusted < 1 - level and change >= part.minimum_effect:
        verdict = "drifts"
    update = {"p_adjusted": p_adjusted, "verdict": verdict, "reason": f"{reason}; p = {p_adjusted:.3f}"}
    return part.model_copy(update=update)


def _projections(
    recent: list[Series], drifts: list[SignalDrift], axis: AxisName, limits: tuple[Limit, ...], level: float
) -> list[Projection]:
    moving = {(part.signal, part.state) for part in drifts if part.verdict == "drifts"}
    return [
        projection(part, limit, axis, (part.signal, part.state) in moving and finite(part.values), level)
        for part in recent
        for limit in limits_for(part, limits)
        if len(part) >= _FEWEST_FOR_A_SLOPE
    ]


def _notes(summaries: Sequence[SessionSummary], axis: AxisName, repairs: list[Repair]) -> list[str]:
    notes = []
    if axis == "sessions":
        notes.append("Neither days nor odometer are known for all sessions: their order is the axis.")
    ambients = [summary.ambient_c for summary in summaries if summary.ambient_c is not None]
    if ambients and max(ambients) - min(ambients) > 15:
        span = f"{min(ambients):.0f} to {max(ambients):.0f} °C"
        notes.append(
            f"The sessions span {span} outside: temperatures and charging voltage follow the season."
        )
    if repairs:
        notes.append(f"Normal and drift look at the sessions since the last repair ({repairs[-1].name}).")
    return notes
