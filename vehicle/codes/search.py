"""Finds trouble codes by text: ranked, forgiving about spelling, with totals."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from vehicle.codes import catalogue as texts
from vehicle.codes.catalogue import Entry, catalogue
from vehicle.codes.errors import BadSearchError
from vehicle.codes.models import CodeHit, CodePage
from vehicle.codes.rules import severity_of
from vehicle.codes.structure import SYSTEMS, assigner
from vehicle.codes.words import asked_words, nearest, same_word, synonyms, text_words, title_words

LARGEST_PAGE = 100

_CODE_START = re.compile(r"(?P<start>[PCBU][0-3][0-9A-F]{0,3})[X*?]*")
_IN_TITLE, _IN_DESCRIPTION = 3.0, 1.0
_OLDER = 1.3


@dataclass(frozen=True, slots=True)
class _Index:
    """Which codes hold a word, and how much each mention weighs."""

    mentions: Mapping[str, Mapping[str, float]]
    pairs: Mapping[str, set[str]]
    lengths: Mapping[str, int]


@dataclass(slots=True)
class _Question:
    """The words asked for, as the index has them, with what was corrected or left out."""

    terms: dict[str, list[str]] = field(default_factory=dict)
    corrected: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


def search_codes(text: str, limit: int = 10, offset: int = 0, *, system: str | None = None) -> CodePage:
    """Find codes whose title or description holds the words asked for, best first.

    The start of a code (P03, P030x) lists the codes that begin so. `system` keeps one of powertrain, chassis,
    body, network. Manufacturer codes are not in the list. Raises BadSearchError for an empty text, a page
    size outside 1 to 100 or an unknown system.
    """
    _check(text, limit, offset, system)
    start = _CODE_START.fullmatch(text.strip().upper())
    question = _Question() if start else _understand(text)
    ranked = _by_start(start["start"]) if start else _ranked(question)
    ranked = [(code, score, matched) for code, score, matched in ranked if _fits(code, system)]
    page = ranked[offset : offset + limit]
    following = offset + limit
    return CodePage(
        text=text,
        hits=[_hit(code, score, matched) for code, score, matched in page],
        total=len(ranked),
        limit=limit,
        offset=offset,
        next_offset=following if following < len(ranked) else None,
        corrected=question.corrected,
        ignored=question.ignored,
        source=texts.SOURCE,
        licence=texts.LICENCE,
        notes=_notes(start["start"] if start else None, question, ranked),
    )


def _check(text: str, limit: int, offset: int, system: str | None) -> None:
    if not text.strip():
        raise BadSearchError(
            "the search text is empty", "Ask for words of the fault, or the start of a code."
        )
    if not 1 <= limit <= LARGEST_PAGE or offset < 0:
        raise BadSearchError(
            f"limit {limit} and offset {offset} give no page",
            f"limit is 1 to {LARGEST_PAGE}, offset 0 or more.",
        )
    if system is not None and system not in SYSTEMS.values():
        raise BadSearchError(f"there is no system {system!r}", f"Allowed: {', '.join(SYSTEMS.values())}.")


def _fits(code: str, system: str | None) -> bool:
    return system is None or SYSTEMS[code[0]] == system


def _by_start(start: str) -> list[tuple[str, float, list[str]]]:
    return [(code, 1.0, [start]) for code in sorted(catalogue()) if code.startswith(start)]


def _understand(text: str) -> _Question:
    index, question = _index(), _Question()
    for word in asked_words(text):
        if alternatives := [known for known in (word, f"cylinder_{word}") if known in index.mentions]:
            question.terms[word] = alternatives
        elif longer := _longer(word):
            question.terms[word] = longer
        elif found := nearest(word, _similar(word)):
            question.terms[found] = [same_word(found)]
            question.corrected[word] = found
        else:
            question.ignored.append(word)
    return question


def _longer(word: str) -> list[str]:
    return [known for known in _index().mentions if known.startswith(word)] if len(word) >= 4 else []


def _similar(word: str) -> list[str]:
    shared = Counter(known for pair in _pairs(word) for known in _index().pairs.get(pair, ()))
    return [known for known, _ in shared.most_common(40)]


def _pairs(word: str) -> set[str]:
    edged = f"^{word}$"
    return {edged[i : i + 2] for i in range(len(edged) - 1)}


def _ranked(question: _Question) -> list[tuple[str, float, list[str]]]:
    """Rank every code that holds all the words, or as many as any code does, or weighs as much as the best."""
    scores: dict[str, float] = defaultdict(float)
    matched: dict[str, list[str]] = defaultdict(list)
    for term, alternatives in question.terms.items():
        for code, weight in _best_mentions(alternatives).items():
            scores[code] += weight
            matched[code].append(term)
    ranked = sorted(
        ((code, _settled(code, score), matched[code]) for code, score in scores.items()), key=_order
    )
    most = max(map(len, matched.values()), default=0)
    best = max((score for _, score, terms in ranked if len(terms) == most), default=0.0)
    return [hit for hit in ranked if len(hit[2]) == most or hit[1] >= best]


def _order(hit: tuple[str, float, list[str]]) -> tuple[float, str]:
    return -hit[1], hit[0]


def _settled(code: str, score: float) -> float:
    """Favour short titles, and codes of the older list: those are on more vehicles."""
    entry = catalogue()[code]
    older = entry.check == "agrees" or entry.corrected
    return round(score * (_OLDER if older else 1.0) / (1 + 0.05 * _index().lengths[code]), 3)


def _best_mentions(alternatives: list[str]) -> dict[str, float]:
    index, best = _index(), dict[str, float]()
    for word in alternatives:
        mentions = index.mentions[word]
        rarity = math.log(1 + len(index.lengths) / len(mentions))
        for code, weight in mentions.items():
            best[code] = max(best.get(code, 0.0), weight * rarity)
    return best


def _hit(code: str, score: float, matched: list[str]) -> CodeHit:
    entry = catalogue()[code]
    return CodeHit(
        code=code,
        title=entry.title,
        provenance=assigner(code)[0],
        check=entry.check,
        system=SYSTEMS[code[0]],
        severity=severity_of(code, entry.title),
        score=score,
        matched=matched,
    )


def _notes(start: str | None, question: _Question, ranked: list[tuple[str, float, list[str]]]) -> list[str]:
    if start is not None and not ranked:
        return [f"no code in the list begins with {start}; codes of manufacturers are not in it"]
    most = max((len(terms) for _, _, terms in ranked), default=0)
    if ranked and most < len(question.terms):
        return [f"no code has all the words; these have at most {most} of {len(question.terms)}"]
    return []


@cache
def _index() -> _Index:
    mentions: dict[str, dict[str, float]] = defaultdict(dict)
    lengths = {}
    for code, entry in catalogue().items():
        weighed = _weighed(entry)
        lengths[code] = sum(weight == _IN_TITLE for weight in weighed.values())
        for word, weight in weighed.items():
            mentions[word][code] = weight
    pairs = defaultdict(set)
    for word in {*mentions, *(w for w, same in synonyms().items() if same in mentions)}:
        for pair in _pairs(word):
            pairs[pair].add(word)
    return _Index(mentions, pairs, lengths)


def _weighed(entry: Entry) -> dict[str, float]:
    described = dict.fromkeys(text_words(entry.description), _IN_DESCRIPTION)
    return described | dict.fromkeys(title_words(entry.title), _IN_TITLE)
