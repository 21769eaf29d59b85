"""What happens when a process dies, the disk is full or somebody else writes: nothing acknowledged is lost."""

import os
import random
import sqlite3
import threading
import time
from contextlib import closing

import numpy as np
import pytest
from sqlalchemy import event
from storage_databases import BACKENDS, batch, database
from storage_processes import BATCHES_PER_SESSION, Nursery

from storage.errors import InvalidDataError, NotFoundError, StorageBusyError, StorageFullError
from storage.store import Store, open_store


@pytest.fixture(params=BACKENDS)
def address(request, tmp_path):
    with database(request.param, tmp_path) as empty:
        yield empty


def whole_batches(store: Store, session: str, number: int) -> int:
    """Return how many batches a session holds; fail where they are not whole, in order and as sent."""
    read = store.samples.read(session)
    held = store.sessions.get(session).readings // 15
    for index, series in enumerate(read):
        sent = [batch(number, one)[index] for one in range(held)]
        assert series.times_us.tolist() == np.concatenate([one.times_us for one in sent]).tolist()
        assert series.values.tolist() == np.concatenate([one.values for one in sent]).tolist()
    assert len(read) in (0, 3)
    assert sum(len(series) for series in read) == held * 15
    return held


@pytest.fixture(scope="module")
def nursery():
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    with Nursery() as processes:
        yield processes


