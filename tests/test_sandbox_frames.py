"""Sessions on their way in: encoded once, sealed, mapped privately, aligned without inventing a value."""

import datetime as dt
import fcntl
import os
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from test_sandbox_harness import box, frame

from sandbox.errors import BadRequestError
from sandbox.frames import Frame, FrameStore, LazyFrame, encode
from sandbox.worker.sessions import Sessions

START = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)


def loaded(frame_: Frame) -> Sessions:
    """Return the child's view of a frame, here in this process."""
    sessions = Sessions()
    sessions.add(frame_.session_id, encode(frame_).fd, {})
    return sessions


def two_rates(started_at: dt.datetime | None = START) -> Frame:
    times = {"rpm": np.array([0, 1_000_000, 2_000_000]), "speed": np.array([500_000, 2_000_000])}
    values = {"rpm": np.array([800.0, 900.0, np.nan]), "speed": np.array([10.0, 20.0])}
    return Frame("s", times, values, {"rpm": "rpm", "speed": "km/h"}, started_at)


def table(frame_: Frame, **how: Any) -> Any:
    return loaded(frame_).load("s", **how)


def test_a_table_of_one_rate_is_the_shared_memory_itself_and_can_be_written() -> None:
    values = {"rpm": np.arange(5.0), "speed": np.arange(5.0) * 2}
    sessions = loaded(Frame("s", np.arange(5) * 1_000_000, values, {}, START))
    df: Any = sessions.load("s")
    assert df.to_numpy().base is not None
    df["rpm"] *= 2
    again: Any = sessions.load("s")
    assert df["rpm"].tolist() == [0, 2, 4, 6, 8]
    assert again["rpm"].tolist() == [0, 1, 2, 3, 4]


def test_times_are_utc_where_the_start_is_known_and_seconds_where_it_is_not() -> None:
    df = table(two_rates(), signals="rpm")
    assert str(df.index.dtype) == "datetime64[us, UTC]"
    assert df.index[1].isoformat() == "2026-03-01T08:00:01+00:00"
    df = table(two_rates(None), signals="rpm")
    assert (df.index.name, df.index.tolist()) == ("time_s", [0.0, 1.0, 2.0])
    assert df.attrs["started_at"] is None


def test_signals_of_different_rates_share_rows_only_where_they_share_moments() -> None:
    df = table(two_rates(None))
    assert df.index.tolist() == [0.0, 0.5, 1.0, 2.0]
    assert df["speed"].isna().tolist() == [True, False, True, False]
    assert df["rpm"].isna().tolist() == [False, True, False, True]
    assert df.attrs["units"] == {"rpm": "rpm", "speed": "km/h"}


def test_inner_keeps_only_moments_at_which_everything_was_read() -> None:
    frame_ = Frame(
        "s",
        {"a": np.array([0, 1, 2]), "b": np.array([1, 2])},
        {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([5.0, 6.0])},
    )
    assert table(frame_, how="inner").to_numpy().tolist() == [[2.0, 5.0], [3.0, 6.0]]


def test_a_grid_is_the_mean_of_what_was_read_and_empty_where_nothing_was() -> None:
    times = {"a": np.array([0, 400_000, 3_000_000]), "b": np.array([1_200_000])}
    frame_ = Frame("s", times, {"a": np.array([1.0, 3.0, 7.0]), "b": np.array([5.0])})
    df = table(frame_, how="grid", step_s=1.0)
    assert df.index.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert df["a"].fillna(-1).tolist() == [2.0, -1, -1, 7.0]
    assert df["b"].fillna(-1).tolist() == [-1, 5.0, -1, -1]


def test_readings_at_one_microsecond_are_all_kept() -> None:
    frame_ = Frame(
        "s",
        {"a": np.array([0, 0, 5]), "b": np.array([0, 9])},
        {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([7.0, 8.0])},
    )
    df = table(frame_)
    assert df["a"].dropna().tolist() == [1.0, 2.0, 3.0]
    assert df["b"].dropna().tolist() == [7.0, 8.0]
    assert df.index.tolist() == [0.0, 0.0, 5e-6, 9e-6]


def test_too_many_readings_at_one_moment_are_refused_with_a_way_out() -> None:
    frame_ = Frame(
        "s", {"a": np.zeros(5000, np.int64), "b": np.array([1])}, {"a": np.zeros(5000), "b": np.zeros(1)}
    )
    with pytest.raises(ValueError, match="raw=True"):
        table(frame_)
    assert len(table(frame_, raw=True)["a"]) == 5000


def test_raw_signals_have_their_own_times_and_units() -> None:
    raw = table(two_rates(), raw=True)
    assert {name: len(values) for name, values in raw.items()} == {"rpm": 3, "speed": 2}
    assert raw["speed"].attrs["unit"] == "km/h"


