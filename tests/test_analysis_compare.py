"""Comparing sessions: what is called different, what is not, and how sure."""

import itertools

import numpy as np
import pytest
from drives import LEON_DRIVES, changed, etios, leon, only, shifted, simulated, table_of, without

from analysis.compare import compare
from analysis.compare.degradation import change_point, drift
from analysis.errors import NotEnoughDataError, UnknownChoiceError
from analysis.facts import VehicleFacts

WARM_DRIVES = ("live12", "live16", "live6", "long6", "ufpe3", "idle17")
SHIFTED = ("coolant_temp", "control_module_voltage", "long_fuel_trim_1", "intake_pressure")
DRIVE_S = 1200.0


def row(result, signal, state=None):
    rows = result.signals if state is None else result.states
    return next((part for part in rows if part.signal == signal and part.state == state), None)


def wandering(seed: int, shift: float = 0.0, minutes: int = 10):
    """A warm drive through five loads whose trim wanders with a time constant of ten seconds."""
    rng = np.random.default_rng(seed)
    n = 60 * minutes
    level = np.repeat(rng.integers(0, 5, n // 20 + 1), 20)[:n]
    noise = np.empty(n)
    noise[0] = rng.standard_normal()
    for place in range(1, n):
        noise[place] = 0.905 * noise[place - 1] + 0.425 * rng.standard_normal()
    columns = {
        "rpm": ("rpm", 1200 + 500.0 * level + rng.normal(0, 30, n)),
        "speed": ("km/h", 30 + 18.0 * level + rng.normal(0, 1, n)),
        "engine_load": ("%", 24 + 10.0 * level + rng.normal(0, 1, n)),
        "coolant_temp": ("°C", np.full(n, 90.0)),
        "long_fuel_trim_1": ("%", 0.8 * level + 2 * noise + shift),
    }
    return table_of({name: (unit, np.arange(n) * 1.0, values) for name, (unit, values) in columns.items()})


def test_healthy_drives_of_one_car_are_hardly_ever_called_different():
    rows = []
    for first, second in itertools.combinations(WARM_DRIVES, 2):
        rows += compare([etios(first), etios(second)], names=[first, second]).signals
    rows += compare([leon(LEON_DRIVES[0]), leon(LEON_DRIVES[2])]).signals
    assert len(rows) >= 100
    assert sum(part.verdict == "different" for part in rows) <= 0.06 * len(rows)


@pytest.mark.parametrize(
    ("signal", "by"),
    [
        ("coolant_temp", -8.0),
        ("control_module_voltage", -0.5),
        ("long_fuel_trim_1", 5.0),
        ("intake_pressure", 6.0),
    ],
)
def test_a_known_shift_of_a_real_drive_is_found_in_three_of_four_pairs(signal, by):
    found = []
    for first, second in itertools.permutations(WARM_DRIVES, 2):
        if not {signal} <= set(etios(second)):
            continue
        moved = changed(etios(second), signal, etios(second)[signal].values + by)
        part = row(compare([etios(first), moved], signals=SHIFTED), signal)
        found += [part.verdict == "different"] if part else []
    assert len(found) >= 15
    assert sum(found) >= 0.75 * len(found)


def test_a_shift_is_found_in_its_size_with_the_right_sign_and_an_interval_around_it():
    plain = etios("long6")
    moved = changed(plain, "coolant_temp", plain["coolant_temp"].values - 8)
    part = row(compare([plain, moved]), "coolant_temp")
    assert part.difference.value == pytest.approx(-8, abs=0.5)
    assert part.difference.low < -8 < part.difference.high
    assert part.cliffs_delta.value < -0.9
    assert part.minimum_effect == 5


def test_a_signal_is_never_matched_on_itself():
    result = compare([simulated(DRIVE_S, 1.0, seed=1), simulated(DRIVE_S, 1.0, seed=2)])
    assert result.signals
    for part in result.signals + result.states:
        assert part.signal not in part.matched_on
    assert "throttle_pos" in row(result, "intake_pressure").matched_on
    assert "throttle_pos" in row(result, "maf").matched_on
    assert "rpm" not in row(result, "rpm").matched_on


def test_two_healthy_simulated_drives_do_not_differ():
    result = compare([simulated(DRIVE_S, 1.0, seed=1), simulated(DRIVE_S, 1.0, seed=2)])
    assert len(result.signals) >= 15
    assert not [part.signal for part in result.signals if part.verdict == "different"]
    assert not result.findings


def test_a_vacuum_leak_shows_at_idle_where_it_is_and_not_under_load():
    leaking = simulated(DRIVE_S, 1.0, seed=1, fault="vacuum_leak", severity=0.6)
    result = compare([simulated(DRIVE_S, 1.0, seed=1), leaking], names=["before", "after"])
    idle = row(result, "long_fuel_trim_1", "warm idle")
    assert idle.verdict == "different"
    assert idle.difference.value > 10
    assert row(result, "long_fuel_trim_1", "acceleration").verdict != "different"
    finding = next(found for found in result.findings if "long_fuel_trim_1" in found.title)
    assert "warm idle" in finding.explanation
    assert finding.evidence[0].samples


def test_what_cannot_be_compared_is_named_with_the_reason():
    result = compare(
        [etios("live16"), without(etios("long6"), "timing_advance")],
        names=["a", "b"],
        signals=["timing_advance", "speed", "coolant_temp"],
    )
    reasons = {part.signal: part.reason for part in result.not_compared}
    assert "b has fewer than 20 readings" in reasons["timing_advance"]
    assert "a condition, not a result" in reasons["speed"]
    assert [part.signal for part in result.signals] == ["coolant_temp"]


def test_drives_too_short_to_tell_are_refused_with_the_number_of_blocks():
    result = compare([etios("drive5"), etios("live16")])
    assert not result.signals
    assert any(
        "blocks of 60 s" in part.reason or "operating points" in part.reason for part in result.not_compared
    )


def test_other_weather_and_another_fill_are_named_and_lower_the_confidence():
    result = compare([etios("live16"), etios("live12")], names=["full", "emptier"])
    level = next(part for part in result.confounders if part.name == "fuel level")
    assert "long_fuel_trim_1" in level.affects
    trim = row(result, "long_fuel_trim_1")
    assert trim.verdict == "different"
    assert "may be explained by: fuel level" in trim.reason
    finding = next(found for found in result.findings if "long_fuel_trim_1" in found.title)
    assert finding.severity == "info"
    assert finding.confidence <= 0.5


def test_ambient_temperature_is_a_confounder_where_the_car_measures_it():
    names = ("2017-07-26_Seat_Leon_S_KA_Normal", "2018-02-23_Seat_Leon_RT_RT_Frei_Beschleunigung")
    result = compare([leon(names[0]), leon(names[1])], names=names)
    assert "ambient temperature" in {part.name for part in result.confounders}


def test_sessions_of_different_cars_say_so():
    facts = [VehicleFacts(model="Etios"), VehicleFacts(model="Corolla")]
    result = compare([etios("live16"), etios("long6")], vehicles=facts)
    assert {"model"} <= {part.name for part in result.confounders}


def test_one_session_is_no_comparison_and_names_must_fit():
    with pytest.raises(NotEnoughDataError):
        compare([etios("live16")])
    with pytest.raises(UnknownChoiceError):
        compare([etios("live16"), etios("long6")], names=["a", "a"])
    with pytest.raises(UnknownChoiceError):
        compare([etios("live16"), etios("long6")], vehicles=[None])
    with pytest.raises(UnknownChoiceError):
        compare([etios("live16"), etios("long6")], confidence_level=2)


def test_an_interval_at_95_per_cent_holds_the_true_shift_about_that_often():
    repeats = 120
    held = 0
    for seed in range(repeats):
        pair = [wandering(2 * seed), wandering(2 * seed + 1, shift=1.0)]
        difference = row(compare(pair, signals=["long_fuel_trim_1"]), "long_fuel_trim_1").difference
        held += difference.low <= 1.0 <= difference.high
    assert 0.90 <= held / repeats <= 0.99


def test_exchanging_the_sessions_turns_the_sign_and_nothing_else():
    there = row(compare([etios("live16"), etios("long6")]), "coolant_temp")
    back = row(compare([etios("long6"), etios("live16")]), "coolant_temp")
    assert there.difference.value == pytest.approx(-back.difference.value, abs=1e-9)
    assert there.cliffs_delta.value == pytest.approx(-back.cliffs_delta.value, abs=1e-9)
    assert there.verdict == back.verdict


def test_neither_the_clocks_start_nor_the_order_of_signals_changes_the_answer():
    first, second = simulated(DRIVE_S, 1.0, seed=1), simulated(DRIVE_S, 1.0, seed=4)
    plain = compare([first, second], signals=["long_fuel_trim_1", "maf", "coolant_temp"])
    moved = compare([first, shifted(second, 86400.0)], signals=["coolant_temp", "maf", "long_fuel_trim_1"])
    turned = compare(
        [only(first, *reversed(list(first))), second], signals=["maf", "coolant_temp", "long_fuel_trim_1"]
    )
    for signal in ("long_fuel_trim_1", "maf", "coolant_temp"):
        for other in (moved, turned):
            assert row(other, signal).difference.value == pytest.approx(
                row(plain, signal).difference.value, abs=1e-6
            )
            assert row(other, signal).verdict == row(plain, signal).verdict


def idling(level: float, seed: int):
    """Two minutes of warm idle with a trim of some level."""
    rng = np.random.default_rng(seed)
    n = 120
    columns = {
        "rpm": ("rpm", 750 + rng.normal(0, 8, n)),
        "speed": ("km/h", np.zeros(n)),
        "coolant_temp": ("°C", np.full(n, 90.0)),
        "long_fuel_trim_1": ("%", level + rng.normal(0, 0.5, n)),
    }
    return table_of({name: (unit, np.arange(n) * 1.0, values) for name, (unit, values) in columns.items()})


def test_few_sessions_cannot_tell_a_drift_and_say_so():
    result = compare([idling(0.5 * n, n) for n in range(6)])
    part = next(p for p in result.degradation if p.signal == "long_fuel_trim_1")
    assert part.verdict == "not enough sessions to tell"
    assert "6 sessions of 15 needed" in part.reason
    assert part.slope_per_session.value == pytest.approx(0.5, abs=0.1)


def test_a_drift_over_many_sessions_is_found_with_its_slope_and_place():
    steps = [0.0] * 10 + [6.0] * 10
    result = compare([idling(level, n) for n, level in enumerate(steps)])
    part = next(p for p in result.degradation if p.signal == "long_fuel_trim_1")
    assert part.verdict == "drifts"
    assert part.change_point.after_session == "session 10"
    assert part.change_point.after - part.change_point.before == pytest.approx(6, abs=0.3)
    assert any(found.rule == "drift-over-sessions" for found in result.findings)


def test_steady_sessions_do_not_drift():
    result = compare([idling(0.0, 50 + n) for n in range(20)])
    assert {part.verdict for part in result.degradation} == {"steady"}


def test_the_slopes_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        trend = drift(0.2 * np.arange(25) + rng.normal(0, 1.2, 25), 0.95)
        held += trend.low <= 0.2 <= trend.high
    assert 0.92 <= held / 400 <= 0.98


def test_a_change_point_needs_six_sessions():
    assert change_point(np.arange(5.0), list("abcde")) is None
