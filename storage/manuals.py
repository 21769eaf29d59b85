"""Manuals: pages with their text, and an index of words that answers searches with the page to open."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from math import log
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select

from storage.database import Database
from storage.errors import InvalidDataError, NotFoundError
from storage.ids import new_id
from storage.paging import page
from storage.records import Manual, ManualPage, Page, PageHit
from storage.text_tables import manual, manual_page, manual_word
from storage.words import nearest, words_of

# BM25 with the usual constants (Robertson and Zaragoza 2009): saturation, and how much long pages lose.
_K1, _B = 1.2, 0.75
_BATCH = 5_000


class Found(NamedTuple):
    """Pages that answer a search, best first, and how the question was read."""

    hits: list[PageHit]
    total: int
    corrected: dict[str, str]
    unknown: list[str]


class Manuals:
    """All manuals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, digest: str) -> Manual | None:
        """Return the manual made of the file with this digest, if it was added."""
        with self._database.reading() as connection:
            row = connection.execute(select(manual).where(manual.c.digest == digest)).first()
        return Manual(**row._mapping) if row else None

    def get(self, manual_id: str) -> Manual:
        """Return a manual; NotFoundError where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(select(manual).where(manual.c.id == manual_id)).first()
        if row is None:
            raise NotFoundError(f"There is no manual {manual_id}.", "Search all manuals to see their ids.")
        return Manual(**row._mapping)

    def list(self, *, limit: int = 50, offset: int = 0) -> Page[Manual]:
        """Return manuals, latest first."""
        window = (limit, offset)
        latest = manual.c.created_at.desc()
        return page(self._database, select(manual), latest, window, lambda row: Manual(**row._mapping))

    def add(
        self, name: str, title: str | None, digest: str, pages: int, readable: Sequence[ManualPage]
    ) -> Manual:
        """Keep the readable ones of `pages` pages, and their words in the index; InvalidDataError without any."""
        if not readable:
            raise InvalidDataError(
                f"{name} has no page with text.", "Scanned pages need text recognition first."
            )
        have = {one.page for one in readable}
        row: dict[str, Any] = {"id": new_id("man"), "name": name, "title": title, "digest": digest}
        row |= {"pages": pages, "unreadable": [n for n in range(1, pages + 1) if n not in have]}
        row["created_at"] = datetime.now(UTC)
        with self._database.writing() as connection:
            connection.execute(insert(manual).values(row))
            _add_pages(connection, row["id"], readable)
        return Manual(**row)

    def search(self, text: str, *, manual_id: str | None = None, limit: int = 5) -> Found:
        """Return the pages that hold the words of a text, best first (BM25); a mistyped word is corrected."""
        with self._database.reading() as connection:
            terms, corrected, unknown = _understand(connection, list(words_of(text)), manual_id)
            ranked = _ranked(connection, terms, manual_id)
            hits = [_hit(connection, where, score, matched) for where, score, matched in ranked[:limit]]
        return Found(hits, len(ranked), corrected, unknown)


def _add_pages(connection: Connection, manual_id: str, readable: Sequence[ManualPage]) -> None:
    index: dict[str, dict[str, int]] = defaultdict(dict)
    rows = []
    for one in readable:
        words = words_of(one.text)
        rows.append(one._asdict() | {"manual_id": manual_id, "words": words.total()})
        for word, count in words.items():
            index[word][str(one.page)] = count
    connection.execute(insert(manual_page), rows)
    entries = [{"word": word, "manual_id": manual_id, "pages": pages} for word, pages in index.items()]
    for start in range(0, len(entries), _BATCH):
        connection.execute(insert(manual_word), entries[start : start + _BATCH])


Where = tuple[str, int]
Postings = dict[str, dict[Where, int]]


def _understand(
    connection: Connection, words: Sequence[str], manual_id: str | None
) -> tuple[Postings, dict[str, str], list[str]]:
    """Return where each asked word stands, which were read as another word, and which stand nowhere."""
    found = _postings(connection, words, manual_id)
    missing = [word for word in words if word not in found]
    if not missing:
        return found, {}, []
    known = list(connection.scalars(select(manual_word.c.word).distinct()))
    meant = {word: near for word in missing if (near := nearest(word, known))}
    found |= _postings(connection, list(meant.values()), manual_id)
    return found, meant, [word for word in missing if word not in meant]


def _postings(connection: Connection, words: Sequence[str], manual_id: str | None) -> Postings:
    chosen = select(manual_word).where(manual_word.c.word.in_(words))
    if manual_id is not None:
        chosen = chosen.where(manual_word.c.manual_id == manual_id)
    found: Postings = defaultdict(dict)
    for row in connection.execute(chosen):
        for number, count in row.pages.items():
            found[row.word][row.manual_id, int(number)] = count
    return found


def _ranked(
    connection: Connection, terms: Postings, manual_id: str | None
) -> list[tuple[Where, float, list[str]]]:
    """Score every page that holds a term by BM25 over all pages that were searched."""
    chosen = select(func.count(), func.avg(manual_page.c.words))
    if manual_id is not None:
        chosen = chosen.where(manual_page.c.manual_id == manual_id)
    pages, mean_words = connection.execute(chosen).one()
    lengths = _lengths(connection, {where for places in terms.values() for where in places})
    scores: dict[Where, float] = defaultdict(float)
    matched: dict[Where, list[str]] = defaultdict(list)
    for word, places in terms.items():
        rarity = log(1 + (pages - len(places) + 0.5) / (len(places) + 0.5))
        for where, count in places.items():
            long_page = _K1 * (1 - _B + _B * lengths[where] / float(mean_words))
            scores[where] += rarity * count * (_K1 + 1) / (count + long_page)
            matched[where].append(word)
    best = sorted(scores, key=lambda where: (-len(matched[where]), -scores[where], where))
    return [(where, scores[where], matched[where]) for where in best]


def _lengths(connection: Connection, wanted: set[Where]) -> dict[Where, int]:
    manuals = {manual_id for manual_id, _ in wanted}
    chosen = select(manual_page.c.manual_id, manual_page.c.page, manual_page.c.words)
    rows = connection.execute(chosen.where(manual_page.c.manual_id.in_(manuals)))
    return {(row.manual_id, row.page): row.words for row in rows}


def _hit(connection: Connection, where: Where, score: float, matched: Sequence[str]) -> PageHit:
    manual_id, number = where
    about = connection.execute(select(manual).where(manual.c.id == manual_id)).one()
    mine = (manual_page.c.manual_id == manual_id, manual_page.c.page == number)
    text = connection.execute(select(manual_page.c.label, manual_page.c.text).where(*mine)).one()
    return PageHit(Manual(**about._mapping), number, text.label, text.text, score, list(matched))
