"""Streaming checks: raised once, cleared once, never by noise."""

from collections.abc import Sequence

import numpy as np
import pytest

from analysis.streaming.changes import Change, readings_of
from analysis.streaming.limit_rules import LIMITS
from analysis.streaming.losses import LossDetector
from analysis.streaming.monitor import Monitor
from analysis.streaming.registry import RATES, TRENDS, new_detectors, register
from vehicle.signals import SIGNALS


def feed(
    monitor: Monitor, signal: str, times_s: Sequence[float], values: Sequence[float], batch: int = 10
) -> list[Change]:
    """Feed one signal in batches."""
    changes = []
    for start in range(0, len(times_s), batch):
        times = np.array(times_s[start : start + batch], np.float64)
        part = np.array(values[start : start + batch], np.float64)
        readings = readings_of(signal, SIGNALS[signal].unit, "7E8", times, part)
        changes += monitor.feed([readings], float(times[0]), float(times[-1]))
    return changes


def told(changes: Sequence[Change]) -> list[tuple[str, bool]]:
    return [(change.rule, change.is_raised) for change in changes]


def seconds(n: int, step_s: float = 1.0) -> list[float]:
    return [number * step_s for number in range(n)]


def test_every_rule_watches_a_signal_of_the_table_in_its_unit() -> None:
    for rule in (*LIMITS, *RATES, *TRENDS):
        assert SIGNALS[rule.signal].unit == rule.unit
    for limit in LIMITS:
        signal = SIGNALS[limit.signal]
        assert (
            signal.low
            <= min(limit.raise_at, limit.clear_at)
            <= max(limit.raise_at, limit.clear_at)
            <= signal.high
        )


def test_a_hot_engine_raises_once_and_clears_once_however_often_it_crosses_the_limit() -> None:
    wobble = [111.0 if number % 3 else 109.5 for number in range(60)]
    hot = [90.0] * 10 + [112.0] * 20 + wobble + [112.0] * 10 + [100.0] * 30
    changes = [
        one
        for one in feed(Monitor(), "coolant_temp", seconds(len(hot)), hot)
        if one.rule == "coolant_overheating"
    ]
    assert told(changes) == [("coolant_overheating", True), ("coolant_overheating", False)]
    raised, cleared = changes
    assert (raised.severity, raised.value, raised.unit, raised.at_s) == ("critical", 112.0, "°C", 12.0)
    assert cleared.at_s > 100


def test_one_hot_reading_alone_is_no_alert() -> None:
    values = [90.0] * 30
    values[15] = 111.0
    monitor = Monitor(
        [detector for detector in new_detectors() if type(detector).__name__ == "LimitDetector"]
    )
    assert not feed(monitor, "coolant_temp", seconds(30, 0.5), values)


def test_batch_sizes_change_nothing() -> None:
    times = seconds(200, 0.5)
    values = (105 + 8 * np.sin(np.array(times) / 12)).tolist()
    results = [told(feed(Monitor(), "coolant_temp", times, values, batch)) for batch in (1, 7, 200)]
    assert results[0] == results[1] == results[2]
    assert len(results[0]) >= 3


def test_ecus_are_told_apart() -> None:
    monitor = Monitor()
    times = np.array(seconds(10))
    hot, cool = np.full(10, 115.0), np.full(10, 90.0)
    batch = [readings_of("coolant_temp", "°C", ecu, times, v) for ecu, v in (("7E8", hot), ("7E9", cool))]
    assert [change.ecu for change in monitor.feed(batch, 0.0, 9.0)] == ["7E8"]


def test_a_reading_in_another_unit_is_never_compared() -> None:
    fahrenheit = readings_of("coolant_temp", "°F", "", np.array(seconds(10)), np.full(10, 190.0))
    assert not Monitor().feed([fahrenheit], 0.0, 9.0)


@pytest.mark.parametrize(("rpm", "expected"), [(800.0, [("not_charging", True)]), (0.0, []), (None, [])])
def test_low_voltage_matters_only_where_the_engine_is_known_to_run(
    rpm: float | None, expected: list[tuple[str, bool]]
) -> None:
    monitor, changes = Monitor(), []
    for second in range(30):
        times = np.array([float(second)])
        batch = [readings_of("control_module_voltage", "V", "", times, np.array([11.5]))]
        if rpm is not None:
            batch.append(readings_of("rpm", "rpm", "", times, np.array([rpm])))
        changes += monitor.feed(batch, second, second)
    assert told(changes) == expected


