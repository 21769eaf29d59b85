"""Opening: migrations, several processes at once, and databases that cannot be opened."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from storage_databases import BACKENDS, batch, database
from storage_processes import Nursery

from storage import schema
from storage.database import Database, parse
from storage.errors import InvalidDataError, StorageError
from storage.store import open_store
from storage.tables import metadata

ROOT = Path(__file__).parents[1]


@pytest.fixture(params=BACKENDS)
def address(request, tmp_path):
    with database(request.param, tmp_path) as empty:
        yield empty


def test_the_migrations_make_exactly_the_tables_of_the_models(address):
    with open_store(address) as store, store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_revision_is_the_one_that_opening_looks_for():
    config = Config()
    config.set_main_option("script_location", str(ROOT / "storage" / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_a_current_database_is_opened_without_alembic(tmp_path):
    path = tmp_path / "obd.sqlite3"
    open_store(str(path)).close()
    code = (
        "import sys; from storage.store import open_store; open_store(sys.argv[1]).close(); "
        "print(sorted(name for name in sys.modules if name in ('alembic', 'pandas', 'scipy')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_records_and_errors_can_be_imported_without_a_database_library_or_numpy():
    code = (
        "import sys; import storage.records, storage.errors; "
        "print(sorted(name for name in sys.modules if name in ('sqlalchemy', 'sqlmodel', 'numpy', 'pydantic')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_everything_is_there_again_after_reopening(address):
    with open_store(address) as store:
        car = store.vehicles.save(name="car")
        session = store.sessions.create(origin="capture", vehicle_id=car.id)
        store.samples.append(session.id, batch(1, 0))
        before = store.sessions.finish(session.id)
    with open_store(address) as store:
        assert store.sessions.get(session.id) == before
        assert store.vehicles.list().rows == [car]
        assert store.samples.read(session.id)[0].values.tolist() == batch(1, 0)[0].values.tolist()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_several_processes_may_open_an_empty_database_at_once(address):
    with Nursery() as nursery:
        children = [nursery.start("open_at", address, time.time() + 0.5) for _ in range(4)]
        answers = [child.hear() for child in children]
    assert answers == [0, 0, 0, 0]
    with open_store(address) as store, store.database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1


def test_a_database_of_a_later_version_is_refused_and_left_alone(address):
    with open_store(address) as store, store.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="another version of obd-agent") as caught:
        open_store(address)
    assert "Update" in caught.value.hint


def test_sqlite_is_durable_and_checks_foreign_keys(tmp_path):
    with open_store(str(tmp_path / "deep" / "obd.sqlite3")) as store:
        for give in (store.database.reading, store.database.writing):
            with give() as connection:
                told = [connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous")]
                assert [*told, connection.scalar(text("PRAGMA foreign_keys"))] == ["wal", 2, 1]
        with store.database.appending() as cursor:
            assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)


def test_an_url_and_a_path_name_the_same_file(tmp_path):
    path = tmp_path / "obd.sqlite3"
    assert parse(f"sqlite:///{path}") == parse(str(path))
    assert parse("postgres://me@host/cars").drivername == "postgresql+psycopg"


@pytest.mark.parametrize("address", ["", ":memory:", "sqlite://", "mysql://host/cars", "no url://"])
def test_what_cannot_be_a_database_is_refused_with_what_can(address):
    with pytest.raises(InvalidDataError) as caught:
        open_store(address)
    assert "postgresql://" in caught.value.hint


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, and longer than a header of one hundred bytes " * 20, encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(StorageError, match="no database"):
        open_store(str(path))
    assert path.read_bytes() == before


def test_a_place_where_no_file_can_be_is_reported(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match="no folder"):
        open_store(str(tmp_path / "file" / "obd.sqlite3"))
    with pytest.raises(StorageError, match="unable to open"):
        open_store(str(tmp_path))


def test_a_server_that_does_not_answer_is_reported_without_the_password():
    with pytest.raises(StorageError) as caught:
        open_store("postgresql://me:secret@127.0.0.1:1/cars")
    assert "127.0.0.1" in caught.value.message
    assert "secret" not in caught.value.message


def test_damaged_readings_are_reported_and_the_rest_can_be_read(tmp_path):
    path = tmp_path / "obd.sqlite3"
    with open_store(str(path)) as store:
        session = store.sessions.create(origin="capture").id
        store.samples.append(session, batch(1, 0))
        store.sessions.finish(session)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE chunk SET data = substr(data, 1, length(data) - 3) || x'000000' WHERE channel = 2"
        )
    connection.close()
    with open_store(str(path)) as store:
        with pytest.raises(StorageError, match="damaged"):
            store.samples.read(session)
        assert len(store.samples.read(session, ["s0", "s2"])) == 2


def test_an_owner_outlives_nothing_but_its_process(address):
    with open_store(address) as one, open_store(address) as other:
        token = one._owners.token()
        assert one._owners.token() == token
        assert other._owners.is_alive(token)
        assert one._owners.is_alive(token)
        one._owners.close()
        assert not other._owners.is_alive(token)
        assert not Database(address).is_sqlite or not any(
            Path(f"{Database(address).path}-owners").glob(token)
        )
