"""Finds the anomalies of a session: fixed rules always, this car's own limits where a baseline is given."""

from collections.abc import Iterator, Sequence

import numpy as np

from analysis.anomalies.baseline import SLIP_FLOOR
from analysis.anomalies.channels import MERGED_S, Channel, anomalies_of
from analysis.anomalies.conditions import Conditions
from analysis.anomalies.context import CONTEXTS, contexts_of
from analysis.anomalies.maps import read_map
from analysis.anomalies.points import point_anomalies
from analysis.anomalies.rules import rule_channels
from analysis.anomalies.stillness import resting_anomalies
from analysis.anomalies.stretches import stretch_anomalies
from analysis.anomalies.transmission import slip
from analysis.anomalies.warm_up import cold_by
from analysis.engine import Engine
from analysis.errors import NotEnoughDataError, UnknownChoiceError
from analysis.results.anomalies import Anomaly, AnomalyReport, Baseline, Limits
from analysis.table import SignalTable
from analysis.timeline import Timeline
from analysis.tracks import Gap

SENSITIVITIES = {"low": 0.25, "normal": 0.5, "high": 0.75}
"""False alarms measured with a baseline of 1.5 to 2 h: per hour of healthy simulated drives 0 at normal, 1 at high,
9 at 1.0; of healthy real drives (one petrol car, each judged by the others) 0 at low, 1 at normal, 7 at high, 16 at
1.0. Rules without a baseline: none in 4.4 h of real petrol and diesel drives at normal, but for temperature readings
a control unit sends when it wakes up."""
_POINTS = ("spikes and steps", "stuck", "silent", "impossible")


def detect(
    table: SignalTable,
    *,
    sensitivity: str | float = "normal",
    signals: Sequence[str] | None = None,
    window_s: float | None = None,
    baseline: Baseline | None = None,
    gaps: Sequence[Gap] = (),
) -> AnomalyReport:
    """Find what does not fit in a session, strongest first.

    `sensitivity` is low, normal, high or 0 to 1; limits are multiplied by 2 at 0, 1 at 0.5 and 0.5 at 1, so that
    what one sensitivity reports every higher one reports too. `window_s` replaces the seconds deviations are
    averaged over. `signals` limits the answer to anomalies of these. Raises UnknownChoiceError, NotEnoughDataError.
    """
    level = _level(sensitivity)
    factor = 2.0 ** (1 - 2 * level)
    _check_choices(table, signals, window_s)
    timeline = Timeline(table, gaps=gaps)
    if not any(len(track) for track in timeline.values()):
        raise NotEnoughDataError("The session holds no readings.", "Record or import some first.")
    if timeline.untimed:
        raise NotEnoughDataError(
            f"Nothing can be judged over time: {timeline.untimed}.", "Import a log with a clock."
        )
    conditions = Conditions(Engine(timeline))
    channels = [*rule_channels(conditions), *(_context_channels(conditions, baseline) if baseline else ())]
    if window_s is not None:
        channels = [_averaged(channel, window_s) for channel in channels]
    found = _found(conditions, channels, baseline, factor)
    wanted = [anomaly for anomaly in found if signals is None or anomaly.signal in signals]
    return AnomalyReport(
        anomalies=merged(wanted),
        sensitivity=level,
        limit_factor=factor,
        checked=[*sorted({channel.name for channel in channels}), *_POINTS],
        not_checked=_not_checked(conditions, channels, baseline),
        notes=_notes(conditions, baseline),
    )


def _found(
    conditions: Conditions, channels: Sequence[Channel], baseline: Baseline | None, factor: float
) -> list[Anomaly]:
    """Return what the channels and the single signals show, from the factor on."""
    timeline = conditions.timeline
    found = [anomaly for channel in channels for anomaly in anomalies_of(channel, timeline, factor)]
    single = [*point_anomalies(conditions), *stretch_anomalies(timeline)]
    if baseline:
        single += resting_anomalies(conditions, baseline)
    return found + [anomaly for anomaly in single if anomaly.score >= factor]


def _level(sensitivity: str | float) -> float:
    """Return a sensitivity as a number from 0 to 1."""
    if isinstance(sensitivity, str):
        if sensitivity not in SENSITIVITIES:
            raise UnknownChoiceError(
                f"sensitivity {sensitivity!r} is not known.", f"Give {', '.join(SENSITIVITIES)}, or 0 to 1."
            )
        return SENSITIVITIES[sensitivity]
    if not 0 <= sensitivity <= 1:
        raise UnknownChoiceError(f"sensitivity {sensitivity:g} is outside 0 to 1.", "Give 0.5 for normal.")
    return float(sensitivity)


def _check_choices(table: SignalTable, signals: Sequence[str] | None, window_s: float | None) -> None:
    missing = sorted(set(signals or ()) - set(table))
    if missing:
        raise UnknownChoiceError(
            f"This session has no signal {', '.join(missing)}.", f"It has: {', '.join(sorted(table))}."
        )
    if window_s is not None and not 0 <= window_s <= 600:
        raise UnknownChoiceError(
            f"window_s {window_s:g} is outside 0 to 600.", "Leave it out for the usual ones."
        )


