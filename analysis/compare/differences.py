"""Compares one session with the reference: rows per signal and per operating state, each with its verdict."""

from dataclasses import dataclass

import numpy as np

from analysis.compare.effects import effect
from analysis.compare.limits import CONDITIONS, LOADS, RULES, Rule, load_candidates, rule_for
from analysis.compare.points import Drive, Matched, match, state_of
from analysis.compare.verdicts import Row, judged
from analysis.quality.signals import common_step
from analysis.results.compare import Confounder, NotCompared, SignalDifference
from analysis.results.states import StateName
from analysis.states import STATE_NAMES

FEWEST_BLOCKS = 4
LEAST_OVERLAP = 0.2
_SEED = 20261121
_CODES = 4096


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
    session = pair.session.name
    whole = [row for row in rows if row.state is None]
    parts = [row for row in rows if row.state is not None]
    return judged(session, whole, found, level), judged(session, parts, found, level), lost
