"""Live anomalies: the same as afterwards, told once each, in bounded memory."""

from functools import cache

import numpy as np
import pytest

from analysis.anomalies import StreamingDetector, detect, learn_baseline
from analysis.errors import UnknownChoiceError
from analysis.results.anomalies import Anomaly, Baseline, LiveAnomaly
from analysis.table import SignalSeries, SignalTable
from vehicle.simulator import FAULTS, UNITS, SimulatorOptions, drive

WATCHED = (
    "rpm", "speed", "coolant_temp", "engine_load", "maf", "intake_pressure", "intake_temp", "throttle_pos",
    "accelerator_pos_d", "short_fuel_trim_1", "long_fuel_trim_1", "fuel_status", "control_module_voltage",
    "fuel_pressure", "o2_b1s2",
)  # fmt: skip
PLACE_S = 5.0
"""How far starts and ends may lie apart: one round of judging."""


@cache
def simulated(seconds: float = 420, hz: float = 4.0, **options: object) -> SignalTable:
    signals = drive(seconds, hz, options=SimulatorOptions(**{"warm": True, **options}))
    return SignalTable({name: SignalSeries(name, UNITS[name], *signals[name]) for name in WATCHED})


@cache
def baseline() -> Baseline:
    drives = ((1, "mixed"), (2, "city"), (3, "city"))
    return learn_baseline([simulated(seed=seed, cycle=cycle) for seed, cycle in drives])


@cache
def faulty(fault: str, seconds: float = 420) -> SignalTable:
    return simulated(seconds, seed=31, cycle="city", fault=fault, fault_at=120.0)


def fed(
    detector: StreamingDetector, table: SignalTable, batch_s: float = 0.5, until_s: float = np.inf
) -> list[LiveAnomaly]:
    """Feed a drive batch by batch, judge once more at its end, and return all that was told."""
    first, last = table.span_s
    edges = np.arange(first, min(last, until_s) + batch_s, batch_s)
    places = {name: np.searchsorted(one.times_s, edges) for name, one in table.items()}
    told = []
    for k in range(edges.size - 1):
        batch = {
            name: (one.times_s[at[k] : at[k + 1]], one.values[at[k] : at[k + 1]])
            for (name, one), at in zip(table.items(), places.values(), strict=True)
            if at[k + 1] > at[k]
        }
        told += detector.add(batch)
    return told + detector.judge()


def listed(anomalies: list[Anomaly] | list[LiveAnomaly]) -> list[tuple[str, str, str]]:
    return sorted((one.signal, one.kind, one.channel) for one in anomalies)


