"""Compares one session with the reference: rows per signal and per operating state, each with its verdict."""

from dataclasses import dataclass
from math import inf

import numpy as np

from analysis.compare.confounders import explained_by
from analysis.compare.effects import Effect, effect
from analysis.compare.limits import CONDITIONS, LOADS, RULES, Rule, load_candidates, rule_for
from analysis.compare.points import Drive, Matched, match, state_of
from analysis.correlations import benjamini_hochberg
from analysis.findings import derived
from analysis.quality.signals import common_step
from analysis.results.compare import Confounder, DifferenceVerdict, NotCompared, SignalDifference
from analysis.results.states import StateName
from analysis.states import STATE_NAMES

FEWEST_BLOCKS = 4
LEAST_OVERLAP = 0.2
_SEED = 20261121
_CODES = 4096


@dataclass(frozen=True)
class Row:
    """A compared signal before the adjustment for all the others."""

    signal: str
    unit: str
    state: StateName | None
    matched: Matched
    keys: tuple[str, ...]
    effect: Effect
    minimum: float
    rule: Rule


@dataclass(frozen=True)
class Pair:
    """The reference and a session to compare with it."""

    reference: Drive
    session: Drive

    def rows(self, signal: str) -> list[Row] | str:
        """Return the row of all states and those of single states, or why the signal cannot be compared."""
        why = self._why_not(signal)
        if why:
            return why
        levels = self.reference.timeline[signal].values
        rule = rule_for(signal, levels)
        keys = self._keys(signal, rule)
        whole = match(self.reference.cells(signal, keys), self.session.cells(signal, keys))
        poor = _too_little(whole)
        if poor:
            return poor
        minimum = rule.minimum * (abs(float(np.median(whole.reference.means))) if rule.relative else 1.0)
        parts = [(None, whole), *_by_state(whole, len(keys))]
        step = common_step(np.unique(levels)[:_CODES]) or 0.0
        unit = self.reference.timeline[signal].unit
        return [
            Row(
                signal,
                unit,
                state,
                part,
                keys,
                effect(part, np.random.default_rng(_SEED), step),
                minimum,
                rule,
            )
            for state, part in parts
        ]

    def _why_not(self, signal: str) -> str:
        if signal in CONDITIONS:
            return "the driver, the road or the weather decides it: a condition, not a result"
        for drive in (self.reference, self.session):
            if not drive.has(signal):
                return f"{drive.name} has fewer than 20 readings of it"
            if "running" in drive.engine.why_not:
                return f"{drive.name}: {drive.engine.why_not['running']}"
            if not drive.compared.any():
                return f"the engine of {drive.name} was never seen running warm"
        first, second = self.reference.timeline[signal].unit, self.session.timeline[signal].unit
        if first != second:
            return f"the units differ: {first} and {second}"
        if all(np.ptp(drive.timeline[signal].values) == 0 for drive in (self.reference, self.session)):
            return "constant in both sessions"
        return ""

    def _keys(self, signal: str, rule: Rule) -> tuple[str, ...]:
        """Return the signals that make operating points for a signal, never the signal itself."""
        both = [name for name in LOADS if self.reference.has(name) and self.session.has(name)]
        load = next((name for name in load_candidates(rule) if name in both and name != signal), None)
        keys = ["rpm"] if signal != "rpm" else []
        keys += [load] if load else []
        speed = self.reference.speed
        return tuple(keys + ([speed] if speed and speed == self.session.speed else []))


def _by_state(whole: Matched, keys: int) -> list[tuple[StateName, Matched]]:
    """Return the parts of a match that lie in one operating state and carry enough blocks."""
    parts: list[tuple[StateName, Matched]] = []
    for code in np.unique(state_of(whole.reference.points, keys)):
        first = whole.reference.where(state_of(whole.reference.points, keys) == code)
        second = whole.session.where(state_of(whole.session.points, keys) == code)
        part = Matched(first, second, whole.overlap)
        if not _too_little(part):
            parts.append((STATE_NAMES[code], part))
    return parts


def _too_little(matched: Matched) -> str:
    """Say what a match lacks, or nothing."""
    if matched.overlap < LEAST_OVERLAP or not len(matched.reference):
        percent, needed = 100 * matched.overlap, 100 * LEAST_OVERLAP
        return f"only {percent:.0f} % of the time lies at operating points both visited; {needed:.0f} % are needed"
    blocks = min(matched.reference.block_count, matched.session.block_count)
    if blocks < FEWEST_BLOCKS:
        return f"only {blocks} blocks of 60 s hold matched time; {FEWEST_BLOCKS} are needed"
    return ""


