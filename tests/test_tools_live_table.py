"""Live readings as tables: named as the stored session's, in one unit, no finer than analysis can use."""

import numpy as np
import pytest

from server.live.watched import MOST_WAITING, Watched
from tools.live_table import FASTEST_HZ, LiveTables
from vehicle.runs import Run


def run(signal: str, ecu: str = "7E8", *, unit: str = "rpm", times: int = 10, hz: float = 10.0) -> Run:
    times_us = (np.arange(times) * 1e6 / hz).astype(np.int64)
    return Run(signal, unit, ecu, times_us, np.arange(times, dtype=float), "")


def test_the_ecu_heard_first_has_the_plain_name_ever_after() -> None:
    tables = LiveTables()
    first = tables.table([run("rpm", "7E8"), run("rpm", "7E9")])
    assert {name: one.ecu for name, one in first.items()} == {"rpm": "7E8", "rpm@7E9": "7E9"}
    assert set(tables.table([run("rpm", "7E9")])) == {"rpm@7E9"}


def test_batches_of_a_signal_become_one_series_with_its_limits() -> None:
    early, late = run("rpm"), run("rpm")._replace(times_us=np.array([5_000_000]), values=np.array([7.0]))
    (rpm,) = LiveTables().table([early, late]).values()
    assert rpm.times_s.tolist() == [*np.arange(10) / 10, 5.0]
    assert rpm.values[-1] == 7.0
    assert rpm.low == 0.0
    assert rpm.high is not None


def test_readings_in_another_unit_than_the_first_are_left_out() -> None:
    tables = LiveTables()
    tables.table([run("speed", unit="km/h")])
    assert set(tables.table([run("speed", unit="mph"), run("rpm")])) == {"rpm"}


def test_signals_read_together_share_their_times_also_when_thinned() -> None:
    fast = [run("rpm", times=1000, hz=100.0), run("speed", unit="km/h", times=1000, hz=100.0)]
    fast[1] = fast[1]._replace(times_us=fast[0].times_us)
    rpm, speed = LiveTables().table(fast).values()
    assert rpm.times_s is speed.times_s
    assert rpm.values.size == rpm.times_s.size == 200
    assert np.median(np.diff(rpm.times_s)) == pytest.approx(1 / FASTEST_HZ)
    assert rpm.values[1] - rpm.values[0] == 5


def test_what_waits_is_bounded_and_what_is_left_out_is_counted() -> None:
    watched = Watched("ses_a", 0)
    half = MOST_WAITING // 2
    counts = [watched.take([run("rpm")], (), half, second * 1_000_000) for second in range(1, 5)]
    assert counts == [0, 0, half, half]
    runs, gaps, end_us = watched.drain()
    assert (len(runs), gaps, end_us) == (2, [], 4_000_000)
    assert watched.drain()[0] == []
