"""Time: order, gaps, the age of values, and integration that knows gaps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_analysis_tables import series, table_of

from analysis.ordering import in_order
from analysis.table import SignalTable
from analysis.timeline import Timeline
from analysis.tracks import runs, track_of


def test_late_arrivals_are_sorted_in_and_counted() -> None:
    times = np.array([0, 1, 2, 6, 7, 8, 3, 4, 5, 9.0])
    ordered, values, repairs = in_order(times, times * 10)
    assert ordered.tolist() == list(range(10))
    assert values.tolist() == [10.0 * n for n in range(10)]
    assert (repairs.backward, repairs.unplaced, repairs.steps) == (1, 0, ())


def test_readings_after_a_clock_step_back_do_not_mix_with_earlier_ones() -> None:
    before, after = np.arange(0, 100.0), np.arange(80.5, 180.5)
    times = np.concatenate([before, after])
    ordered, values, repairs = in_order(times, np.concatenate([np.zeros(100), np.ones(100)]))
    assert np.diff(ordered).min() > 0
    assert repairs.unplaced == 19
    assert repairs.steps == ((99.0, -18.5),)
    assert np.count_nonzero(np.diff(values)) == 1


def test_a_part_delivered_twice_counts_as_duplicates_not_as_a_clock_step() -> None:
    times = np.concatenate([np.arange(50.0), np.arange(30.0, 60.0)])
    ordered, _, repairs = in_order(times, np.sin(times))
    assert ordered.tolist() == list(range(60))
    assert (repairs.duplicates, repairs.unplaced, repairs.steps) == (20, 0, ())


def test_readings_without_a_number_are_counted_and_left_out() -> None:
    _, values, repairs = in_order(np.array([0.0, 1, 2, np.nan]), np.array([1.0, np.nan, 3, 4]))
    assert values.tolist() == [1.0, 3.0]
    assert repairs.missing == 2


@given(st.permutations(list(range(40))))
@settings(max_examples=30, deadline=None)
def test_ordering_never_invents_readings_and_always_rises(order: list[int]) -> None:
    times = np.array(order, float)
    ordered, values, repairs = in_order(times, times**2)
    assert np.diff(ordered).min(initial=1) > 0
    assert ordered.size + repairs.unplaced == 40
    assert np.array_equal(values, ordered**2)


def test_a_gap_is_three_usual_intervals_and_at_least_a_second() -> None:
    times = np.concatenate([np.arange(0, 10, 0.1), np.arange(10.7, 20, 0.1), np.arange(22, 30, 0.1)])
    track = track_of(series("rpm", times, times))
    assert track.period_s == pytest.approx(0.1)
    assert track.times_s[:-1][track.gaps].round(1).tolist() == [19.9]


def test_a_rate_that_changes_for_good_is_not_a_string_of_gaps() -> None:
    times = np.concatenate([np.arange(0, 60, 0.1), np.arange(60, 360, 4.0)])
    assert not track_of(series("rpm", times, times)).gaps.any()


def test_the_last_readings_before_the_end_do_not_hide_a_gap() -> None:
    times = np.concatenate([np.arange(0, 60, 0.1), [122.0, 122.1]])
    assert track_of(series("rpm", times, times)).gaps.sum() == 1


def test_a_value_is_held_only_as_long_as_the_signals_own_rate_allows() -> None:
    times = np.concatenate([np.arange(0, 20.0), np.arange(60, 80.0)])
    slow = np.arange(0, 80, 10.0)
    table = SignalTable(
        {"rpm": series("rpm", times, times), "coolant_temp": series("coolant_temp", slow, slow)}
    )
    timeline = Timeline(table, step_s=0.5)
    held = timeline.held("rpm")
    assert held[timeline.place(np.array([19.0 + 3.0]))[0]] == 19.0
    assert np.isnan(held[timeline.place(np.array([19.0 + 3.5]))[0]])
    assert np.isnan(held[timeline.place(np.array([59.5]))[0]])
    assert not np.isnan(timeline.held("coolant_temp")).any()
    ages = timeline.age_s("rpm")
    assert np.nanmax(ages) <= 3.0
    assert np.isnan(ages[timeline.place(np.array([40.0]))[0]])


def test_a_signal_that_starts_late_has_no_value_before() -> None:
    table = SignalTable(
        {
            "rpm": series("rpm", np.arange(0, 50.0), np.ones(50)),
            "speed": series("speed", np.arange(20, 50.0), np.ones(30)),
        }
    )
    timeline = Timeline(table)
    assert np.isnan(timeline.held("speed")[:20]).all()
    assert np.isfinite(timeline.held("speed")[20:]).all()


def test_integration_crosses_short_gaps_but_not_long_ones_nor_recorded_ones() -> None:
    times = np.concatenate([np.arange(0, 11.0), np.arange(15, 26.0), np.arange(100, 111.0)])
    table = SignalTable({"speed": series("speed", times, np.full(times.size, 36.0))})
    assert Timeline(table)["speed"].integral() == pytest.approx(36 * (10 + 5 + 10 + 10))
    noted = Timeline(table, gaps=[(10.5, 14.5, "adapter lost")])
    assert noted["speed"].integral() == pytest.approx(36 * 30)
    assert np.isnan(noted.held("speed")[noted.place(np.array([12.0]))[0]])


@given(st.floats(-1e6, 1e6), st.integers(5, 200))
@settings(max_examples=40, deadline=None)
def test_a_shift_in_time_changes_neither_gaps_nor_integrals(shift: float, count: int) -> None:
    rng = np.random.default_rng(count)
    times = np.cumsum(rng.uniform(0.05, 2.0, count))
    here, there = (
        track_of(series("speed", at, rng.uniform(0, 9, count) * 0 + 5)) for at in (times, times + shift)
    )
    assert here.integral() == pytest.approx(there.integral(), rel=1e-6)
    assert here.gaps.sum() == there.gaps.sum()


def test_rows_that_repeat_older_values_are_thinned_to_what_was_read() -> None:
    rows, signals = 3000, 6
    rng = np.random.default_rng(3)
    real = np.cumsum(rng.integers(-3, 4, (signals, rows // signals + 1)), axis=1)
    times = np.arange(rows) * 0.1
    index = np.arange(rows)
    held = {f"x_{k}": real[k][(index - k) // signals * (index >= k)] for k in range(signals)}
    timeline = Timeline(table_of(times, **{name: values.astype(float) for name, values in held.items()}))
    assert timeline.rows_per_reading == signals
    track = timeline["x_2"]
    assert track.period_s == pytest.approx(0.6)
    assert len(track) == pytest.approx(rows / signals, rel=0.02)
    assert track.repairs.repeated == rows - len(track)


def test_ordinary_rows_are_left_as_they_are() -> None:
    rng = np.random.default_rng(4)
    times = np.arange(500) * 0.5
    timeline = Timeline(table_of(times, **{f"x_{k}": rng.normal(size=500) for k in range(5)}))
    assert timeline.rows_per_reading is None


def test_runs_are_the_stretches_of_true() -> None:
    assert runs(np.array([True, True, False, True])).tolist() == [[0, 2], [3, 4]]
    assert runs(np.zeros(3, bool)).tolist() == []
