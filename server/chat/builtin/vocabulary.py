"""The words that the built-in responder knows, read from vocabulary.toml."""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files

_FILE = tomllib.loads((files(__package__) / "vocabulary.toml").read_text(encoding="utf-8"))


def _phrases() -> Iterator[tuple[tuple[str, ...], tuple[str, str]]]:
    for kind, mark in (("concepts", ""), ("signals", "=")):
        for name, texts in _FILE[kind].items():
            for language, text in texts.items():
                for phrase in text.split(","):
                    yield tuple(phrase.split()), (mark + name, language)


def _collect() -> dict[tuple[str, ...], tuple[str, str]]:
    """Return every phrase with its meaning and language; the first of several meanings stands."""
    known: dict[tuple[str, ...], tuple[str, str]] = {}
    for phrase, meaning in _phrases():
        known.setdefault(phrase, meaning)
    return known


PHRASES: Mapping[tuple[str, ...], tuple[str, str]] = _collect()
"""What a phrase stands for (a concept, or `=rpm` for a signal), and its language."""

FILLERS: Mapping[str, str] = {
    word: language for language, text in _FILE["fillers"].items() for word in text.split()
}
"""Words that say nothing about what is wanted, and their language."""

LONGEST_PHRASE = max(len(phrase) for phrase in PHRASES)
WORDS = frozenset(word for phrase in PHRASES for word in phrase) | frozenset(FILLERS)
