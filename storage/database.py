"""One database, reached the same way on SQLite and PostgreSQL: transactions in, storage errors out."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from storage.errors import InvalidDataError, StorageBusyError, StorageError
from storage.failures import translate, translate_driver
from storage.prepared import Cursor

BUSY_TIMEOUT_S = 30.0
_POOL: dict[str, Any] = {"pool_size": 8, "max_overflow": 24, "pool_timeout": BUSY_TIMEOUT_S}


class _WriterLock:
    """Lets one thread write at a time, and gives up waiting like the database does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=BUSY_TIMEOUT_S):
            raise StorageBusyError("Another thread has been writing for too long.", "Try again in a moment.")

    def __exit__(self, *failure: object) -> None:
        self._lock.release()


_writer_locks: "WeakValueDictionary[str, _WriterLock]" = WeakValueDictionary()
_writer_locks_guard = threading.Lock()


def _writer_lock_of(path: Path | None) -> AbstractContextManager[None]:
    """Return the lock that all stores of one SQLite file in this process share."""
    if path is None:
        return nullcontext()
    with _writer_locks_guard:
        return _writer_locks.setdefault(str(path), _WriterLock())


def parse(address: str) -> URL:
    """Return the database URL of an address: a URL, or the path of an SQLite file."""
    if "://" not in address:
        url = URL.create("sqlite", database=address)
    else:
        try:
            url = make_url(address)
        except ArgumentError as error:
            raise InvalidDataError(f"{address} is not a database URL.", _ADDRESSES) from error
    if url.get_backend_name() in ("postgresql", "postgres"):
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
        self._writer_lock = _writer_lock_of(self.path)
        self.engine = self._open_postgres() if self.path is None else self._open_sqlite(self.path)
        self._driver_error: type[BaseException] = self.engine.dialect.loaded_dbapi.Error
        self._kept: PoolProxiedConnection | None = None
        self._writers = self.engine.execution_options(writing=True)
        snapshot = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._readers = self.engine.execution_options(**snapshot)

    def _open_sqlite(self, path: Path) -> Engine:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"There is no folder {path.parent}: {error}.", "Name another place."
            ) from error
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
        with self.failures(), self._readers.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are durable, all or none, when the block ends."""
        with self.failures(), self._writer_lock, self._writers.begin() as connection:
            yield connection

    @contextmanager
    def appending(self) -> Iterator[Cursor]:
        """Give the driver's cursor in a durable transaction: `writing` without SQLAlchemy's part of the cost."""
        with self.failures(), self._writer_lock, self._append_connection() as connection:
            cursor = connection.cursor()
            try:
                if self.is_sqlite:
                    cursor.execute("BEGIN IMMEDIATE")
                yield cursor
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def _append_connection(self) -> AbstractContextManager[PoolProxiedConnection]:
        """Return a pooled connection; on SQLite, where one thread writes at a time, always the same."""
        if not self.is_sqlite:
            return closing(self.engine.raw_connection())
        if self._kept is None:
            self._kept = self.engine.raw_connection()
        return nullcontext(self._kept)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Let every database failure inside the block leave as a StorageError."""
        try:
            yield
        except SQLAlchemyError as error:
            raise translate(error, self.name) from error
        except self._driver_error as error:
            raise translate_driver(error, self.name) from error
        except UnicodeEncodeError as error:
            raise InvalidDataError(
                f"Text cannot be stored: {error}.", "Replace what is not Unicode."
            ) from error

    @property
    def name(self) -> str:
        """The database as a person knows it, without a password."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close all connections."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        self.engine.dispose()


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
    connection.connection.cursor().execute("BEGIN IMMEDIATE" if writing else "BEGIN")
