"""The words that the built-in responder knows: vocabulary.toml, and the names in the signal table."""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files

from server.chat.builtin.spelling import stem
from vehicle.signals import SIGNALS

_FILE = tomllib.loads((files(__package__) / "vocabulary.toml").read_text(encoding="utf-8"))
Meaning = tuple[str, str]


def _phrases() -> Iterator[tuple[tuple[str, ...], Meaning]]:
    for kind, mark in (("concepts", ""), ("signals", "=")):
        for name, texts in _FILE[kind].items():
            for language, text in texts.items():
                for phrase in text.split(","):
                    yield tuple(phrase.split()), (mark + name, language)


def _table_names() -> Iterator[tuple[tuple[str, ...], Meaning]]:
    """Yield the names of the signal table as people say them; single words such as `status` mean too much."""
    for name in SIGNALS:
        words = tuple(name.split("_"))
        if len(words) > 1 and name != "fuel_type":
            yield words, (f"={name}", "en")


def _written() -> tuple[dict[tuple[str, ...], Meaning], dict[str, str]]:
    """Return the phrases of the file, and what those of two languages mean in German where that is something else.

    A word that means the same in both languages tells neither.
    """
    written: dict[tuple[str, ...], Meaning] = {}
    in_german: dict[str, str] = {}
    for phrase, (what, language) in _phrases():
        known, first_language = written.setdefault(phrase, (what, language))
        if language != first_language:
            written[phrase] = (known, "")
        if what != known:
            in_german[" ".join(phrase)] = what
    return written, in_german


_WRITTEN, IN_GERMAN = _written()

PHRASES: Mapping[tuple[str, ...], Meaning] = {**dict(_table_names()), **_WRITTEN}
"""What a phrase stands for (a concept, or `=rpm` for a signal), and its language."""

FILLERS: Mapping[str, str] = {
    word: language for language, text in _FILE["fillers"].items() for word in text.split()
}
"""Words that say nothing about what is wanted, and their language."""

LONGEST_PHRASE = max(len(phrase) for phrase in PHRASES)
TELLING = frozenset(phrase[0] for phrase in _WRITTEN if len(phrase) == 1)
WORDS = frozenset(word for phrase in _WRITTEN for word in phrase) | frozenset(FILLERS)
FROM_TABLE = frozenset(word for phrase in PHRASES for word in phrase)
STEMS: Mapping[str, str] = {stem(word): word for words in (FILLERS, WORDS, TELLING) for word in sorted(words)}
"""A known word for each stem; a telling word before one that only stands beside others."""
