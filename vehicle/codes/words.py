"""Turns titles and questions into the same words: synonyms, abbreviations, plain stems."""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from vehicle.codes.tables import rows

_PLAIN = re.compile(r"[a-z0-9]+")
_NUMBERED = re.compile(
    r"\b(cylinder|cyl|bank|sensor|bus|cell|unit|circuit|group|solenoid|clutch)s? *[#\"']?(\d+|[a-f])\b"
)
_NOISE = {"a", "an", "and", "at", "by", "code", "codes", "detected", "for", "fault", "from", "in", "is"}
_NOISE |= {"malfunction", "my", "of", "on", "or", "problem", "the", "to", "with"}
_ENDINGS = (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""))


def title_words(title: str) -> list[str]:
    """Return the words a title is found by: its own, and what its phrases stand for."""
    low = title.lower()
    stood_for = [word for phrase in _any_phrase().finditer(low) for word in _meaning(phrase)]
    return list(dict.fromkeys([*stood_for, *_separate(low)]))


def text_words(text: str) -> list[str]:
    """Return the words of a longer text, each once.

    A numbered part becomes one word (bank_1), so that bank 1 sensor 2 is not bank 2 sensor 1.
    """
    return list(dict.fromkeys(_separate(text.lower())))


def asked_words(text: str) -> list[str]:
    """Return the words a question asks for; a phrase is replaced by what it stands for."""
    rest = _any_phrase().sub(lambda phrase: f" {' '.join(_meaning(phrase))} ", text.lower())
    return list(dict.fromkeys(_separate(rest)))


def same_word(word: str) -> str:
    """Return the word the index uses for a word: its synonym, or its stem."""
    known = synonyms()
    if word in known:
        return known[word]
    for ending, instead in _ENDINGS:
        if len(word) - len(ending) >= 4 and word.endswith(ending) and not word.endswith("ss"):
            stem = word.removesuffix(ending) + instead
            return known.get(stem, stem.removesuffix("e") if len(stem) > 4 else stem)
    return word.removesuffix("e") if len(word) > 4 else word


@cache
def synonyms() -> Mapping[str, str]:
    """Return the word each synonym stands for."""
    return {word: same for same, group in rows("synonyms.csv") for word in group.split("|")}


def nearest(word: str, vocabulary: Iterable[str]) -> str | None:
    """Return the word of a short list that differs least: one slip, or two from seven letters on."""
    allowed = 1 if len(word) < 7 else 2
    ranked = sorted((slips(word, other), other) for other in vocabulary)
    return ranked[0][1] if ranked and ranked[0][0] <= allowed else None


def slips(one: str, other: str) -> int:
    """Count the letters added, lost, changed or exchanged with their neighbour between two words."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        previous, row = row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (char != wanted))
            if before and j > 1 and char == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = previous
    return row[-1]


def _separate(low: str) -> list[str]:
    numbered = [f"{_stem(part)}_{number}" for part, number in _NUMBERED.findall(low)]
    rest = _NUMBERED.sub(r"\1", low) if numbered else low
    return numbered + [_stem(word) for word in _PLAIN.findall(rest) if word not in _NOISE]


# Titles repeat a few thousand words; questions are few.
_stem = cache(same_word)


def _meaning(phrase: re.Match[str]) -> list[str]:
    return _phrases()[(phrase.lastindex or 1) - 1]


@cache
def _phrases() -> list[list[str]]:
    return [meaning.split() for meaning, _ in rows("phrases.csv")]


@cache
def _any_phrase() -> re.Pattern[str]:
    return re.compile("|".join(f"({pattern})" for _, pattern in rows("phrases.csv")))
