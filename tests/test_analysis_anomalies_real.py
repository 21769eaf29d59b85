"""Anomalies of two real cars, each drive judged by the others: few false alarms, and none without a fault's cause."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest
from drives import ETIOS_DRIVES, ETIOS_IDLES, LEON_DRIVES, changed, etios, leon

from analysis.anomalies import detect, learn_baseline
from analysis.results.anomalies import Anomaly, Baseline
from analysis.table import SignalTable

PETROL = (*ETIOS_DRIVES, *ETIOS_IDLES)
LEVELS = ("low", "normal", "high", 1.0)
REGENERATING = LEON_DRIVES[2]


@cache
def others(name: str) -> Baseline:
    names, read = (PETROL, etios) if name in PETROL else (LEON_DRIVES, leon)
    return learn_baseline([read(one) for one in names if one != name])


def found(table: SignalTable, name: str, sensitivity: str | float = "normal") -> list[Anomaly]:
    return detect(table, baseline=others(name), sensitivity=sensitivity).anomalies


def false_alarms_per_h(names: Sequence[str], read: Callable[[str], SignalTable]) -> list[float]:
    hours = sum(np.ptp(read(name).span_s) for name in names) / 3600
    return [sum(len(found(read(name), name, level)) for name in names) / hours for level in LEVELS]


@pytest.mark.parametrize(("names", "read"), [(PETROL, etios), (LEON_DRIVES, leon)])
def test_false_alarms_per_hour_rise_with_sensitivity_as_stated(
    names: Sequence[str], read: Callable[[str], SignalTable]
) -> None:
    low, normal, high, highest = false_alarms_per_h(names, read)
    assert low <= normal <= high <= highest
    assert low == 0
    assert normal <= 1
    assert 2 < high < 9 < highest


def test_a_leak_past_the_throttle_shows_in_five_minutes_with_a_cold_start() -> None:
    table = etios("drive5")
    trim, pressure = table["long_fuel_trim_1"], table["intake_pressure"]
    share = np.clip((60 - pressure.values) / 30, 0, 1)
    leaking = changed(table, "long_fuel_trim_1", trim.values + np.where(trim.times_s > 60, 16 * share, 0))
    (one,) = [one for one in found(leaking, "drive5") if one.channel == "trim of bank 1 at light load"]
    assert one.start_s < 240
    assert one.deviation > 10
    assert "above their usual distance" in one.explanation


def test_fuel_of_another_kind_is_not_a_leak_past_the_throttle() -> None:
    trim = etios("live16")["long_fuel_trim_1"]
    shifted = changed(etios("live16"), "long_fuel_trim_1", trim.values + 14)
    assert "trim of bank 1 at light load" not in {one.channel for one in found(shifted, "live16")}


@pytest.mark.parametrize("name", LEON_DRIVES)
def test_air_that_a_stopped_engine_heats_is_no_spike(name: str) -> None:
    assert detect(leon(name), signals=["intake_temp"]).anomalies == []


def test_a_diesel_that_burns_its_soot_off_has_no_wrong_air_meter() -> None:
    table = leon(REGENERATING)
    flap, air = table["throttle_pos"], found(table, REGENERATING)
    shut = flap.times_s[flap.values < 60]
    assert np.count_nonzero((shut > 412) & (shut < 800)) > 150
    assert [one for one in air if one.channel == "air filling" and one.start_s < 900] == []


def test_crawling_traffic_and_the_fans_level_are_no_anomalies() -> None:
    crawling = found(leon(LEON_DRIVES[0]), LEON_DRIVES[0])
    assert [one for one in crawling if one.channel == "heated intake air"] == []
    hot = leon(REGENERATING)["coolant_temp"].values.max()
    assert hot >= 99
    assert "running temperature" not in {one.channel for one in found(leon(REGENERATING), REGENERATING)}
