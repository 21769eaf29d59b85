"""One database, reached the same way on SQLite and PostgreSQL: transactions in, storage errors out."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from storage.errors import InvalidDataError, StorageBusyError, StorageError
from storage.failures import translate

BUSY_TIMEOUT_S = 30.0
_POOL: dict[str, Any] = {"pool_size": 8, "max_overflow": 56, "pool_timeout": BUSY_TIMEOUT_S}


class _Lock:
    """A writer lock that a weak dictionary can hold."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


_writer_locks: "WeakValueDictionary[str, _Lock]" = WeakValueDictionary()
_writer_locks_guard = threading.Lock()


def parse(address: str) -> URL:
    """Return the database URL of an address: a URL, or the path of an SQLite file."""
    if "://" not in address:
        url = URL.create("sqlite", database=address)
    else:
        try:
            url = make_url(address)
        except ArgumentError as error:
            raise InvalidDataError(f"{address} is not a database URL.", _ADDRESSES) from error
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite":
        raise InvalidDataError(f"Databases of kind {url.get_backend_name()} are not supported.", _ADDRESSES)
    if not url.database or ":memory:" in url.database:
        raise InvalidDataError("A database in memory is not durable and cannot be shared.", _ADDRESSES)
    return url.set(database=str(Path(url.database).expanduser().resolve()))


_ADDRESSES = "Give the path of an SQLite file, or postgresql://user:password@host/database."


class Database:
    """Connections to one database; every SQLAlchemy error leaves as a StorageError."""

    def __init__(self, address: str) -> None:
        self.url = parse(address)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.path = Path(self.url.database or "") if self.is_sqlite else None
        self._writer_lock = self._find_writer_lock()
        with self.failures():
            self.engine = self._open_sqlite() if self.is_sqlite else self._open_postgres()

    def _find_writer_lock(self) -> _Lock | None:
        if not self.is_sqlite:
            return None
        with _writer_locks_guard:
            return _writer_locks.setdefault(str(self.path), _Lock())

    def _open_sqlite(self) -> Engine:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(self.url, **_POOL, connect_args={"timeout": BUSY_TIMEOUT_S})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _open_postgres(self) -> Engine:
        try:
            return create_engine(self.url, **_POOL, pool_pre_ping=True, connect_args={"connect_timeout": 10})
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise StorageError(
                "PostgreSQL needs the package psycopg, which is not installed.",
                "Install it with: pip install 'obd-agent[postgres]'",
            ) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection on which all reads see one state of the database."""
        level = None if self.is_sqlite else "REPEATABLE READ"
        with self.failures(), self._connect(isolation_level=level) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are durable, all or none, when the block ends."""
        with ExitStack() as stack:
            stack.enter_context(self.failures())
            if self._writer_lock is not None:
                stack.enter_context(_held(self._writer_lock.lock))
            connection = stack.enter_context(self._connect(writing=self.is_sqlite or None))
            stack.enter_context(connection.begin())
            yield connection

    @contextmanager
    def _connect(self, **options: Any) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            given = {name: value for name, value in options.items() if value is not None}
            yield connection.execution_options(**given) if given else connection

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Let every database failure inside the block leave as a StorageError."""
        try:
            yield
        except SQLAlchemyError as error:
            raise translate(error, self.name) from error
        except OSError as error:
            raise StorageError(
                f"Cannot open the database {self.name}: {error}.", "Check its folder."
            ) from error

    @property
    def name(self) -> str:
        """The database as a person knows it, without a password."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def _held(lock: threading.Lock) -> Iterator[None]:
    if not lock.acquire(timeout=BUSY_TIMEOUT_S):
        raise StorageBusyError("Another thread has been writing for too long.", "Try again in a moment.")
    try:
        yield
    finally:
        lock.release()


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")
    _persist(lambda: cursor.execute("PRAGMA journal_mode = WAL"))
    cursor.close()


def _persist(switch: Callable[[], object]) -> None:
    """Retry what SQLite refuses at once instead of waiting: the change to WAL beside another process."""
    pause = threading.Event()
    for _ in range(100):
        try:
            switch()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY":
                raise
            pause.wait(0.02)
        else:
            return
    switch()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