def wanted_signals(drives: list[Drive], signals: list[str] | None) -> list[str]:
    """Return the signals to compare: those asked for, else all with an engineering minimum that any drive has."""
    if signals is not None:
        return list(dict.fromkeys(signals))
    return [
        name for name, rule in RULES.items() if not rule.asked and any(name in d.timeline for d in drives)
    ]


def compared(
    pair: Pair, signals: list[str], found: list[Confounder], level: float
) -> tuple[list[SignalDifference], list[SignalDifference], list[NotCompared]]:
    """Return the rows per signal, the rows per signal and state, and what could not be compared."""
    rows: list[Row] = []
    lost: list[NotCompared] = []
    for signal in signals:
        outcome = pair.rows(signal)
        if isinstance(outcome, str):
            lost.append(NotCompared(signal=signal, session=pair.session.name, reason=outcome))
        else:
            rows += outcome
    whole = [row for row in rows if row.state is None]
    parts = [row for row in rows if row.state is not None]
    return _judged(pair, whole, found, level), _judged(pair, parts, found, level), lost


def _judged(pair: Pair, rows: list[Row], found: list[Confounder], level: float) -> list[SignalDifference]:
    if not rows:
        return []
    adjusted = benjamini_hochberg(np.array([row.effect.p_value for row in rows]))
    return [_stated(pair, row, float(p), found, level) for row, p in zip(rows, adjusted, strict=True)]


def _stated(
    pair: Pair, row: Row, p_adjusted: float, found: list[Confounder], level: float
) -> SignalDifference:
    from scipy.special import stdtrit

    effect_, matched = row.effect, row.matched
    quantile = float(stdtrit(max(effect_.freedom, 1.0), 0.5 + level / 2))
    half, delta_half = quantile * effect_.shift_error, quantile * effect_.delta_error
    verdict, reason = _verdict(row, half, p_adjusted, level)
    others = explained_by(row.signal, found)
    if verdict == "different" and others:
        reason += f"; may be explained by: {', '.join(others)}"
    method = (
        "Hodges-Lehmann shift of 60 s block means at shared operating points; interval by block jackknife"
    )
    return SignalDifference(
        signal=row.signal,
        unit=row.unit,
        session=pair.session.name,
        state=row.state,
        verdict=verdict,
        reason=reason,
        difference=derived(
            effect_.shift,
            row.unit,
            method,
            low=effect_.shift - half,
            high=effect_.shift + half,
            samples=len(matched.session),
        ),
        cliffs_delta=derived(
            effect_.delta,
            "ratio",
            "share of matched pairs in which the session reads higher, less those in which it reads lower",
            low=max(-1.0, effect_.delta - delta_half),
            high=min(1.0, effect_.delta + delta_half),
            samples=len(matched.session),
        ),
        minimum_effect=row.minimum,
        minimum_source=row.rule.source,
        p_value=effect_.p_value,
        p_adjusted=p_adjusted,
        matched_on=["operating state", *row.keys],
        overlap_percent=100 * matched.overlap,
        points=matched.points,
        seconds=float(matched.session.seconds.sum()),
        reference_seconds=float(matched.reference.seconds.sum()),
        blocks=matched.session.block_count,
        reference_blocks=matched.reference.block_count,
    )


def _verdict(row: Row, half: float, p_adjusted: float, level: float) -> tuple[DifferenceVerdict, str]:
    """Judge: different only if significant, beyond zero by its interval, and large enough to matter."""
    shift, least = row.effect.shift, row.minimum
    size = f"{shift:+.3g} {row.unit} (±{half:.2g}), {least:.3g} would matter"
    beyond = abs(shift) > half
    if p_adjusted < 1 - level and beyond and abs(shift) >= least:
        return "different", f"{size}; p = {p_adjusted:.3f} after adjustment"
    if max(abs(shift - half), abs(shift + half)) < least:
        return "no relevant difference", f"{size}: the whole interval is smaller"
    if abs(shift) < least and half < inf and half <= 2 * least:
        return "no relevant difference", f"{size}: smaller, though the interval does not exclude more"
    return "cannot tell", f"{size}; p = {p_adjusted:.3f} after adjustment"
