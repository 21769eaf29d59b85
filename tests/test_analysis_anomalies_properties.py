"""What must not matter to anomalies: the session's clock, the order of signals, repetition, the rate of reading."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_analysis_anomalies_stream import baseline, faulty, simulated

from analysis.anomalies import detect
from analysis.anomalies.judgement import same
from analysis.results.anomalies import Anomaly
from analysis.table import SignalSeries, SignalTable

SHOWN = ("vacuum_leak", "maf_under_reading", "weak_alternator", "fuel_pressure_low")
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)


def found(table: SignalTable, sensitivity: float = 0.5) -> list[Anomaly]:
    return detect(table, baseline=baseline(), sensitivity=sensitivity).anomalies


def resampled(table: SignalTable, change: object) -> SignalTable:
    return SignalTable(
        {name: SignalSeries(name, one.unit, *change(one.times_s, one.values)) for name, one in table.items()}
    )


def conclusions(anomalies: list[Anomaly]) -> set[tuple[str, str]]:
    return {(one.signal, one.kind) for one in anomalies}


@settings(max_examples=6, deadline=None)
@given(by_s=st.floats(-1e5, 1e6), fault=st.sampled_from(SHOWN))
def test_another_start_of_the_clock_moves_places_and_nothing_else(by_s: float, fault: str) -> None:
    here, there = found(faulty(fault)), found(resampled(faulty(fault), lambda t, v: (t + by_s, v)))
    assert [(a.signal, a.channel) for a in here] == [(a.signal, a.channel) for a in there]
    assert [a.score for a in here] == pytest.approx([a.score for a in there], rel=1e-6)
    assert [a.start_s + by_s for a in here] == pytest.approx([a.start_s for a in there], abs=1e-3)


@settings(max_examples=6, deadline=None)
@given(order=st.permutations(sorted(faulty("vacuum_leak"))), fault=st.sampled_from(SHOWN))
def test_the_order_of_signals_does_not_matter(order: list[str], fault: str) -> None:
    table = faulty(fault)
    assert found(SignalTable({name: table[name] for name in order})) == found(table) != []


@pytest.mark.parametrize("fault", SHOWN)
def test_readings_delivered_twice_count_once(fault: str) -> None:
    table = faulty(fault)
    each = resampled(table, lambda t, v: (np.repeat(t, 2), np.repeat(v, 2)))
    block = resampled(table, lambda t, v: (np.concatenate((t, t[200:400])), np.concatenate((v, v[200:400]))))
    assert found(each) == found(table)
    assert found(block) == found(table)


@pytest.mark.parametrize("fault", SHOWN)
@pytest.mark.parametrize("every", [2, 4])
def test_fewer_readings_lead_to_the_same_conclusions(fault: str, every: int) -> None:
    table = faulty(fault)
    fewer = resampled(table, lambda t, v: (t[::every], v[::every]))
    clear = conclusions(found(table, 0.35))
    assert clear
    assert clear <= conclusions(found(fewer))
    assert conclusions(found(fewer, 0.35)) <= conclusions(found(table))


@pytest.mark.parametrize("every", [1, 2, 4])
def test_a_healthy_drive_stays_healthy_at_any_rate(every: int) -> None:
    table = simulated(seed=21, cycle="city")
    assert found(resampled(table, lambda t, v: (t[::every], v[::every]))) == []


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_more_sensitivity_never_means_less_alarm(seed: int) -> None:
    table = simulated(seed=seed, cycle="city")
    reports = [found(table, level) for level in LEVELS]
    assert reports[:3] == [[], [], []]
    for lower, higher in pairwise(reports):
        assert all(any(same(one, other) for other in higher) for one in lower)
    alarm_s = [_alarm_s(report) for report in reports]
    assert alarm_s == sorted(alarm_s)


def _alarm_s(anomalies: list[Anomaly]) -> float:
    grid = np.arange(0, 420, 0.5)
    alarm = np.zeros(grid.size, dtype=bool)
    for one in anomalies:
        alarm |= (grid >= one.start_s) & (grid <= one.end_s)
    return float(alarm.sum()) * 0.5