def test_a_cut_counts_from_the_sessions_start_and_includes_both_ends() -> None:
    times = np.arange(-2, 5) * 1_000_000
    frame_ = Frame("s", times, {"a": np.arange(7.0)}, {}, START)
    assert table(frame_, start_s=0, end_s=2)["a"].tolist() == [2.0, 3.0, 4.0]
    assert table(frame_, start_s=-1)["a"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert table(frame_, start_s=99).empty


def test_late_arrivals_are_put_in_order() -> None:
    frame_ = Frame("s", np.array([2, 0, 1]), {"a": np.array([20.0, 0.0, 10.0])})
    assert table(frame_)["a"].tolist() == [0.0, 10.0, 20.0]


def test_a_session_without_readings_is_an_empty_table() -> None:
    assert table(Frame("s", np.array([], np.int64), {"a": np.array([])})).empty
    assert table(Frame("s", {}, {})).empty


def test_what_is_not_there_is_named_with_what_is() -> None:
    with pytest.raises(KeyError, match="rpm, speed"):
        table(two_rates(), signals=["boost"])
    with pytest.raises(KeyError, match="no session 'x'; sessions of this run: s"):
        loaded(two_rates()).load("x")
    with pytest.raises(ValueError, match="'union', 'inner' and 'grid'"):
        table(two_rates(), how="nearest")
    with pytest.raises(ValueError, match="microsecond"):
        table(two_rates(), how="grid", step_s=0)


def test_signals_come_in_the_order_asked_for() -> None:
    assert list(table(two_rates(), signals=["speed", "rpm"]).columns) == ["speed", "rpm"]


def test_columns_as_storage_hands_them_over_become_a_frame_and_a_second_ecu_is_told_apart() -> None:
    columns = [
        SimpleNamespace(signal="rpm", unit="rpm", ecu=ecu, times_us=np.array([0]), values=np.array([value]))
        for ecu, value in (("7E8", 800.0), ("7E9", 810.0))
    ]
    frame_ = Frame.of_columns("s", columns, START)
    assert list(frame_.columns) == ["rpm", "rpm@7E9"]
    assert table(frame_)["rpm@7E9"].tolist() == [810.0]


def test_the_shared_memory_is_sealed_and_aligned() -> None:
    shared = encode(two_rates())
    with pytest.raises(PermissionError):
        os.pwrite(shared.fd, b"x", 0)
    with pytest.raises(PermissionError):
        os.ftruncate(shared.fd, 1)
    assert fcntl.fcntl(shared.fd, fcntl.F_GET_SEALS) == 0b1111
    os.close(shared.fd)


def test_values_and_times_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadRequestError, match="2 times and 3 values"):
        encode(Frame("s", np.arange(2), {"a": np.zeros(3)}))


def test_a_session_is_encoded_once_per_version_and_a_new_version_replaces_the_old() -> None:
    store, calls = FrameStore(), []

    def load(version: int) -> Frame:
        calls.append(version)
        return Frame("s", np.arange(3), {"a": np.full(3, float(version))}, version=version)

    for version in (1, 1, 2, 2):
        os.close(store.take(LazyFrame("s", version, lambda version=version: load(version))).fd)  # type: ignore[misc]
    assert calls == [1, 2]
    assert len(store._shared) == 1
    store.forget("s")
    assert not store._shared
    store.close()


def test_frames_without_a_version_are_never_served_from_the_cache() -> None:
    store = FrameStore()
    for value in (1.0, 2.0):
        sessions = Sessions()
        sessions.add("s", store.take(Frame("s", np.arange(1), {"a": np.array([value])})).fd, {})
        df: Any = sessions.load("s")
        assert df["a"].tolist() == [value]


def test_the_cache_lets_go_of_what_was_used_longest_ago() -> None:
    store = FrameStore(max_bytes=3000)
    for number in range(6):
        os.close(store.take(Frame(str(number), np.arange(100), {"a": np.zeros(100)}, version=1)).fd)
    assert list(store._shared) == [("5", 1)]
    store.close()


def test_a_run_gets_a_million_rows_without_a_copy() -> None:
    if box().status().tier != "full":
        pytest.skip("needs a kernel that confines fully")
    columns = {f"x_{number}": np.full(200_000, float(number)) for number in range(20)}
    big = Frame("big", np.arange(200_000) * 1000, columns, {}, START)
    result = box().run("df = load_session()\ndf.shape", {"big": big})
    assert result.result is not None
    assert result.result.value == [200_000, 20]
    assert result.peak_mb is not None
    assert result.peak_mb < 60  # 34 MB of samples, of which only what is looked at is in memory


def test_the_servers_copy_cannot_be_changed_from_inside() -> None:
    if box().status().tier != "full":
        pytest.skip("needs a kernel that confines fully")
    first = box().run("df = load_session()\ndf.iloc[:] = -1.0\nfloat(df.sum().sum())", {"drive": frame()})
    second = box().run("float(load_session().min().min())", {"drive": frame()})
    assert first.result is not None
    assert second.result is not None
    assert first.result.value == -4800.0
    assert second.result.value == 0.0
