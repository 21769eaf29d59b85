"""Readings in and out of sessions, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_databases import BACKENDS, batch, column, database

from storage import checks, codec, downsampling
from storage.chunks import Decoder
from storage.errors import InvalidDataError, NotFoundError
from storage.records import Column
from storage.store import Store, open_store


@pytest.fixture(scope="module", params=BACKENDS)
def store(request, tmp_path_factory):
    with (
        database(request.param, tmp_path_factory.mktemp("storage")) as address,
        open_store(address) as opened,
    ):
        yield opened


@pytest.fixture
def session(store: Store) -> str:
    return store.sessions.create(origin="capture", name="test").id


def in_time_order(batches: list[list[Column]]) -> dict[str, tuple[list[int], bytes]]:
    """Return what must come back: per signal, times and value bytes, stable by time."""
    expected = {}
    for signal in dict.fromkeys(one.signal for columns in batches for one in columns):
        times = np.concatenate(
            [one.times_us for columns in batches for one in columns if one.signal == signal]
        )
        values = np.concatenate(
            [one.values for columns in batches for one in columns if one.signal == signal]
        )
        order = np.argsort(times, kind="stable")
        expected[signal] = (times[order].tolist(), values[order].tobytes())
    return expected


def stored(store: Store, session: str, **bounds: int) -> dict[str, tuple[list[int], bytes]]:
    return {
        one.signal: (one.times_us.tolist(), one.values.tobytes())
        for one in store.samples.read(session, **bounds)
    }


READING = st.tuples(
    st.integers(-1_000, 1_000) | st.integers(-(10**17), 10**17),
    st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([-0.0, 0.0, 21.5]),
)
BATCH = st.dictionaries(
    st.sampled_from(["rpm", "speed", "maf"]), st.lists(READING, min_size=1, max_size=12), min_size=1
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(BATCH, min_size=1, max_size=5), finish_after=st.integers(0, 5))
def test_readings_come_back_bit_exact_and_in_time_order_live_compacted_or_half_and_half(
    store, batches, finish_after
):
    session = store.sessions.create(origin="capture").id
    sent = [
        [
            column([t for t, _ in readings], [v for _, v in readings], signal)
            for signal, readings in one.items()
        ]
        for one in batches
    ]
    for number, columns in enumerate(sent, 1):
        assert store.samples.append(session, columns) == number
        if number == finish_after:
            store.samples.compact(session)
    assert stored(store, session) == in_time_order(sent)
    store.sessions.finish(session)
    assert stored(store, session) == in_time_order(sent)


def test_channels_of_two_ecus_units_and_sources_are_kept_apart(store, session):
    columns = [
        column([1, 2], [10, 20], ecu="7E8"),
        column([1, 2], [11, 21], ecu="7E9"),
        column([1, 2], [12, 22], ecu=None, source="Engine RPM"),
        column([1, 2], [13, 23], unit="1/min", ecu=None),
    ]
    store.samples.append(session, columns)
    store.samples.append(session, [columns[1]._replace(values=np.array([31.0, 41.0]))])
    read = store.samples.read(session, ["rpm"])
    assert [(s.ecu, s.unit, s.source, s.values.tolist()) for s in read] == [
        ("7E8", "rpm", None, [10, 20]),
        ("7E9", "rpm", None, [11, 31, 21, 41]),
        (None, "rpm", "Engine RPM", [12, 22]),
        (None, "1/min", None, [13, 23]),
    ]


def test_bounds_are_inclusive_and_a_signal_without_readings_there_is_empty(store, session):
    store.samples.append(
        session, [column([0, 10, 20, 30], [1, 2, 3, 4]), column([500], [1], "speed", "km/h")]
    )
    for _ in range(2):
        rpm, speed = store.samples.read(session, None, 10, 20)
        assert (rpm.times_us.tolist(), rpm.values.tolist()) == ([10, 20], [2, 3])
        assert len(speed) == 0
        assert stored(store, session, start_us=25, end_us=10**30)["rpm"][0] == [30]
        store.sessions.finish(session)


def test_an_unknown_signal_is_refused_and_the_known_ones_named(store, session):
    store.samples.append(session, batch(1, 0))
    with pytest.raises(NotFoundError, match="no boost") as caught:
        store.samples.read(session, ["s0", "boost"])
    assert "s0, s1, s2" in caught.value.hint
    assert caught.value.code == "not_found"


@pytest.mark.parametrize("ask", ["append", "channels", "summary", "read", "downsample"])
def test_an_unknown_session_is_not_found_by_any_question(store, ask):
    further = {"append": [batch(1, 0)], "downsample": [None, None, None, 10]}.get(ask, [])
    with pytest.raises(NotFoundError, match="ses_none"):
        getattr(store.samples, ask)("ses_none", *further)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (column([1, 2], [1.0, np.nan]), "1 of 2 values are not finite"),
        (column([1, 2], [np.inf, -np.inf]), "2 of 2 values are not finite"),
        (column([1, 2, 3], [1.0, 2.0]), "times for"),
        (column([[1, 2]], [[1.0, 2.0]]), "one-dimensional"),
        (Column("rpm", "rpm", None, np.array([0.5, 1.5]), np.array([1.0, 2.0])), "float64"),
        (Column("rpm", "rpm", None, np.array([1]), np.array(["fast"])), "values are <U4"),
        (column([10**18], [1.0]), "within"),
        (column([], []), "no readings"),
        (column([1], [1.0], signal=""), "no signal name"),
    ],
)
def test_what_is_no_reading_is_refused_and_nothing_of_its_batch_is_stored(store, session, bad, says):
    good = column([1], [1.0], "speed", "km/h")
    with pytest.raises(InvalidDataError) as caught:
        store.samples.append(session, [bad] if not len(bad.times_us) else [good, bad])
    assert says in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.code == "bad_arguments"
    assert store.sessions.get(session).readings == 0
    assert store.samples.channels(session) == []


def test_whole_numbers_of_any_width_and_strided_arrays_are_taken(store, session):
    times, values = np.arange(10, dtype=np.int32)[::2], np.arange(10, dtype=np.uint8)[::-2]
    store.samples.append(session, [Column("gear", "count", None, times, values)])
    (gear,) = store.samples.read(session)
    assert (gear.times_us.tolist(), gear.values.tolist()) == ([0, 2, 4, 6, 8], [9, 7, 5, 3, 1])


def test_series_cannot_be_written_to_since_they_may_share_their_times(store, session):
    store.samples.append(session, batch(1, 0))
    store.sessions.finish(session)
    first, second, _ = store.samples.read(session)
    assert first.times_us is second.times_us
    with pytest.raises(ValueError, match="read-only"):
        first.times_us[0] = 1


def test_a_large_batch_is_cut_into_rows_that_one_transaction_stores(store, session, monkeypatch):
    monkeypatch.setattr(checks, "PIECE_READINGS", 200)
    shared = np.arange(1_000)
    columns = [column(shared, shared * 1.5, "a"), column(shared, shared * 2, "b"), column([5], [6], "c")]
    assert store.samples.append(session, columns) == 16
    assert store.samples.append(session, batch(1, 0)) == 17
    read = stored(store, session)
    assert read["a"] == (shared.tolist(), (shared * 1.5).tobytes())
    assert read["c"] == ([5], np.array([6.0]).tobytes())
    assert store.sessions.get(session).readings == 2_016


def test_a_repeated_key_returns_its_sequence_and_stores_nothing_even_after_the_end(store, session):
    assert store.samples.append(session, batch(1, 0), key="a") == 1
    assert store.samples.append(session, batch(1, 1), key="b") == 2
    assert store.samples.append(session, batch(1, 0), key="a") == 1
    store.sessions.finish(session)
    assert store.samples.append(session, batch(1, 1), key="b") == 2
    assert stored(store, session) == in_time_order([batch(1, 0), batch(1, 1)])


def test_one_key_sent_by_many_threads_at_once_is_stored_once(store, session):
    with ThreadPoolExecutor(6) as pool:
        sequences = list(pool.map(lambda _: store.samples.append(session, batch(1, 0), key="k"), range(18)))
    assert set(sequences) == {1}
    assert store.sessions.get(session).readings == 15


def test_many_threads_append_to_sessions_of_their_own_and_to_a_common_one(store, session):
    own = [store.sessions.create(origin="capture").id for _ in range(4)]

    def record(index: int) -> None:
        for number in range(10):
            store.samples.append(own[index], batch(index, number))
            store.samples.append(session, batch(index, number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(record, range(4)))
    for index in range(4):
        assert stored(store, own[index]) == in_time_order([batch(index, number) for number in range(10)])
    common = store.sessions.get(session)
    assert (common.readings, common.version) == (4 * 10 * 15, 1 + 40)
    assert sum(one.readings for one in store.samples.channels(session)) == 600


def test_a_finished_session_takes_no_more_readings(store, session):
    store.samples.append(session, batch(1, 0))
    store.sessions.finish(session)
    with pytest.raises(InvalidDataError, match="finished: it takes no more"):
        store.samples.append(session, batch(1, 1))
    assert stored(store, session) == in_time_order([batch(1, 0)])


def test_zone_maps_say_what_the_readings_say_for_every_range(store, session, monkeypatch):
    monkeypatch.setattr("storage.compaction.CHUNK_READINGS", 50)
    random = np.random.default_rng(4)
    for number in range(12):
        times = np.sort(random.integers(number * 1_000, number * 1_000 + 1_300, 40))
        store.samples.append(
            session, [column(times, random.normal(size=40), name) for name in ("rpm", "maf")]
        )
        if number == 7:
            store.samples.compact(session)
    for start, end in [(None, None), (0, 99), (1_500, 9_000), (4_321, None), (None, 7_777), (11_000, 13_000)]:
        told = store.samples.summary(session, ["maf"], start, end)
        (read,) = store.samples.read(session, ["maf"], start, end)
        assert [(one.readings, one.minimum, one.maximum, one.first_us, one.last_us) for one in told] == [
            (len(read), read.values.min(), read.values.max(), read.times_us[0], read.times_us[-1])
        ]
        assert told[0].mean == pytest.approx(read.values.mean())
    assert store.samples.summary(session, ["maf"], 50_000, None) == []
    assert store.samples.summary(session) == store.samples.channels(session)


def test_the_mean_of_values_whose_sum_leaves_float_range_is_absent(store, session):
    store.samples.append(session, [column([1, 2], [1.7e308, 1.7e308])])
    store.sessions.finish(session)
    (rpm,) = store.samples.channels(session)
    assert (rpm.mean, rpm.maximum) == (None, 1.7e308)


@pytest.fixture(params=["live", "compacted", "both"])
def long_session(request, store, session, monkeypatch) -> str:
    """A signal of 20,000 noisy readings with one needle up and one down."""
    monkeypatch.setattr("storage.compaction.CHUNK_READINGS", 900)
    times, values = np.arange(20_000) * 100, np.random.default_rng(5).normal(size=20_000)
    values[7_777], values[13_131] = 50, -60
    for start in range(0, 20_000, 500):
        store.samples.append(session, [column(times[start : start + 500], values[start : start + 500])])
        if start == 10_000 and request.param == "both":
            store.samples.compact(session)
    if request.param == "compacted":
        store.sessions.finish(session)
    return session


@pytest.mark.parametrize("points", [2, 3, 100, 1_001, 19_999])
def test_downsampling_keeps_the_extremes_and_gives_real_readings_in_order(store, long_session, points):
    (few,) = store.samples.downsample(long_session, ["rpm"], None, None, points)
    (every,) = store.samples.read(long_session, ["rpm"])
    assert 2 <= len(few) <= points
    assert {50.0, -60.0} <= set(few.values.tolist())
    index = np.searchsorted(every.times_us, few.times_us)
    assert every.values[index].tobytes() == few.values.tobytes()
    assert (np.diff(few.times_us) > 0).all()


def test_downsampling_gives_all_readings_where_they_are_few(store, long_session):
    (some,) = store.samples.downsample(long_session, ["rpm"], 500_000, 510_000, 101)
    assert some.times_us.tolist() == list(range(500_000, 510_001, 100))
    (none,) = store.samples.downsample(long_session, ["rpm"], 10**9, None, 100)
    assert len(none) == 0
    with pytest.raises(InvalidDataError, match="1 points"):
        store.samples.downsample(long_session, ["rpm"], None, None, 1)


def test_every_span_has_its_own_extremes(store, long_session):
    (few,) = store.samples.downsample(long_session, ["rpm"], None, None, 40)
    (every,) = store.samples.read(long_session, ["rpm"])
    spans = every.times_us // 100_000
    for span in range(20):
        values = every.values[spans == span]
        assert {values.min(), values.max()} <= set(few.values.tolist())


def test_a_coarse_plot_decodes_only_chunks_that_hold_an_extreme(store, session, monkeypatch):
    monkeypatch.setattr("storage.compaction.CHUNK_READINGS", 100)
    times = np.arange(10_000)
    store.samples.append(session, [column(times, np.random.default_rng(6).normal(size=10_000))])
    store.sessions.finish(session)
    decoded = []

    class Counting(Decoder):
        def run(self, number, reference):
            decoded.append(reference.part)
            return super().run(number, reference)

    monkeypatch.setattr(downsampling, "Decoder", Counting)
    (few,) = store.samples.downsample(session, ["rpm"], None, None, 4)
    (every,) = store.samples.read(session)
    assert {every.values.min(), every.values.max()} <= set(few.values.tolist())
    assert len(decoded) <= 5


def test_reading_a_range_touches_only_the_chunks_that_overlap(store, session, monkeypatch):
    monkeypatch.setattr("storage.compaction.CHUNK_READINGS", 100)
    store.samples.append(session, [column(np.arange(10_000), np.arange(10_000.0))])
    store.sessions.finish(session)
    unpacked = []
    real = codec.unpack_values
    monkeypatch.setattr(
        codec, "unpack_values", lambda blob, count: unpacked.append(count) or real(blob, count)
    )
    (part,) = store.samples.read(session, None, 4_250, 4_349)
    assert part.values.tolist() == list(range(4_250, 4_350))
    assert unpacked == [100, 100]
