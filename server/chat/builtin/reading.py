"""Reads a question: ids, codes and VINs by their form, words by the vocabulary, typos by the nearest word."""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from server.chat.builtin.places import PLACE, placed
from server.chat.builtin.spelling import halves, nearest, stem
from server.chat.builtin.vocabulary import (
    FILLERS,
    FROM_TABLE,
    IN_GERMAN,
    LONGEST_PHRASE,
    PHRASES,
    STEMS,
    TELLING,
    WORDS,
    Meaning,
)

_FORMS = {
    "session_ids": re.compile(r"\bses_[0-9a-z]{10}\b"),
    "vehicle_ids": re.compile(r"\bveh_[0-9a-z]{10}\b"),
    "adapters": re.compile(
        r"(?:\b(?:sim|socket|ble|can|doip|replay):\S+|/dev/\w+|\bcom\d+\b)", re.IGNORECASE
    ),
    "vins": re.compile(r"\b(?=\w*\d)[a-hj-npr-z0-9]{17}\b", re.IGNORECASE),
    "codes": re.compile(r"\b[pcbu][0-3][0-9a-f]{3}(?:-[0-9a-f]{2})?\b", re.IGNORECASE),
}
_SPELLED_CODE = re.compile(r"\b([pcbu])[\s-]?([0-3])[\s-]?(\d)[\s-]?(\d)[\s-]?(\d)\b", re.IGNORECASE)
_TOKEN = re.compile(r"[a-z0-9_]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "'": "", "\u2019": "", "₂": "2"})
_SIGNAL = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
# Concepts of which it matters by which word they were named.
_WORDED = {"fuel type", "state"}
# Words of the trade: who uses one speaks of a car, whatever else is said.
TECHNICAL = {
    "codes",
    "readiness",
    "fuel",
    "anomaly",
    "adapter",
    "symptom",
    "monitor tests",
    "vehicle info",
    "part",
    "plot",
}


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
    worded: dict[str, list[str]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    phrases: set[str] = field(default_factory=set)
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
    rest = _SPELLED_CODE.sub(_joined, text)
    for name, form in _FORMS.items():
        found = form.findall(rest)
        upper = name in ("vins", "codes")
        setattr(reading, name, list(dict.fromkeys(one.upper() if upper else one for one in found)))
        # An id, a code or a VIN says more than a word.
        reading.known += 2 * len(found)
        rest = form.sub(" ", rest)
    rest, place = placed(rest.casefold().translate(_UMLAUTS))
    _read_words(reading, [word for token in _TOKEN.findall(rest) for word in _apart(token)])
    if reading.german:
        _read_in_german(reading)
    reading.signals = place(reading.signals)
    return reading


def _read_in_german(reading: Reading) -> None:
    """Give words that are spelled like an English one their German meaning, as in “Last und Drehzahl”."""
    for phrase, meaning in IN_GERMAN.items():
        if phrase in reading.phrases:
            reading.concepts.discard(PHRASES[tuple(phrase.split())][0])
            reading.signals.append(meaning.removeprefix("="))


def _joined(code: re.Match[str]) -> str:
    """Return a code that was spelled with spaces or hyphens, such as P 0171, in one piece."""
    return "".join(code.groups())


def _apart(token: str) -> list[str]:
    """Return the words of a name like clear_trouble_codes; a signal's name stays whole."""
    words = token.split("_")
    orders = any(PHRASES.get((word,), ("", ""))[0] == "write" for word in words)
    return words if orders else [token]


def _read_words(reading: Reading, words: list[str]) -> None:
    meant = [known for word in words for known in _meant(reading, word)]
    place = 0
    while place < len(meant):
        length, meaning = _longest_phrase(meant, place)
        if meaning is not None:
            _take(reading, " ".join(meant[place : place + length]), meaning)
        else:
            _take_other(reading, meant[place])
        place += length


def _longest_phrase(words: list[str], place: int) -> tuple[int, Meaning | None]:
    for length in range(min(LONGEST_PHRASE, len(words) - place), 0, -1):
        meaning = PHRASES.get(tuple(words[place : place + length]))
        if meaning is not None:
            return length, meaning
    return 1, None


def _take(reading: Reading, phrase: str, meaning: Meaning) -> None:
    what, language = meaning
    reading.languages[language] += 1
    reading.order.append(what)
    reading.phrases.add(phrase)
    if what.startswith("="):
        reading.known += 2
        if what[1:] not in reading.signals:
            reading.signals.append(what[1:])
        return
    # Words that only ask tell nothing; they are noted, because an order has none before it.
    reading.known += 0 if what == "question" else 2 if what in TECHNICAL else 1
    reading.concepts.add(what)
    if what in _WORDED:
        reading.worded.setdefault(what, []).append(phrase)


def _take_other(reading: Reading, word: str) -> None:
    if word in FILLERS:
        reading.languages[FILLERS[word]] += 1
    elif _SIGNAL.fullmatch(word):
        reading.known += 1
        reading.signals.append(word)
    elif not word.isdigit() and not PLACE.fullmatch(word):
        reading.unknown.append(word)


def telling_words(text: str, frame: set[str]) -> list[str]:
    """Return the words of a text as written, without fillers and words of the concepts in `frame`."""
    words = [(word, word.casefold().translate(_UMLAUTS)) for word in re.findall(r"[\w.-]*\w", text)]
    return [word for word, folded in words if folded not in FILLERS and not _names(folded, frame)]


def _names(word: str, frame: set[str]) -> bool:
    meanings = [PHRASES.get((known,)) for known in known_words(word)]
    return any(meaning is not None and meaning[0] in frame for meaning in meanings)


def _meant(reading: Reading, word: str) -> list[str]:
    """Return the known words that a word stands for, noting a corrected typo."""
    known = known_words(word)
    if len(known) == 1 and known[0] != word and stem(known[0]) != stem(word):
        reading.corrected[word] = known[0]
    return list(known)


@lru_cache(maxsize=1000)
def known_words(word: str) -> tuple[str, ...]:
    """Return the word where it is known or unlike any, else the known word or words it stands for."""
    if word in WORDS or word in FROM_TABLE:
        return (word,)
    if (same := STEMS.get(stem(word))) is not None:
        return (same,)
    return tuple(halves(word, TELLING)) or (nearest(word, WORDS) or word,)