def _context_channels(conditions: Conditions, baseline: Baseline) -> Iterator[Channel]:
    """Yield the checks against this car's own healthy sessions."""
    size = conditions.timeline.moments_s.size
    for context, values in contexts_of(conditions):
        learned = baseline.maps.get(context.name)
        if learned is None:
            continue
        expected = read_map(learned, [conditions.timeline.held(name) for name in context.keys], size)
        yield Channel(
            name=context.name,
            signal=context.signal,
            kind=context.kind,
            deviation=values - expected,
            unit=context.unit,
            limits=baseline.limits[context.name],
            expected=f"as in {baseline.sessions} healthy sessions of this car, in the same state",
            explanation=context.explanation,
            baseline=True,
            percent=context.percent,
            lasting_s=context.lasting_s,
        )
    yield from _gear_channel(conditions, baseline)
    yield from _warm_up_channel(conditions, baseline)


def _gear_channel(conditions: Conditions, baseline: Baseline) -> Iterator[Channel]:
    if not baseline.gear_log_ratios or not conditions.timeline.has("speed", "rpm"):
        return
    ratios = ", ".join(f"{np.exp(ratio):.0f}" for ratio in baseline.gear_log_ratios)
    yield Channel(
        name="gear ratio",
        signal="rpm",
        kind="slip",
        deviation=slip(conditions, baseline.gear_log_ratios),
        unit="%",
        limits=baseline.limits.get("gear ratio", [Limits(averaged_s=5, below=SLIP_FLOOR, above=SLIP_FLOOR)]),
        expected=f"rpm over km/h at one of {ratios}",
        explanation="Engine over road speed is {deviation:.0f} % {direction} the nearest gear of this car ({times}).",
        baseline=True,
        percent=True,
        lasting_s=3,
    )


def _warm_up_channel(conditions: Conditions, baseline: Baseline) -> Iterator[Channel]:
    if baseline.warm_up is None or not conditions.timeline.has("coolant_temp", "rpm"):
        return
    yield Channel(
        name="warm-up",
        signal="coolant_temp",
        kind="level",
        deviation=cold_by(conditions, baseline.warm_up),
        unit="°C",
        limits=[Limits(averaged_s=5, below=5.0, above=np.inf)],
        expected="at least what this car reached after the same work in its slowest healthy warm-up",
        explanation="Coolant lies {deviation:.0f} °C {direction} the slowest healthy warm-up of this car ({times}).",
        baseline=True,
        lasting_s=10,
    )


def _averaged(channel: Channel, window_s: float) -> Channel:
    """Return a channel that averages over another time, its limits taken from the nearest it has."""
    from dataclasses import replace

    nearest = min(channel.limits, key=lambda limits: abs(limits.averaged_s - window_s))
    return replace(channel, limits=[nearest.model_copy(update={"averaged_s": window_s})])


def merged(anomalies: Sequence[Anomaly]) -> list[Anomaly]:
    """Return anomalies strongest first, of those of one signal and kind that overlap only the strongest."""
    kept: list[Anomaly] = []
    for anomaly in sorted(anomalies, key=lambda a: (-a.score, a.start_s, a.channel)):
        if not any(_same(anomaly, other) for other in kept):
            kept.append(anomaly)
    return kept


def _same(one: Anomaly, other: Anomaly) -> bool:
    if one.signal != other.signal or one.kind != other.kind or one.kind == "spike":
        return False
    return one.start_s <= other.end_s + MERGED_S and other.start_s <= one.end_s + MERGED_S


def _not_checked(
    conditions: Conditions, channels: Sequence[Channel], baseline: Baseline | None
) -> dict[str, str]:
    """Say which checks could not be made, and why."""
    made = {channel.name for channel in channels}
    reasons: dict[str, str] = {}
    for context in CONTEXTS:
        if context.name in made:
            continue
        if baseline is None:
            reasons[context.name] = "needs a baseline of healthy sessions of this car"
        elif not conditions.timeline.has(context.signal, *context.keys):
            missing = [n for n in (context.signal, *context.keys) if not conditions.timeline.has(n)]
            reasons[context.name] = f"not recorded: {', '.join(missing)}"
        else:
            reasons[context.name] = "this session never met the conditions, or the baseline never did"
    return reasons


def _notes(conditions: Conditions, baseline: Baseline | None) -> list[str]:
    notes = list(conditions.engine.notes)
    if "running" in conditions.engine.why_not:
        notes.append("No rpm: only single signals could be checked.")
    if not conditions.timeline.has("coolant_temp"):
        notes.append("No coolant_temp: the engine counts as warm after ten minutes of running.")
    return notes + (list(baseline.notes) if baseline else ["No baseline: only gross faults can be told."])
