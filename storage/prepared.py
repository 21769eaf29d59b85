"""Core statements compiled once and run on the driver's own cursor, where each microsecond counts."""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import UpdateBase


class Cursor(Protocol):
    """What we use of a driver's cursor."""

    @property
    def description(self) -> Any:
        """The columns of the result, None without a result."""

    def execute(self, sql: str, values: Any, /) -> Any:
        """Run one statement."""

    def fetchone(self) -> Any:
        """Return the next row."""


class Prepared:
    """A statement in its dialect's own words; values must need no conversion (text, whole numbers, bytes)."""

    def __init__(self, statement: UpdateBase, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  # narrows the type: statements compile to SQL
        self._sql = str(compiled)
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        self._order = compiled.positiontup

    def run(self, cursor: Cursor, values: Mapping[str, Any]) -> Any:
        """Execute with values by name; return the first column of the first row, None without rows."""
        given = {**self._constants, **values}
        cursor.execute(
            self._sql, given if self._order is None else tuple(given[name] for name in self._order)
        )
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
