"""Finds the anomalies of a session: fixed rules always, this car's own limits where a baseline is given."""

from collections.abc import Sequence

from analysis.anomalies.channels import Channel
from analysis.anomalies.companions import COMPANIONS, why_alone
from analysis.anomalies.conditions import Conditions
from analysis.anomalies.context import CONTEXTS
from analysis.anomalies.judgement import Judgement, merged
from analysis.engine import Engine
from analysis.errors import NotEnoughDataError, UnknownChoiceError
from analysis.results.anomalies import AnomalyReport, Baseline
from analysis.table import SignalTable
from analysis.timeline import Timeline
from analysis.tracks import Gap

SENSITIVITIES = {"low": 0.25, "normal": 0.5, "high": 0.75}
"""What each level costs and finds with a baseline, as bench/anomalies.py measures it: 4 h of healthy simulated
drives (baseline of 3 h) with 42 faults; nine real drives of a petrol car (2.1 h, each judged by the other eight)
with 55 injected faults; six of a diesel (2.3 h, judged alike) with 34. The checks were shaped with all three in
view: another car may do worse. Time in alarm never falls as sensitivity rises: all limits shrink together. False
alarms per hour, and share found:

    sensitivity   limits   simulated     real petrol    real diesel
    0             x 2       0    0.95     0    0.67      0    0.68
    0.25 low      x 1.41    0    1.00     0    0.89      0    0.79
    0.5 normal    x 1       0    1.00     0.9  1.00      0.4  0.88
    0.75 high     x 0.71    0    1.00     7.5  1.00      3.9  0.91
    1             x 0.5    16.8  1.00    24.9  1.00     12.8  1.00
"""
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
    level = level_of(sensitivity)
    factor = 2.0 ** (1 - 2 * level)
    _check_choices(table, signals, window_s)
    timeline = Timeline(table, gaps=gaps)
    if not any(len(track) for track in timeline.values()):
        raise NotEnoughDataError("The session holds no readings.", "Record or import some first.")
    if timeline.untimed:
        raise NotEnoughDataError(
            f"Nothing can be judged over time: {timeline.untimed}.", "Import a log with a clock."
        )
    judged = Judgement(Conditions(Engine(timeline)), baseline, window_s=window_s)
    wanted = [one for one in judged.anomalies(factor) if signals is None or one.signal in signals]
    return AnomalyReport(
        anomalies=merged(wanted),
        sensitivity=level,
        limit_factor=factor,
        checked=[*sorted({channel.name for channel in judged.channels}), *_POINTS],
        not_checked=_not_checked(judged.conditions, judged.channels, baseline),
        notes=_notes(judged.conditions, baseline),
    )


def level_of(sensitivity: str | float) -> float:
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
    for name in COMPANIONS:
        why = why_alone(name, conditions) if conditions.timeline.has(name) else None
        if why:
            reasons[f"single readings of {name}"] = f"only wild ones are told; {why}"
    return reasons


def _notes(conditions: Conditions, baseline: Baseline | None) -> list[str]:
    notes = list(conditions.engine.notes)
    if "running" in conditions.engine.why_not:
        notes.append("No rpm: only single signals could be checked.")
    if not conditions.timeline.has("coolant_temp"):
        notes.append("No coolant_temp: the engine counts as warm after ten minutes of running.")
    return notes + (list(baseline.notes) if baseline else ["No baseline: only gross faults can be told."])
