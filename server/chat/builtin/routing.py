"""Decides what a question means, or that it is not clear; never guesses."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from server.chat.builtin.following import follow, with_codes_in_question
from server.chat.builtin.intents import INTENTS, Intent
from server.chat.builtin.reading import TECHNICAL, Reading, read, telling_words

Reason = Literal["help", "unclear", "near", "several", "long", "writes", "invents", "not offered"]
UNDERSTOOD = 0.6
MOST_PARTS = 3
LONGEST_QUESTION = 1_000
MOST_BEFORE = 3
_JOINTS = re.compile(r"[?!;](?:\s+|$)|\s*,?\s+\b(?:and then|then|and|und dann|dann|und)\b\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Route:
    """What a question means: an intent with its tool, or the reason why none was chosen and what it could mean."""

    reading: Reading
    intent: Intent | None = None
    tool: str | None = None
    reason: Reason | None = None
    choices: Sequence[Intent] = ()


def routes(text: str, offered: Collection[str], before: Sequence[str] = ()) -> list[Route]:
    """Return what each part of a question means where every part asks for something of its own, else the whole."""
    whole = route(text, offered, before)
    texts = [part for part in _JOINTS.split(text) if part.strip()]
    if whole.reason in ("help", "long", "writes", "invents") or not 1 < len(texts) <= MOST_PARTS:
        return [whole]
    parts = [route(part, offered) for part in texts]
    own = {part.tool for part in parts if part.intent is not None and not part.intent.needs_all}
    return parts if None not in own and len(own) == len(parts) else [whole]


def route(text: str, offered: Collection[str], before: Sequence[str] = ()) -> Route:
    """Return what a question means, given the names of the tools that there are and the questions before it."""
    if len(text) > LONGEST_QUESTION:
        return Route(Reading(text), reason="long")
    reading = read(text)
    refusal = _refusal(reading)
    if refusal is not None:
        return Route(reading, reason=refusal)
    intent = intent_of(reading)
    for number in range(len(before), max(0, len(before) - MOST_BEFORE), -1):
        earlier = route(before[number - 1], offered, before[max(0, number - 2) : number - 1])
        if earlier.intent is not None:
            reading, intent = _after(reading, intent, earlier.reading, earlier.intent)
            break
    if intent is None:
        return _undecided(reading)
    tool = next((name for name in intent.tools if name in offered), None)
    return Route(reading, intent, tool, None if tool else "not offered")


def _after(
    reading: Reading, intent: Intent | None, earlier: Reading, asked: Intent
) -> tuple[Reading, Intent | None]:
    """Return the question as it is meant after the last one that was understood."""
    followed = follow(reading, intent, earlier, asked)
    if followed is not None:
        return followed, asked
    about = with_codes_in_question(reading, earlier)
    return about, intent_of(about)


def _undecided(reading: Reading) -> Route:
    if "help" in reading.concepts and not reading.unknown:
        return Route(reading, reason="help")
    meant = [intent for intent in INTENTS if intent.meant(reading)]
    if meant and (others := rivals(reading, meant)):
        return Route(reading, reason="several", choices=[meant[0], *others])
    close = near(reading)
    return Route(reading, reason="near" if close else "unclear", choices=close)


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
    "how much",
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


def _refusal(reading: Reading) -> Reason | None:
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
