"""Database failures to storage errors, in one place."""

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from storage.errors import InvalidDataError, StorageBusyError, StorageError, StorageFullError

_FULL = {"SQLITE_FULL", "53100"}
_BUSY = {"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED", "40001", "40P01", "55P03", "53300"}
_BAD_DATA = ("SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "22", "23", "54")
_NOT_OURS = {"SQLITE_NOTADB", "SQLITE_CORRUPT"}
_READ_ONLY = ("SQLITE_READONLY", "25006", "42501")


def translate(error: SQLAlchemyError, database: str) -> StorageError:
    """Return the storage error that says what happened to `database` and what to do next."""
    if isinstance(error, PoolTimeoutError):
        return _busy()
    if not isinstance(error, DBAPIError):
        return StorageError(f"The database {database} failed: {error}.")
    return translate_driver(error.orig, database)


def translate_driver(error: BaseException | None, database: str) -> StorageError:
    """Return the storage error for what the database's driver raised."""
    code = _code(error)
    reason = " ".join(str(error).split())
    if code in _FULL:
        return StorageFullError(
            f"The disk under {database} is full: nothing of the last step was stored, all before it is kept.",
            "Free some space or delete old sessions, then send the same data again.",
        )
    if code in _BUSY:
        return _busy()
    if code in _NOT_OURS:
        return StorageError(
            f"{database} is damaged or is no database: {reason}.",
            "Restore it from a backup, or name another file.",
        )
    if code.startswith(_READ_ONLY):
        return StorageError(
            f"{database} cannot be written: {reason}.", "Give this user the right to write to it."
        )
    if code.startswith(_BAD_DATA) or type(error).__name__ == "DataError":
        return InvalidDataError(
            f"The database refused the data: {reason}.", "Correct the data and try again."
        )
    return StorageError(
        f"The database {database} failed: {reason}.", "Check that it exists and can be reached."
    )


def _code(error: BaseException | None) -> str:
    """Return SQLite's error name or PostgreSQL's SQLSTATE, empty where there is none."""
    for attribute in ("sqlite_errorname", "sqlstate"):
        if code := getattr(error, attribute, None):
            return str(code)
    return ""


def _busy() -> StorageBusyError:
    return StorageBusyError(
        "The database is in use by another writer.",
        "Try again in a moment; several programs that record at once need PostgreSQL.",
    )
