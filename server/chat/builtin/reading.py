"""Reads a question: ids, codes and VINs by their form, words by the vocabulary, typos by the nearest word."""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from server.chat.builtin.vocabulary import FILLERS, LONGEST_PHRASE, PHRASES, WORDS

_FORMS = {
    "session_ids": re.compile(r"\bses_[0-9a-z]{10}\b"),
    "vehicle_ids": re.compile(r"\bveh_[0-9a-z]{10}\b"),
    "adapters": re.compile(r"(?:\b(?:sim|socket|ble|can|replay):\S+|/dev/\w+|\bcom\d+\b)", re.IGNORECASE),
    "vins": re.compile(r"\b(?=\w*\d)[a-hj-npr-z0-9]{17}\b", re.IGNORECASE),
    "codes": re.compile(r"\b[pcbu][0-3][0-9a-f]{3}(?:-[0-9a-f]{2})?\b", re.IGNORECASE),
}
_TOKEN = re.compile(r"[a-z0-9_]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "'": "", "\u2019": "", "₂": "2"})
_SIGNAL = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")


@dataclass(slots=True)
class Reading:
    """What was understood of a question, and which of its words were not."""

    text: str
    concepts: set[str] = field(default_factory=set)
    signals: list[str] = field(default_factory=list)
    session_ids: list[str] = field(default_factory=list)
    vehicle_ids: list[str] = field(default_factory=list)
    adapters: list[str] = field(default_factory=list)
    vins: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    known: int = 0
    unknown: list[str] = field(default_factory=list)
    corrected: dict[str, str] = field(default_factory=dict)
    languages: Counter[str] = field(default_factory=Counter)

    @property
    def german(self) -> bool:
        """Whether the question is more German than English."""
        return self.languages["de"] > self.languages["en"]

    @property
    def understood(self) -> float:
        """The share of the telling words that are known."""
        total = self.known + len(self.unknown)
        return self.known / total if total else 0.0


def read(text: str) -> Reading:
    """Read a question."""
    reading = Reading(text)
    rest = text
    for name, form in _FORMS.items():
        found = form.findall(rest)
        upper = name in ("vins", "codes")
        setattr(reading, name, list(dict.fromkeys(one.upper() if upper else one for one in found)))
        # An id, a code or a VIN says more than a word.
        reading.known += 2 * len(found)
        rest = form.sub(" ", rest)
    _read_words(reading, _TOKEN.findall(rest.casefold().translate(_UMLAUTS)))
    return reading


def _read_words(reading: Reading, words: list[str]) -> None:
    meant = [_meant(reading, word) for word in words]
    place = 0
    while place < len(meant):
        length, meaning = _longest_phrase(meant, place)
        if meaning is not None:
            _take(reading, *meaning)
        else:
            _take_other(reading, meant[place])
        place += length


def _longest_phrase(words: list[str], place: int) -> tuple[int, tuple[str, str] | None]:
    for length in range(min(LONGEST_PHRASE, len(words) - place), 0, -1):
        meaning = PHRASES.get(tuple(words[place : place + length]))
        if meaning is not None:
            return length, meaning
    return 1, None


def _take(reading: Reading, meaning: str, language: str) -> None:
    reading.known += 1
    reading.languages[language] += 1
    if meaning.startswith("="):
        if meaning[1:] not in reading.signals:
            reading.signals.append(meaning[1:])
    else:
        reading.concepts.add(meaning)


def _take_other(reading: Reading, word: str) -> None:
    if word in FILLERS:
        reading.languages[FILLERS[word]] += 1
    elif _SIGNAL.fullmatch(word):
        reading.known += 1
        reading.signals.append(word)
    elif not word.isdigit():
        reading.unknown.append(word)


def telling_words(text: str, frame: set[str]) -> list[str]:
    """Return the words of a text as written, without fillers and words of the concepts in `frame`."""
    words = [(word, word.casefold().translate(_UMLAUTS)) for word in re.findall(r"[\w.-]*\w", text)]
    return [word for word, folded in words if folded not in FILLERS and not _names(folded, frame)]


def _names(word: str, frame: set[str]) -> bool:
    meaning = PHRASES.get((word,)) or PHRASES.get((_nearest(word) or word,))
    return meaning is not None and meaning[0] in frame


def _meant(reading: Reading, word: str) -> str:
    """Return the word, or the known word that a mistyped one stands for."""
    near = _nearest(word)
    if near is None:
        return word
    reading.corrected[word] = near
    return near


@lru_cache(maxsize=1000)
def _nearest(word: str) -> str | None:
    """Return the known word that differs by a typo, two in a long word, only swapped letters in a short one."""
    if word in WORDS or not word.isalpha() or len(word) < 4:
        return None
    allowed = 1 if len(word) < 8 else 2
    near = [
        (distance, known)
        for known in WORDS
        if _begins_like(word, known) and abs(len(known) - len(word)) <= allowed
        if (distance := typos(word, known)) <= allowed
    ]
    return min(near)[1] if near else None


def _begins_like(word: str, known: str) -> bool:
    if len(word) < 5:
        return sorted(word) == sorted(known)
    return len(known) >= 4 and (known[0] == word[0] or known[:2] == word[1::-1])


def typos(word: str, other: str) -> int:
    """Return how many letters were left out, added, changed or swapped (optimal string alignment distance)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(word, 1):
        previous, row = row, [i]
        for j, b in enumerate(other, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and word[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = previous
    return row[-1]
