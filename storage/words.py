"""Words of a text, as the index of manuals has them: one spelling for one word, in English and German."""

import re
import unicodedata
from collections import Counter
from difflib import get_close_matches

LONGEST = 40
_WORD = re.compile(r"[^\W_]{2,}|\d")
_LOOSE_ENDS = ("en", "es", "e", "n", "s")


def words_of(text: str) -> Counter[str]:
    """Return how often each word stands in a text."""
    return Counter(stem(word) for word in _WORD.findall(_folded(text)))


def _folded(text: str) -> str:
    spelled = text.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    # Without the joined hyphen at a line's end a word would be two halves that nobody looks for.
    joined = re.sub(r"[-\u00ad]\n\s*", "", spelled)
    return unicodedata.normalize("NFKC", joined)


def stem_of(word: str) -> str:
    """Return a word as the index has it, as it stands in a text."""
    return stem(_folded(word))


def stem(word: str) -> str:
    """Return a word without its ending: sensors and sensor, Schrauben and Schraube are found as one."""
    if len(word) > 4 and word.isalpha():
        for ending in _LOOSE_ENDS:
            if word.endswith(ending) and len(word) - len(ending) >= 4:
                return word[: -len(ending)][:LONGEST]
    return word[:LONGEST]


def nearest(word: str, known: list[str]) -> str | None:
    """Return the known word that a mistyped one most likely means, or None."""
    if len(word) < 4 or not word.isalpha():
        return None
    near = get_close_matches(word, known, n=1, cutoff=0.8)
    return near[0] if near else None
