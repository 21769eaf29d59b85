"""What was found out about a car or a code, with its sources."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import String, cast, insert, or_, select

from storage.checks import plain_json
from storage.database import Database
from storage.ids import new_id
from storage.paging import page
from storage.records import Page, Research
from storage.text_tables import research


class ResearchNotes:
    """All findings of research; they are added and read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        title: str,
        text: str,
        sources: Sequence[str],
        *,
        tags: Sequence[str] = (),
        vehicle_id: str | None = None,
        trouble_code: str | None = None,
    ) -> Research:
        """Keep a finding."""
        row: dict[str, Any] = {"id": new_id("res"), "title": title, "text": text}
        row |= {"sources": plain_json("sources", list(sources)), "tags": plain_json("tags", list(tags))}
        row |= {"vehicle_id": vehicle_id, "trouble_code": trouble_code, "created_at": datetime.now(UTC)}
        with self._database.writing() as connection:
            connection.execute(insert(research).values(row))
        return Research(**row)

    def list(
        self,
        *,
        text: str | None = None,
        tag: str | None = None,
        vehicle_id: str | None = None,
        trouble_code: str | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> Page[Research]:
        """Return findings, latest first; `text` is looked for in title and text, `tag` is a whole tag."""
        c = research.c
        chosen = select(research)
        if text:
            chosen = chosen.where(
                or_(*(column.icontains(text, autoescape=True) for column in (c.title, c.text)))
            )
        if tag:
            # JSON text has each tag in quotes: matches whole tags, the same way on both databases.
            chosen = chosen.where(cast(c.tags, String).contains(json.dumps(tag), autoescape=True))
        for name, value in {"vehicle_id": vehicle_id, "trouble_code": trouble_code}.items():
            if value is not None:
                chosen = chosen.where(c[name] == value)
        window = (limit, offset)
        return page(self._database, chosen, c.created_at.desc(), window, lambda row: Research(**row._mapping))