def test_a_jump_that_physics_forbids_is_an_anomaly_and_slow_warming_is_none() -> None:
    values = np.linspace(20, 90, 120).tolist()
    assert not feed(Monitor(), "coolant_temp", seconds(120), values)
    values[60:] = [value + 40 for value in values[60:]]
    changes = [one for one in feed(Monitor(), "coolant_temp", seconds(120), values) if one.kind == "anomaly"]
    assert told(changes) == [("coolant_jump", True), ("coolant_jump", False)]
    assert changes[0].at_s == 60


def test_quantised_speed_at_a_thousand_hertz_does_not_jump() -> None:
    times = seconds(5000, 0.001)
    values = np.floor(np.linspace(50, 90, 5000)).tolist()
    assert not feed(Monitor(), "speed", times, values, 100)


def test_a_steady_climb_above_100_degrees_is_told_before_the_limit_is_reached() -> None:
    values = np.minimum(95 + np.arange(150) / 60 * 5, 107).tolist()
    changes = feed(Monitor(), "coolant_temp", seconds(150), values)
    assert told(changes)[0] == ("coolant_rising", True)
    assert 100 < (changes[0].value or 0) < 110


def test_noise_around_a_level_is_no_trend() -> None:
    random = np.random.default_rng(3)
    values = (104 + random.normal(0, 0.5, 3600)).tolist()
    assert not feed(Monitor(), "coolant_temp", seconds(3600), values)


def test_new_codes_are_raised_and_cleared_with_their_number() -> None:
    changes = feed(Monitor(), "dtc_count", seconds(6), [0, 0, 1, 2, 2, 0], 2)
    assert [(change.is_raised, change.value) for change in changes] == [
        (True, 1.0),
        (False, 2.0),
        (True, 2.0),
        (False, 0.0),
    ]
    assert {change.kind for change in changes} == {"dtc_count"}


def used_to_a_second() -> LossDetector:
    losses = LossDetector()
    assert not [change for second in range(9) for change in losses.feed(second, second + 0.5)]
    return losses


def test_a_silence_is_raised_while_it_lasts_and_cleared_by_the_next_batch() -> None:
    losses = used_to_a_second()
    assert not list(losses.silence(9))
    assert [change.is_raised for change in losses.silence(11)] == [True]
    assert not list(losses.silence(20))
    assert [change.is_raised for change in losses.feed(25, 26)] == [False]


def test_a_slow_source_is_given_its_own_pace() -> None:
    losses = LossDetector()
    assert not [change for number in range(20) for change in losses.feed(number * 30, number * 30 + 1)]
    assert not list(losses.silence(100))
    assert losses.patience_s > 100


def test_a_gap_between_batches_is_raised_and_cleared_at_once() -> None:
    losses = used_to_a_second()
    changes = list(losses.feed(60, 61))
    assert [(change.is_raised, change.at_s) for change in changes] == [(True, 8.5), (False, 60)]


def test_a_healthy_drive_is_quiet() -> None:
    times_s = np.arange(0, 600, 0.1)
    random = np.random.default_rng(1)
    drive = {
        "coolant_temp": 90 + np.round(2 * np.sin(times_s / 40)),
        "speed": np.round(50 + 30 * np.sin(times_s / 20)),
        "control_module_voltage": 14.2 + random.normal(0, 0.05, times_s.size),
        "long_fuel_trim_1": np.round(3 + random.normal(0, 1, times_s.size)),
        "rpm": 2000 + 500 * np.sin(times_s / 10),
    }
    monitor = Monitor()
    for start in range(0, times_s.size, 10):
        part = slice(start, start + 10)
        batch = [
            readings_of(name, SIGNALS[name].unit, "", times_s[part], values[part])
            for name, values in drive.items()
        ]
        assert not monitor.feed(batch, times_s[start], times_s[min(start + 9, times_s.size - 1)])


def test_a_registered_detector_is_given_to_new_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.streaming.registry._added", [])

    class Listening:
        signals = frozenset({"maf"})

        def feed(self, readings: object, latest: object) -> list[Change]:
            return []

    register(Listening)
    assert Monitor().watches("maf")
