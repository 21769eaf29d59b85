"""Decides which intent a question has; where it is not clear, which are near. Never guesses."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from server.chat.builtin.intents import INTENTS, Intent
from server.chat.builtin.reading import TECHNICAL, Reading, telling_words

Reason = Literal["help", "unclear", "near", "several", "long", "writes", "invents", "not offered"]
UNDERSTOOD = 0.6


def intent_of(reading: Reading) -> Intent | None:
    """Return what is asked for; None where nothing is, several things are, or too little is understood."""
    meant = [intent for intent in INTENTS if intent.meant(reading)]
    if not meant or not _clear(reading, meant[0]) or rivals(reading, meant):
        return None
    return meant[0]


def rivals(reading: Reading, meant: Sequence[Intent]) -> list[Intent]:
    """Return the intents that rest on words of the trade which the first one leaves unexplained."""
    if meant[0].takes_words:
        return []
    # A named code explains the word beside it.
    explained = _grounds(reading, meant[0]) | {"adapter", *(["codes"] if reading.codes else [])}
    return [
        intent
        for intent in meant[1:]
        if (own := _grounds(reading, intent)) & TECHNICAL and not own & explained
    ]


def _grounds(reading: Reading, intent: Intent) -> set[str]:
    """Return the concepts without which an intent would not be meant."""
    return {one for one in reading.concepts if not intent.meant(_but(reading, reading.concepts - {one}))}


def _but(reading: Reading, concepts: set[str]) -> Reading:
    return replace(reading, concepts=concepts)


_ONE_THING_MORE = (
    "plot",
    "statistic",
    "live",
    "why",
    "last",
    "bad",
    "list",
    "check",
    "diagnose",
    "session",
    "car",
)


def near(reading: Reading) -> list[Intent]:
    """Return what could be meant if the question said one thing more, and is not meant by that thing alone."""
    found = [
        intent
        for intent in INTENTS
        for more in _ONE_THING_MORE
        if intent.meant(_but(reading, reading.concepts | {more}))
        and not intent.meant(_but(Reading(""), {more}))
    ]
    return list(dict.fromkeys(found))


def refusal(reading: Reading) -> Reason | None:
    """Return why a question is not answered, whatever it asks for: it orders, wants a value invented, or says not."""
    if "write" in reading.concepts or _ordered(reading.order):
        return "writes"
    if "invent" in reading.concepts:
        return "invents"
    looked_up = reading.codes or reading.concepts & {"manual", "research", "web"}
    # "Never gets warm, why?" tells a symptom; any other "not" may turn the question round.
    turned = "not" in reading.concepts and not reading.concepts & {"why", "symptom"}
    if turned or "other" in reading.concepts or ("service" in reading.concepts and not looked_up):
        return "unclear"
    return None


def _ordered(order: Sequence[str]) -> bool:
    """Tell whether a writing verb is an order: a question word before it makes it a question."""
    return "order" in order and "question" not in order[: order.index("order")]


def _clear(reading: Reading, intent: Intent) -> bool:
    """Tell whether enough of the question was understood; the words of a search need not be."""
    if intent.takes_words:
        return bool(search_words(reading))
    if intent.beside is not None and reading.concepts - intent.beside - _grounds(reading, intent):
        return False
    return reading.understood >= (UNDERSTOOD + 0.1 if intent.needs_all else UNDERSTOOD)


_FRAME = {"manual", "web", "search", "list", "codes", "signals", "help", "question"}


def search_words(reading: Reading) -> str:
    """Return what a question asks to search for: its words without those that only ask."""
    return " ".join(telling_words(reading.text, _FRAME))