def places(anomalies: list[Anomaly] | list[LiveAnomaly]) -> list[float]:
    ordered = sorted(anomalies, key=lambda one: (one.signal, one.kind, one.channel, one.start_s))
    return [place for one in ordered for place in (one.start_s, one.end_s)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fed_drive_gives_the_anomalies_of_the_whole_one(fault: str) -> None:
    whole = detect(faulty(fault), baseline=baseline(), sensitivity="high").anomalies
    live = StreamingDetector(baseline(), sensitivity="high", units=UNITS, every_s=10)
    fed(live, faulty(fault))
    assert listed(live.anomalies) == listed(whole)
    assert places(live.anomalies) == pytest.approx(places(whole), abs=PLACE_S)
    if fault in ("vacuum_leak", "maf_under_reading", "weak_alternator", "fuel_pressure_low", "misfire"):
        assert whole


@pytest.mark.parametrize("fault", ["vacuum_leak", "weak_alternator", "misfire"])
def test_a_window_that_moves_along_loses_no_anomaly_and_makes_none(fault: str) -> None:
    whole = detect(faulty(fault, 760), baseline=baseline()).anomalies
    live = StreamingDetector(baseline(), units=UNITS, every_s=10, window_s=300)
    fed(live, faulty(fault, 760))
    strong = [one for one in whole if one.score > 1.2]
    assert strong
    kinds = {(one.signal, one.kind) for one in live.anomalies}
    assert {(one.signal, one.kind) for one in strong} <= kinds
    assert kinds <= {
        (one.signal, one.kind)
        for one in detect(faulty(fault, 760), baseline=baseline(), sensitivity="high").anomalies
    }


def test_memory_holds_one_window_however_long_the_session() -> None:
    live, held = StreamingDetector(units=UNITS, every_s=30, window_s=300), []
    table = simulated(1200, 2.0, seed=4)
    for until_s in (400.0, 800.0, 1200.0):
        fed(live, table.between(until_s - 400, until_s), 5.0)
        held.append(live.readings)
    most = (300 + 30 + 5) * 2 * len(WATCHED)
    assert max(held) <= most
    assert live.anomalies == []


def test_a_healthy_drive_raises_nothing_on_the_way() -> None:
    live = StreamingDetector(baseline(), units=UNITS)
    assert fed(live, simulated(seed=21, cycle="city")) == []


def test_an_anomaly_is_raised_soon_cleared_once_and_keeps_its_number() -> None:
    table = simulated(seed=21, cycle="city")
    volts = table["control_module_voltage"]
    low = np.where((volts.times_s > 150) & (volts.times_s < 230), volts.values - 2.5, volts.values)
    table = SignalTable(
        {**table, "control_module_voltage": SignalSeries(volts.signal, "V", volts.times_s, low)}
    )
    live = StreamingDetector(baseline(), units=UNITS)
    early = fed(live, table, until_s=200)
    assert [(one.signal, one.state) for one in early if one.state == "raised"] == [
        ("control_module_voltage", "raised")
    ]
    told = fed(live, table.between(200, None))
    assert {one.number for one in early + told} == {1}
    assert [one.state for one in told if one.state != "updated"] == ["cleared"]
    (one,) = live.anomalies
    assert one.start_s == pytest.approx(150, abs=PLACE_S)
    assert one.end_s == pytest.approx(230, abs=15)


def test_late_readings_fall_into_place_and_too_late_ones_are_left_out() -> None:
    table = faulty("weak_alternator")
    mixed = StreamingDetector(baseline(), units=UNITS, every_s=10)
    for start_s in np.arange(0.0, 420.0, 4.0):
        for first in (start_s + 2, start_s):
            part = table.between(first, first + 1.99)
            mixed.add({name: (one.times_s, one.values) for name, one in part.items() if len(one)})
    mixed.judge()
    straight = StreamingDetector(baseline(), units=UNITS, every_s=10)
    fed(straight, table)
    assert listed(mixed.anomalies) == listed(straight.anomalies) != []
    moved = StreamingDetector(units=UNITS, window_s=300)
    fed(moved, table, 5.0)
    held = moved.readings
    moved.add({"rpm": (np.array([1.0]), np.array([9000.0]))})
    assert moved.readings == held


def test_a_window_too_short_to_judge_is_refused() -> None:
    with pytest.raises(UnknownChoiceError, match="60 s judged every 5 s"):
        StreamingDetector(window_s=60)
    with pytest.raises(UnknownChoiceError, match="very"):
        StreamingDetector(sensitivity="very")
    assert StreamingDetector().add({}) == []


def test_a_gap_the_recorder_noted_counts_as_in_the_whole_session() -> None:
    table = faulty("weak_alternator")
    kept = SignalTable(
        {
            name: SignalSeries(name, one.unit, one.times_s[far], one.values[far])
            for name, one in table.items()
            for far in [(one.times_s < 200) | (one.times_s > 212)]
        }
    )
    gap = (200.0, 212.0, "the adapter was away")
    live = StreamingDetector(units=UNITS, every_s=10)
    live.keep({}, [gap])
    fed(live, kept)
    whole = detect(kept, gaps=[gap]).anomalies
    assert listed(live.anomalies) == listed(whole) != []
    assert places(live.anomalies) == pytest.approx(places(whole), abs=PLACE_S)


def test_a_baseline_that_comes_later_is_used_from_then_on() -> None:
    live = StreamingDetector(units=UNITS, every_s=10)
    told = fed(live, faulty("misfire"), until_s=200)
    assert not any(one.baseline for one in told)
    live.baseline = baseline()
    fed(live, faulty("misfire").between(200, None))
    assert listed(live.anomalies) == listed(detect(faulty("misfire"), baseline=baseline()).anomalies) != []