def test_fifty_kills_at_random_moments_lose_no_acknowledged_batch_and_leave_none_in_part(tmp_path, nursery):
    address, moments = str(tmp_path / "obd.sqlite3"), random.Random(20260301)
    acknowledged: dict[str, int] = {}
    open_store(address).close()
    for number in range(50):
        child = nursery.start("record_without_end", address, number)
        time.sleep(moments.uniform(0, 0.25))
        child.kill()
        for session, last in child.rest():
            acknowledged[session] = last + 1
    with open_store(address) as store:
        sessions = store.sessions.list(limit=10_000).rows
        for session in sessions:
            held = whole_batches(store, session.id, int(session.name))
            # What was committed but not yet acknowledged when the kill came may be there too.
            assert acknowledged.get(session.id, 0) <= held <= acknowledged.get(session.id, 0) + 1
            assert session.state in ("interrupted", "finished")
            assert session.state == "interrupted" or held == BATCHES_PER_SESSION
    assert acknowledged.keys() <= {session.id for session in sessions}
    assert sum(acknowledged.values()) > 50  # as many as kills; how many more depends on the machine's load
    with closing(sqlite3.connect(address)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM live_chunk").fetchone() == (0,)


def test_what_a_dead_process_left_is_settled_at_the_next_opening_and_not_before(address, nursery):
    child = nursery.start("leave_sessions", address)
    recording, importing = child.hear()
    with open_store(address) as store:
        assert store.sessions.get(recording).state == "recording"
        assert store.sessions.get(importing, include_importing=True).readings == 45
    child.kill()
    assert list(child.rest()) == []
    with open_store(address) as store:
        assert store.sessions.get(recording).state == "interrupted"
        assert whole_batches(store, recording, 1) == 3
        with pytest.raises(NotFoundError):
            store.sessions.get(importing, include_importing=True)
        with store.database.reading() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM live_chunk").scalar() == 0


def test_an_interrupted_session_goes_on_with_the_next_batch(address):
    with open_store(address) as store:
        session = store.sessions.create(origin="intake").id
        store.samples.append(session, batch(1, 0), key="first")
    with open_store(address) as store:
        assert store.sessions.get(session).state == "interrupted"
        assert store.samples.append(session, batch(1, 0), key="first") == 1
        assert store.sessions.get(session).state == "interrupted"
        assert store.samples.append(session, batch(1, 1)) == 2
        assert store.sessions.get(session).state == "recording"
        store.sessions.finish(session)
        assert whole_batches(store, session, 1) == 2


def test_closing_a_store_interrupts_only_its_own_recordings(address):
    with open_store(address) as stays:
        kept = stays.sessions.create(origin="capture").id
        with open_store(address) as goes:
            left = goes.sessions.create(origin="capture").id
        with open_store(address) as looks:
            assert looks.sessions.get(kept).state == "recording"
            assert looks.sessions.get(left).state == "interrupted"


def test_a_reader_beside_a_writing_process_sees_whole_batches_only(address, nursery):
    with open_store(address) as store:
        child = nursery.start("record", address, 150)
        seen, ended = set(), threading.Thread(target=lambda: list(child.rest()))
        ended.start()
        while ended.is_alive():
            for session in store.sessions.list().rows:
                lengths = {len(series) for series in store.samples.read(session.id)}
                assert len(lengths) <= 1
                assert sum(lengths) % 5 == 0
                seen |= lengths
    assert len(seen) > 3
    with open_store(address) as store:
        (session,) = store.sessions.list().rows
        assert (session.state, whole_batches(store, session.id, 0)) == ("interrupted", 150)


def test_a_full_disk_is_one_clear_error_and_loses_nothing_acknowledged(tmp_path):
    with open_store(str(tmp_path / "obd.sqlite3")) as store:
        session = store.sessions.create(origin="capture").id
        limit = _limit_pages(store, 80)
        noise = np.random.default_rng(9)
        stored = 0

        def fill() -> None:
            nonlocal stored, column
            while True:
                column = batch(1, stored)[0]._replace(times_us=np.arange(500), values=noise.normal(size=500))
                store.samples.append(session, [column])
                stored += 1

        column = None
        with pytest.raises(StorageFullError, match="is full") as caught:
            fill()
        assert caught.value.code == "too_large"
        assert "send the same data again" in caught.value.hint
        assert stored > 5
        assert store.sessions.get(session).readings == stored * 500
        assert sum(len(series) for series in store.samples.read(session)) == stored * 500
        with pytest.raises(StorageFullError):
            store.artifacts.save(None, "export", "x.csv", "text/csv", bytes(10**6))
        limit(10**6)
        store.samples.append(session, [column])
        store.sessions.finish(session)
        assert store.samples.channels(session)[0].readings == (stored + 1) * 500


def _limit_pages(store: Store, pages: int):
    """Let the database grow to so many pages, as a disk of that size would; return a function that changes it."""
    allowed = [pages]

    def apply(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {allowed[0]}")

    def change(pages: int) -> None:
        allowed[0] = pages
        store.database.close()

    event.listen(store.database.engine, "connect", apply)
    store.database.close()
    return change


def test_a_database_that_another_program_keeps_busy_is_reported_as_busy(tmp_path, monkeypatch):
    monkeypatch.setattr("storage.database.BUSY_TIMEOUT_S", 0.05)
    path = tmp_path / "obd.sqlite3"
    with open_store(str(path)) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        session = store.sessions.create(origin="capture").id
        store.samples.append(session, batch(1, 0))
        other.execute("BEGIN IMMEDIATE")
        for attempt in (
            lambda: store.samples.append(session, batch(1, 1)),
            lambda: store.sessions.create(origin="capture"),
        ):
            with pytest.raises(StorageBusyError) as caught:
                attempt()
            assert caught.value.code == "busy"
        assert store.sessions.get(session).readings == 15
        other.execute("ROLLBACK")
        assert store.samples.append(session, batch(1, 1)) == 2


def test_a_thread_that_writes_too_long_makes_others_give_up(tmp_path, monkeypatch):
    monkeypatch.setattr("storage.database.BUSY_TIMEOUT_S", 0.05)
    with open_store(str(tmp_path / "obd.sqlite3")) as store:
        failures = []

        def create() -> None:
            try:
                store.sessions.create(origin="capture")
            except StorageBusyError as error:
                failures.append(error)

        with store.database.writing():
            thread = threading.Thread(target=create)
            thread.start()
            thread.join()
        assert len(failures) == 1


def test_an_error_inside_a_write_undoes_all_of_it(address):
    with open_store(address) as store:
        session = store.sessions.create(origin="capture").id
        store.samples.append(session, batch(1, 0))

        def fail_while_writing() -> None:
            with store.database.writing() as connection:
                connection.exec_driver_sql("DELETE FROM live_chunk")
                raise RuntimeError("boom")

        def fail_while_appending() -> None:
            with store.database.appending() as cursor:
                cursor.execute("DELETE FROM live_chunk", ())
                raise RuntimeError("boom")

        for fail in (fail_while_writing, fail_while_appending):
            with pytest.raises(RuntimeError):
                fail()
        assert whole_batches(store, session, 1) == 1
        with pytest.raises(InvalidDataError):
            store.samples.append(session, [])
        assert store.samples.append(session, batch(1, 1)) == 2
