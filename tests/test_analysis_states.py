"""Operating states: each moment has one, and what the signals cannot tell is absent with a reason."""

import numpy as np
import pytest
from test_analysis_tables import table_of, trip

from analysis.engine import Engine
from analysis.results.states import StateName
from analysis.states import STATE_NAMES, States, operating_states, state_report
from analysis.summaries import signal_statistics
from analysis.table import SignalTable
from analysis.timeline import Timeline


def script() -> SignalTable:
    """Off 10 s, cranking 1 s, cold 200 s, warm idle 60 s, pull 10 s, cruise 100 s, overrun 15 s, full load 10 s."""
    times = np.arange(0, 406, 0.2)
    edges = [0, 10, 11, 211, 271, 281, 381, 396]
    phase = np.digitize(times, edges[1:])
    speed = np.interp(times, [0, 271, 281, 381, 396, 406], [0, 0, 54, 54, 33, 100])
    rpm = np.select([phase == 0, phase == 1, phase <= 3], [0, 220, 800], np.maximum(1500, 40 * speed))
    pedal = np.select([phase == 4, phase == 5, phase == 7], [35, 22, 95], 15)
    pressure = np.select(
        [phase <= 1, phase <= 3, phase == 4, phase == 5, phase == 6], [100, 32, 60, 45, 24], 98
    )
    coolant = np.interp(times, [0, 211, 406], [20, 70.4, 90])
    return table_of(
        times,
        rpm=rpm.astype(float),
        speed=speed,
        accelerator_pos_d=pedal.astype(float),
        intake_pressure=pressure.astype(float),
        engine_load=np.where(phase == 7, 97.0, pressure * 0.8),
        coolant_temp=coolant,
    )


def states_of(table: SignalTable) -> States:
    return operating_states(Timeline(table))


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        ("off", 10),
        ("cranking", 1),
        ("cold start", 200),
        ("warm idle", 60),
        ("acceleration", 10),
        ("steady cruise", 100),
        ("overrun", 15),
        ("full load", 10),
    ],
)
def test_each_phase_of_a_scripted_drive_is_told(state: StateName, seconds: float) -> None:
    assert states_of(script()).seconds(state) == pytest.approx(seconds, abs=2.5)


def test_every_moment_has_exactly_one_state() -> None:
    table = trip(900)
    states = states_of(table)
    total = sum(states.seconds(name) for name in STATE_NAMES)
    assert total == pytest.approx(states.codes.size * states.step_s)
    shares = [share.share.value or 0 for share in state_report(states).states]
    assert sum(shares) == pytest.approx(1)


def test_moments_without_engine_speed_are_unknown_not_off() -> None:
    table = script()
    rpm = table["rpm"]
    keep = (rpm.times_s < 300) | (rpm.times_s > 340)
    holed = SignalTable({**table, **table_of(rpm.times_s[keep], rpm=rpm.values[keep])})
    assert states_of(holed).seconds("unknown") == pytest.approx(40, abs=2)
    assert states_of(holed).seconds("off") == pytest.approx(10, abs=1)


@pytest.mark.parametrize(
    ("missing", "state"),
    [
        ("rpm", "warm idle"),
        ("speed", "steady cruise"),
        ("coolant_temp", "cold start"),
        ("accelerator_pos_d", "overrun"),
    ],
)
def test_a_state_that_cannot_be_told_is_absent_with_its_reason(missing: str, state: StateName) -> None:
    table = SignalTable({name: one for name, one in script().items() if name != missing})
    share = next(s for s in state_report(states_of(table)).states if s.state == state)
    assert share.duration_s.kind == "absent"
    assert share.duration_s.reason


def test_without_a_speed_idle_is_told_from_rpm_and_says_so() -> None:
    table = SignalTable({name: one for name, one in script().items() if name != "speed"})
    states = states_of(table)
    assert states.seconds("warm idle") == pytest.approx(60, abs=3)
    assert "rpm alone" in states.notes[0]


def test_an_engine_that_never_warms_counts_as_warm_after_twenty_minutes() -> None:
    times = np.arange(0, 1800.0)
    engine = Engine(Timeline(table_of(times, rpm=np.full(1800, 900.0), coolant_temp=np.full(1800, 55.0))))
    assert engine.cold.sum() == pytest.approx(1200, abs=2)
    assert engine.warm.sum() == pytest.approx(600, abs=2)


def test_a_restart_with_a_warm_engine_is_not_a_cold_start() -> None:
    table = script()
    rpm = table["rpm"].values.copy()
    rpm[1500:1520] = 0.0
    assert states_of(SignalTable({**table, **table_of(table["rpm"].times_s, rpm=rpm)})).seconds(
        "cold start"
    ) == pytest.approx(200, abs=2.5)


def test_statistics_per_state_add_up_to_the_whole() -> None:
    timeline = Timeline(trip(900))
    for one in signal_statistics(timeline, operating_states(timeline)):
        assert sum(part.count for part in one.states) == pytest.approx(one.count, abs=10)
        assert min(part.minimum for part in one.states) == one.minimum
        weighted = sum(part.mean * part.seconds for part in one.states) / sum(
            part.seconds for part in one.states
        )
        assert weighted == pytest.approx(one.mean, rel=1e-2, abs=0.05)


def test_means_and_quantiles_weight_by_time_where_the_rate_changes() -> None:
    times = np.concatenate([np.arange(0, 100, 0.1), np.arange(100, 1000, 5.0)])
    timeline = Timeline(table_of(times, rpm=np.where(times < 100, 3000.0, 1000.0)))
    (one,) = signal_statistics(timeline, operating_states(timeline))
    assert one.mean == pytest.approx(1200, rel=0.01)
    assert one.median == 1000
    assert one.weighting == "time"


def test_quantiles_of_an_even_rate_are_numpys() -> None:
    values = np.random.default_rng(1).normal(size=1001)
    timeline = Timeline(table_of(np.arange(1001.0), x_a=values))
    (one,) = signal_statistics(timeline, operating_states(timeline))
    assert [one.p05, one.median, one.p95] == pytest.approx(np.quantile(values, [0.05, 0.5, 0.95]).tolist())
    assert (one.first, one.last) == (values[0], values[-1])
