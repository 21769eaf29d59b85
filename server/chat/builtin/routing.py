"""Finds what a question means, part by part and after the questions before it, or that it is not clear."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from server.chat.builtin.deciding import Reason, intent_of, near, refusal, rivals
from server.chat.builtin.following import follow, with_codes_in_question
from server.chat.builtin.intents import INTENTS, Intent
from server.chat.builtin.reading import Reading, read

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
    refused = refusal(reading)
    if refused is not None:
        return Route(reading, reason=refused)
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
