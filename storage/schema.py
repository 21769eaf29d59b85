"""Bring a database to the current schema; costs one SELECT where it already is."""

from pathlib import Path

from sqlalchemy import Connection, text

from storage.database import Database
from storage.errors import StorageError

HEAD = "0005"
_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x0BD_A6E_27


def migrate(database: Database) -> None:
    """Create or upgrade the tables; of several processes at once, one does it and the others wait."""
    if _is_current(database):
        return
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        _upgrade(connection, database.name)


def _is_current(database: Database) -> bool:
    try:
        with database.reading() as connection:
            return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD)
    except StorageError:
        return False


def _upgrade(connection: Connection, name: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StorageError(
            f"The database {name} was written by another version of obd-agent: {error}.",
            "Update obd-agent, or name another database.",
        ) from error
