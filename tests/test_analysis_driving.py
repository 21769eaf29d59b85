"""The drive in numbers: distances that can be checked by hand, events, gears, and what is absent."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_analysis_tables import OVERALL_RATIOS, series, table_of, trip

from analysis.driving.performance import performance
from analysis.driving.summary import driving_summary
from analysis.facts import VehicleFacts
from analysis.results.driving import DrivingSummary
from analysis.table import SignalTable
from analysis.timeline import Timeline


def summed(table: SignalTable) -> DrivingSummary:
    return driving_summary(Timeline(table))


def trapezoid(rate_hz: float) -> SignalTable:
    """20 s up to 72 km/h, 60 s there, 20 s down, 20 s standing with the engine idling: 1600 m."""
    times = np.arange(0, 120 + 1e-9, 1 / rate_hz)
    speed = np.interp(times, [0, 20, 80, 100, 120], [0, 72, 72, 0, 0])
    return table_of(times, speed=speed, rpm=np.where(speed > 0, 2000.0, 800.0))


@pytest.mark.parametrize("rate_hz", [10.0, 2.0, 1.0, 0.5])
def test_the_distance_of_a_trapezoid_is_exact_at_any_rate(rate_hz: float) -> None:
    driven = summed(trapezoid(rate_hz))
    assert driven.distance_km.value == pytest.approx(1.6)
    assert driven.duration_s.value == pytest.approx(120)
    assert driven.mean_speed_kmh.value == pytest.approx(1.6 / 120 * 3600)


@given(st.floats(-1e5, 1e5), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_shift_in_time_order_of_signals_and_repeats_change_nothing(shift: float, random: object) -> None:
    table = trapezoid(2.0)
    names = list(table)
    random.shuffle(names)  # type: ignore[attr-defined]  # hypothesis hands out a random.Random
    twice = SignalTable(
        {n: series(n, np.repeat(table[n].times_s + shift, 2), np.repeat(table[n].values, 2)) for n in names}
    )
    here, there = summed(table), summed(twice)
    assert there.distance_km.value == pytest.approx(here.distance_km.value, rel=1e-6)
    assert there.idle_s.value == pytest.approx(here.idle_s.value, abs=0.51)
    assert there.stops.value == here.stops.value


@pytest.mark.parametrize("keep_every", [2, 5, 10])
def test_fewer_readings_change_the_distance_little(keep_every: int) -> None:
    table = trip(900)
    thin = SignalTable(
        {n: series(n, s.times_s[::keep_every], s.values[::keep_every]) for n, s in table.items()}
    )
    assert summed(thin).distance_km.value == pytest.approx(summed(table).distance_km.value, rel=0.003)


def test_the_bounds_of_a_distance_hold_its_truth() -> None:
    times = np.arange(0, 600, 0.5)
    true = 50 + 30 * np.sin(times / 40)
    driven = summed(table_of(times, speed=np.floor(true * 1.01)))
    truth = float(np.trapezoid(true, times)) / 3600
    assert driven.distance_km.low is not None
    assert driven.distance_km.high is not None
    assert driven.distance_km.low <= truth <= driven.distance_km.high


def test_a_gap_is_left_out_of_the_distance_and_named_in_its_method() -> None:
    times = np.concatenate([np.arange(0, 100.0), np.arange(160, 260.0)])
    driven = summed(table_of(times, speed=np.full(times.size, 72.0)))
    assert driven.distance_km.value == pytest.approx(2 * 99 * 0.02)
    assert "61.0 s in 1 gaps left out" in (driven.distance_km.method or "")


def test_the_odometer_speaks_where_there_is_one() -> None:
    times = np.arange(0, 1000.0)
    driven = summed(
        table_of(times, speed=np.full(1000, 72.0), odometer=12_345 + np.floor(times * 0.02 * 10) / 10)
    )
    assert driven.odometer_km.value == pytest.approx(19.9)
    assert driven.distance_km.value == pytest.approx(driven.odometer_km.value, rel=0.015)


def test_idle_is_running_while_standing_and_not_standing_with_the_engine_off() -> None:
    times = np.arange(0, 300, 0.5)
    speed = np.where((times > 100) & (times < 200), 50.0, 0.0)
    rpm = np.where(times < 40, 0.0, np.where(speed > 0, 1800.0, 800.0))
    driven = summed(table_of(times, speed=speed, rpm=rpm))
    assert driven.idle_s.value == pytest.approx(60 + 100, abs=1.5)
    assert driven.idle_share.value == pytest.approx(160 / 260, abs=0.01)
    assert driven.stopped_s.value == pytest.approx(200, abs=1.5)
    assert driven.engine_starts.value == 1
    assert driven.stops.value == 1


def test_stops_starts_and_hard_braking_are_counted_as_events() -> None:
    times = np.arange(0, 120, 0.2)
    speed = np.interp(times, [0, 10, 20, 22, 40, 50, 60, 75, 90, 120], [0, 50, 50, 0, 0, 50, 50, 0, 0, 0])
    rpm = np.where((times > 95) & (times < 105), 0.0, 900.0)
    driven = summed(table_of(times, speed=speed, rpm=rpm))
    assert driven.stops.value == 2
    assert driven.harsh_brakings.value == 1
    assert driven.max_braking_ms2.value == pytest.approx(-50 / 2 / 3.6, rel=0.05)
    assert driven.engine_starts.value == 1
    assert "-3.5 m/s²" in (driven.harsh_brakings.method or "")


def test_warm_up_is_timed_from_a_cold_start_and_absent_for_a_warm_one() -> None:
    cold, warm = summed(trip(600, cold=True)), summed(trip(300, cold=False))
    assert cold.warm_up_s.value == pytest.approx((70 - 22) / 0.2, abs=5)
    assert warm.warm_up_s.value is None
    assert "already at 88 °C" in (warm.warm_up_s.reason or "")


def test_gear_ratios_are_found_with_their_use() -> None:
    driven = summed(trip(2400))
    found = [gear.rpm_per_kmh.value for gear in driven.gears]
    assert len(found) >= 4
    for ratio in found:
        assert min(abs(np.log(ratio / true)) for true in OVERALL_RATIOS) < 0.03
    assert sum(gear.usage.value or 0 for gear in driven.gears) == pytest.approx(100, abs=1)


def test_a_car_without_gears_has_none() -> None:
    times = np.arange(0, 600, 0.2)
    rng = np.random.default_rng(3)
    speed = 60 + 30 * np.sin(times / 20)
    driven = summed(
        table_of(
            times, speed=speed, rpm=np.clip(1500 + 25 * rng.normal(size=times.size).cumsum(), 1000, 5000)
        )
    )
    assert driven.gears == []
    assert driven.gears_reason


def test_overrun_is_told_from_pedal_and_manifold_and_cruise_control_is_not_overrun() -> None:
    times = np.arange(0, 400, 0.2)
    idle, braking = times < 60, (times > 200) & (times < 220)
    speed = np.where(idle, 0.0, np.where(braking, 100 - 2.5 * (times - 200), 100.0))
    pressure = np.where(idle, 33.0, np.where(braking, 24.0, 55.0))
    driven = summed(
        table_of(
            times,
            speed=speed,
            rpm=np.where(idle, 800.0, 25 * speed),
            intake_pressure=pressure,
            accelerator_pos_d=np.where((times > 60) & (times < 80), 40.0, 15.0),
        )
    )
    assert driven.overrun_share.value == pytest.approx(20 / 340, abs=0.005)


def test_what_the_signals_cannot_tell_is_absent_with_a_reason() -> None:
    driven = summed(table_of(np.arange(100.0), coolant_temp=np.full(100, 80.0)))
    for name, quantity in driven:
        if name in ("gears", "gears_reason", "duration_s"):
            continue
        assert quantity.kind == "absent", name
        assert quantity.reason


def test_a_standing_start_is_timed_and_a_hesitant_one_is_not_a_pull() -> None:
    times = np.arange(0, 60, 0.1)
    fast = table_of(times, speed=np.interp(times, [0, 10, 20.5, 60], [0, 0, 105, 105]))
    assert performance(Timeline(fast)).zero_to_100_s.value == pytest.approx(10, abs=0.2)
    slow = table_of(times, speed=np.interp(times, [0, 10, 20, 30, 60], [0, 50, 40, 105, 105]))
    refused = performance(Timeline(slow)).zero_to_100_s
    assert refused.value is None
    assert "no uninterrupted" in (refused.reason or "")


def test_power_at_the_wheels_needs_the_mass_of_the_car() -> None:
    times = np.arange(0, 30, 0.1)
    timeline = Timeline(table_of(times, speed=np.clip(7.2 * times, 0, 100)))
    assert "mass" in (performance(timeline).peak_power_kw.reason or "")
    power = performance(timeline, VehicleFacts(mass_kg=1500)).peak_power_kw
    v = (100 - 7.2) / 3.6  # the last moment at which the change over 2 s is still all acceleration
    expected = (1500 * (1.05 * 2.0 + 9.81 * 0.012) + 0.39 * v**2) * v / 1000
    assert power.value == pytest.approx(expected, rel=0.05)
    assert power.low is not None
    assert power.high is not None
    assert power.low < power.value < power.high
