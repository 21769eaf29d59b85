"""Brings a typed word to the words that are known: endings, joined German words, typos."""

from collections.abc import Collection

from vehicle.codes.words import slips

_ENDINGS = ("ings", "ing", "ed", "en", "er", "es", "em", "e", "s", "n")
_LINKS = ("", "s", "n", "es", "en")
_SHORTEST_HALF = 4


def stem(word: str) -> str:
    """Return a word without its ending, so that drifting, drifts and drift are one; four letters stay."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def halves(word: str, known: Collection[str]) -> list[str]:
    """Return the two known words that a word is joined of, as in Zustandsbericht; none where it is not."""
    for place in range(len(word) - _SHORTEST_HALF, _SHORTEST_HALF - 1, -1):
        end = word[place:]
        for link in _LINKS:
            begin = word[:place].removesuffix(link)
            if len(begin) >= _SHORTEST_HALF and begin + link + end == word and {begin, end} <= set(known):
                return [begin, end]
    return []


def nearest(word: str, known: Collection[str]) -> str | None:
    """Return the known word that differs by a typo, two in a long word, only swapped letters in a short one.

    Two that are equally near and no forms of one word are none: the word is not guessed.
    """
    if not word.isalpha() or len(word) < 4:
        return None
    allowed = 1 if len(word) < 8 else 2
    near = [
        (distance, one)
        for one in known
        if _begins_like(word, one) and abs(len(one) - len(word)) <= allowed
        if (distance := slips(word, one)) <= allowed
    ]
    best = [one for distance, one in sorted(near) if distance == min(near)[0]]
    return best[0] if best and len({stem(one) for one in best}) == 1 else None


def _begins_like(word: str, known: str) -> bool:
    if len(word) < 5:
        return sorted(word) == sorted(known)
    return len(known) >= 4 and (known[0] == word[0] or known[:2] == word[1::-1])
