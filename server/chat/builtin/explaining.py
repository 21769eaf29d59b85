"""Answers “why is this value climbing?”: does it climb, what speaks for which cause, what to test next."""

from typing import Any

from server.chat.builtin.phrases import Phrases
from server.chat.builtin.reading import Reading
from server.chat.desk import Outcome

PARTS = ["trends", "statistics"]
Row = dict[str, Any]
_STATES = {
    **dict.fromkeys(("idle", "at idle", "leerlauf", "im leerlauf"), "warm idle"),
    **dict.fromkeys(("cruise", "cruising"), "steady cruise"),
    **dict.fromkeys(("cold start", "kaltstart"), "cold start"),
    **dict.fromkeys(("full throttle", "wot", "vollgas", "volllast"), "full load"),
    **dict.fromkeys(("acceleration", "accelerating", "beschleunigung"), "acceleration"),
}
"""Operating states of the analysis by the words for them."""


def explain(
    signals: list[str], analysis: Outcome, advice: Outcome, history: Outcome | None, phrases: Phrases
) -> str:
    """Say of each signal what was measured and whether it changes, then the ranked causes and the next test."""
    if analysis.error is not None:
        return phrases.body(analysis)
    lines = [line for signal in signals for line in _told(signal, analysis.structured, phrases)]
    if history is not None and history.error is None:
        lines += [line for signal in signals for line in _drifts(signal, history.structured, phrases)]
    return "\n".join([*lines, "", phrases.body(advice)])


def _told(signal: str, analysis: Row, phrases: Phrases) -> list[str]:
    rows = [row for row in analysis["statistics"] if row["signal"] == signal]
    if not rows:
        return [phrases.absent_signal(signal, [row["signal"] for row in analysis["statistics"]])]
    level = phrases.level(signal, rows[0])
    trends = [row for row in analysis["trends"]["signals"] if row["signal"] == signal]
    if not trends:
        reason = analysis["trends"]["refused"].get(signal, "")
        return [level, phrases.say("trend unknown", signal=signal, reason=reason)]
    return [level, phrases.trend(signal, trends[0])]


def _drifts(signal: str, history: Row, phrases: Phrases) -> list[str]:
    """Say how a signal moved from session to session, in each operating state where that can be told."""
    rows = [row for row in history["drifts"] if row["signal"] == signal]
    told = [phrases.drift(row) for row in rows if row["slope"]["value"] is not None]
    return told or [phrases.say("drift unknown", signal=signal, sessions=len(history["sessions"]))]


def in_states(signals: list[str], states: set[str], analysis: Outcome, phrases: Phrases) -> str:
    """Say the numbers of signals in the operating states that were asked for."""
    if analysis.error is not None:
        return phrases.body(analysis)
    rows = [row for row in analysis.structured["statistics"] if row["signal"] in signals]
    lines = [
        phrases.level(f"{row['signal']} ({part['state']})", {**row, **part})
        for row in rows
        for part in row["states"]
        if part["state"] in states
    ]
    missing = [signal for signal in signals if signal not in {row["signal"] for row in rows}]
    have = [row["signal"] for row in analysis.structured["statistics"]]
    lines += [phrases.absent_signal(signal, have) for signal in missing]
    return "\n".join(lines) or phrases.say("no such state", states=", ".join(sorted(states)))


def states_of(reading: Reading) -> set[str]:
    """Return the operating states of the analysis that a question names."""
    return {_STATES[word] for word in reading.worded.get("state", []) if word in _STATES}
