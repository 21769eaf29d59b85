"""Many small batches into few long chunks, without ever showing double or missing data."""

import threading
from itertools import pairwise

import numpy as np
import pytest
from sqlalchemy import func, select
from storage_databases import BACKENDS, batch, column, database

from storage import compaction
from storage.errors import NotFoundError
from storage.records import Column
from storage.store import Store, open_store
from storage.tables import chunk, live_chunk, time_base


@pytest.fixture(scope="module", params=BACKENDS)
def store(request, tmp_path_factory):
    with (
        database(request.param, tmp_path_factory.mktemp("storage")) as address,
        open_store(address) as opened,
    ):
        yield opened


@pytest.fixture
def session(store: Store) -> str:
    return store.sessions.create(origin="capture").id


@pytest.fixture
def small_steps(monkeypatch) -> None:
    monkeypatch.setattr(compaction, "CHUNK_READINGS", 40)
    monkeypatch.setattr(compaction, "STEP_READINGS", 100)


def rows(store: Store, table, session: str) -> int:
    with store.database.reading() as connection:
        counted = select(func.count()).select_from(table).where(table.c.session_id == session)
        return connection.execute(counted).scalar_one()


def readings(store: Store, session: str) -> list[tuple[str, list[int], list[float]]]:
    return [(s.signal, s.times_us.tolist(), s.values.tolist()) for s in store.samples.read(session)]


def test_finishing_leaves_chunks_of_bounded_length_and_no_live_batch(store, session, small_steps):
    for number in range(30):
        store.samples.append(session, batch(1, number))
    before = readings(store, session)
    finished = store.sessions.finish(session)
    assert readings(store, session) == before
    assert rows(store, live_chunk, session) == 0
    assert finished.state == "finished"
    with store.database.reading() as connection:
        lengths = connection.scalars(select(chunk.c.n).where(chunk.c.session_id == session)).all()
    assert max(lengths) <= 40
    assert sum(lengths) == 450


def test_channels_measured_together_share_one_time_base(store, session):
    for number in range(10):
        alone = column([number * 5_000 + 1], [number], "other")
        store.samples.append(session, [*batch(1, number), alone])
    store.sessions.finish(session)
    assert rows(store, chunk, session) == 4
    assert rows(store, time_base, session) == 2


def test_a_shared_reading_costs_less_than_one_and_a_half_bytes(store, session):
    random = np.random.default_rng(8)
    times = np.arange(36_000) * 100_000 + random.normal(0, 1_500, 36_000).astype(np.int64)
    columns = []
    for index in range(5):
        values = np.round(np.cumsum(random.normal(0, 1, times.size)) * 2) / 4
        columns.append(Column(f"s{index}", "count", None, times, values))
    store.samples.append(session, columns)
    store.sessions.finish(session)
    with store.database.reading() as connection:
        size = sum(
            len(data)
            for table in (chunk, time_base)
            for data in connection.scalars(select(table.c.data).where(table.c.session_id == session))
        )
    assert size / (5 * 36_000) < 1.5


def test_late_readings_of_an_earlier_step_are_still_read_in_time_order(store, session, small_steps):
    for number in (3, 1, 2, 0, 9, 5):
        times = np.arange(20) * 50 + number * 1_000
        store.samples.append(session, [column(times, times * 2.0), column(times, times * 3.0, "maf")])
    store.sessions.finish(session)
    for series in store.samples.read(session):
        assert all(earlier < later for earlier, later in pairwise(series.times_us.tolist()))
        assert len(series) == 120
    (part,) = store.samples.read(session, ["maf"], 1_500, 2_499)
    assert part.values.tolist() == [3.0 * time for time in range(1_500, 2_500, 50)]


def test_a_failure_between_steps_leaves_every_reading_once(store, session, small_steps, monkeypatch):
    for number in range(30):
        store.samples.append(session, batch(1, number))
    before, real, calls = readings(store, session), compaction._swap, []

    def failing(*arguments):
        calls.append(1)
        real(*arguments)
        if len(calls) == 3:
            raise RuntimeError("the plug was pulled")

    monkeypatch.setattr(compaction, "_swap", failing)
    with pytest.raises(RuntimeError):
        store.sessions.finish(session)
    assert 0 < rows(store, live_chunk, session) < 30
    assert readings(store, session) == before
    assert store.sessions.get(session).readings == sum(
        one.readings for one in store.samples.channels(session)
    )
    store.sessions.finish(session)
    assert rows(store, live_chunk, session) == 0
    assert readings(store, session) == before


def test_two_compactions_and_appends_at_once_lose_and_double_nothing(store, session, small_steps):
    for number in range(40):
        store.samples.append(session, batch(1, number))
    threads = [threading.Thread(target=compaction.compact, args=(store.database, session)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(40, 60):
        store.samples.append(session, batch(1, number))
    for thread in threads:
        thread.join()
    store.sessions.finish(session)
    expected = [
        (column.signal, np.concatenate([batch(1, number)[index].values for number in range(60)]).tolist())
        for index, column in enumerate(batch(1, 0))
    ]
    assert [(signal, values) for signal, _, values in readings(store, session)] == expected


def test_finishing_twice_changes_nothing_and_an_unknown_session_is_not_found(store, session):
    store.samples.append(session, batch(1, 0))
    first = store.sessions.finish(session)
    again = store.sessions.finish(session)
    assert readings(store, session)[0][1] == batch(1, 0)[0].times_us.tolist()
    assert again == first
    with pytest.raises(NotFoundError):
        store.sessions.finish("ses_none")


def test_a_session_without_readings_can_be_finished(store, session):
    finished = store.sessions.finish(session)
    assert (finished.readings, finished.duration_s, finished.first_us) == (0, 0.0, None)
    assert store.samples.read(session) == []
