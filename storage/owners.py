"""Which processes are alive: each holds a lock that the system releases when it dies, however it dies.

SQLite: a locked file per process beside the database. PostgreSQL: a session-level advisory lock. No clocks,
no heartbeats: a suspended process keeps its lock, a killed one loses it at once.
"""

import secrets
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from storage.database import Database

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Owners(Protocol):
    """How this process proves that it lives, and asks after others."""

    def token(self) -> str:
        """Return this process's token; locked from the first call until close."""

    def is_alive(self, token: str) -> bool:
        """Tell whether the process that holds a token still lives."""

    def close(self) -> None:
        """Release the lock."""


def owners_of(database: Database) -> Owners:
    """Return the owners of a database."""
    return PostgresOwners(database) if database.path is None else FileOwners(database.path)


class FileOwners:
    """Locked files in a folder beside the SQLite file."""

    def __init__(self, database: Path) -> None:
        self._folder = database.with_name(database.name + "-owners")
        self._guard = threading.Lock()
        self._held: tuple[str, IO[bytes]] | None = None

    def token(self) -> str:
        """Return this process's token; locked from the first call until close."""
        with self._guard:
            if self._held is None:
                self._sweep()
                self._held = self._take()
            return self._held[0]

    def _take(self) -> tuple[str, IO[bytes]]:
        while True:
            token = secrets.token_hex(8)
            self._folder.mkdir(exist_ok=True)
            path = self._folder / token
            file = path.open("xb")
            # Another process may have swept the file between its creation and our lock.
            if _try_lock(file) and path.exists():
                return token, file
            file.close()

    def is_alive(self, token: str) -> bool:
        """Tell whether the process that holds a token still lives."""
        with self._guard:
            if self._held is not None and self._held[0] == token:
                return True
        return not self._remove_if_dead(self._folder / token)

    def _remove_if_dead(self, path: Path) -> bool:
        try:
            file = path.open("rb+")
        except FileNotFoundError:
            return True
        with file:
            if not _try_lock(file):
                return False
            # Windows does not remove open files; an unlocked leftover still counts as dead.
            with suppress(PermissionError):
                path.unlink(missing_ok=True)
            return True

    def _sweep(self) -> None:
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                self._remove_if_dead(path)

    def close(self) -> None:
        """Release the lock."""
        with self._guard:
            if self._held is not None:
                token, file = self._held
                file.close()
                (self._folder / token).unlink(missing_ok=True)
                self._held = None


class PostgresOwners:
    """Advisory locks, each held by a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._held: tuple[str, Connection] | None = None

    def token(self) -> str:
        """Return this process's token; a new one where the server has dropped the old one's connection."""
        with self._guard, self._database.failures():
            if self._held is not None and not _answers(self._held[1]):
                self._release()
            if self._held is None:
                token = secrets.token_hex(7)
                connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": int(token, 16)})
                self._held = token, connection
            return self._held[0]

    def is_alive(self, token: str) -> bool:
        """Tell whether the process that holds a token still lives."""
        with self._guard:
            if self._held is not None and self._held[0] == token:
                return True
        with self._database.writing() as connection:
            key = {"key": int(token, 16)}
            return not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), key)

    def close(self) -> None:
        """Release the lock."""
        with self._guard:
            self._release()

    def _release(self) -> None:
        if self._held is not None:
            self._held[1].invalidate()
            self._held[1].close()
            self._held = None


def _answers(connection: Connection) -> bool:
    try:
        connection.execute(text("SELECT 1"))
    except DBAPIError:
        return False
    return True
