"""Some rows of a longer list, and how many the whole list has."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Row, Select, UnaryExpression, func, select

from storage.database import Database
from storage.errors import InvalidDataError
from storage.records import Page

Built = TypeVar("Built")


def page(
    database: Database,
    chosen: Select[Any],
    latest_first: UnaryExpression[Any],
    window: tuple[int, int],
    build: Callable[[Row[Any]], Built],
) -> Page[Built]:
    """Return the rows of a `window` (limit, offset) of a selection that has an id column."""
    limit, offset = window
    if limit < 0 or offset < 0:
        raise InvalidDataError(
            f"limit {limit}, offset {offset}: neither may be negative.", "Start at offset 0."
        )
    ordered = chosen.order_by(latest_first, chosen.selected_columns.id).limit(limit).offset(offset)
    with database.reading() as connection:
        total = connection.execute(select(func.count()).select_from(chosen.subquery())).scalar_one()
        return Page([build(row) for row in connection.execute(ordered)], total)
