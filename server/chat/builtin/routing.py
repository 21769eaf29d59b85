"""Decides what a question means, or that it is not clear; never guesses."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from server.chat.builtin.intents import INTENTS, Intent
from server.chat.builtin.reading import Reading, read, telling_words

Reason = Literal["help", "unclear", "writes", "not offered"]
UNDERSTOOD = 0.6


@dataclass(frozen=True, slots=True)
class Route:
    """What a question means: an intent with its tool, or the reason why none was chosen."""

    reading: Reading
    intent: Intent | None = None
    tool: str | None = None
    reason: Reason | None = None


def route(text: str, offered: Collection[str]) -> Route:
    """Return what a question means, given the names of the tools that there are."""
    reading = read(text)
    refusal = _refusal(reading)
    if refusal is not None:
        return Route(reading, reason=refusal)
    intent = next((intent for intent in INTENTS if intent.meant(reading)), None)
    if intent is None or not _clear(reading, intent):
        helped = "help" in reading.concepts and not reading.unknown
        return Route(reading, reason="help" if helped else "unclear")
    tool = next((name for name in intent.tools if name in offered), None)
    return Route(reading, intent, tool, None if tool else "not offered")


def _refusal(reading: Reading) -> Reason | None:
    if "write" in reading.concepts:
        return "writes"
    if reading.concepts & {"other", "not"}:
        return "unclear"
    return None


def _clear(reading: Reading, intent: Intent) -> bool:
    """Tell whether enough of the question was understood; the words of a search need not be."""
    if intent.takes_words:
        return bool(search_words(reading))
    return reading.understood >= (1.0 if intent.needs_all else UNDERSTOOD)


_FRAME = {"manual", "web", "search", "list", "codes", "signals", "help"}


def search_words(reading: Reading) -> str:
    """Return what a question asks to search for: its words without those that only ask."""
    return " ".join(telling_words(reading.text, _FRAME))
