"""Databases and readings for the storage tests."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from storage.database import Database
from storage.errors import StorageError
from storage.records import Column

BACKENDS = ("sqlite", "postgresql")
POSTGRES = os.environ.get("OBD_AGENT_TEST_POSTGRES", "postgresql+psycopg://root@127.0.0.1/test")


@contextmanager
def database(backend: str, folder: Path) -> Iterator[str]:
    """Give the address of an empty database of one kind; skip where PostgreSQL is absent."""
    if backend == "sqlite":
        yield str(folder / "obd.sqlite3")
        return
    schema = f"obd_agent_test_{secrets.token_hex(4)}"
    _postgres(f"CREATE SCHEMA {schema}")
    try:
        yield f"{POSTGRES}{'&' if '?' in POSTGRES else '?'}options=-csearch_path%3D{schema}"
    finally:
        _postgres(f"DROP SCHEMA {schema} CASCADE")


def _postgres(command: str) -> None:
    server = Database(POSTGRES)
    try:
        with server.writing() as connection:
            connection.exec_driver_sql(command)
    except StorageError as error:
        pytest.skip(f"needs PostgreSQL at {POSTGRES} (OBD_AGENT_TEST_POSTGRES): {error.message}")
    finally:
        server.close()


def column(
    times: object,
    values: object,
    signal: str = "rpm",
    unit: str = "rpm",
    ecu: str | None = "7E8",
    source: str | None = None,
) -> Column:
    """Return a column of plain lists."""
    return Column(signal, unit, ecu, np.array(times, np.int64), np.array(values, np.float64), source)


def batch(session: int, number: int) -> list[Column]:
    """Return a batch that can be told from all others: 3 signals, 5 readings each."""
    times = np.arange(5, dtype=np.int64) * 1_000 + number * 5_000
    return [
        Column(f"s{index}", "count", None, times, np.arange(5) + number * 5.0 + session * 1e6 + index * 1e9)
        for index in range(3)
    ]
