"""Anomalies: planted ones are found and explained, healthy drives and cold starts are left in peace."""

from itertools import pairwise

import numpy as np
import pytest
from test_analysis_session import carobd
from test_analysis_tables import mapped, series, table_of, trip

from analysis.anomalies import detect, learn_baseline
from analysis.anomalies.detect import SENSITIVITIES
from analysis.anomalies.maps import learn_map, read_map
from analysis.anomalies.smoothing import ewma
from analysis.errors import NotEnoughDataError, UnknownChoiceError
from analysis.results.anomalies import Anomaly, AnomalyReport, Baseline
from analysis.table import SignalSeries, SignalTable
from vehicle.simulator import UNITS, SimulatorOptions, drive

WATCHED = (
    "rpm", "speed", "coolant_temp", "engine_load", "maf", "intake_pressure", "intake_temp", "throttle_pos",
    "accelerator_pos_d", "short_fuel_trim_1", "long_fuel_trim_1", "fuel_status", "control_module_voltage",
    "fuel_pressure", "o2_b1s2",
)  # fmt: skip


def simulated(seconds: float = 500, **options: object) -> SignalTable:
    signals = drive(seconds, options=SimulatorOptions(**{"warm": True, **options}))
    return SignalTable({name: SignalSeries(name, UNITS[name], *signals[name]) for name in WATCHED})


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    drives = ((1, "mixed"), (2, "city"), (3, "city"))
    return learn_baseline([simulated(seed=seed, cycle=cycle) for seed, cycle in drives])


def with_values(table: SignalTable, name: str, values: np.ndarray) -> SignalTable:
    return SignalTable({**table, name: series(name, table[name].times_s, values)})


def of_signal(report: AnomalyReport, signal: str) -> Anomaly:
    return next(anomaly for anomaly in report.anomalies if anomaly.signal == signal)


def test_a_clean_drive_has_no_anomaly_and_says_what_was_not_checked() -> None:
    report = detect(trip(900))
    assert report.anomalies == []
    assert "needs a baseline" in report.not_checked["air filling"]
    assert "coolant too hot" in report.checked


def test_a_cold_start_in_deep_frost_is_no_anomaly(baseline: Baseline) -> None:
    frost = simulated(500, seed=11, cycle="city", ambient=-25.0, warm=False)
    assert detect(frost, sensitivity="high").anomalies == []
    assert [a for a in detect(frost, baseline=baseline).anomalies if a.start_s < 240] == []


def test_a_healthy_drive_the_baseline_has_not_seen_raises_nothing(baseline: Baseline) -> None:
    assert detect(simulated(seed=21, cycle="city"), baseline=baseline).anomalies == []


def test_conditions_the_baseline_never_met_are_not_judged(baseline: Baseline) -> None:
    fast = simulated(300, seed=5, cycle="highway")
    assert detect(fast, baseline=baseline).anomalies == []


@pytest.mark.parametrize(
    ("fault", "signal", "told"),
    [
        ("vacuum_leak", "maf", "Air flow"),
        ("weak_alternator", "control_module_voltage", "V below"),
        ("fuel_pressure_low", "fuel_pressure", "below"),
    ],
)
def test_a_fault_is_found_against_the_cars_own_baseline(
    baseline: Baseline, fault: str, signal: str, told: str
) -> None:
    faulty = simulated(330, seed=31, cycle="city", fault=fault, fault_at=120.0)
    found = of_signal(detect(faulty, baseline=baseline), signal)
    assert found.baseline
    assert found.start_s >= 119
    assert found.end_s > 300
    assert told in found.explanation
    assert found.score >= 1


@pytest.mark.parametrize(("status", "found"), [(2.0, True), (1.0, False), (4.0, False)])
def test_trims_count_only_in_closed_loop(status: float, found: bool) -> None:
    table = trip(600, cold=False)
    count = len(table["rpm"])
    leaning = table_of(
        table["rpm"].times_s,
        short_fuel_trim_1=4 + 2 * np.sin(np.arange(count) / 7),
        long_fuel_trim_1=np.full(count, 14.0),
        fuel_status=np.full(count, status),
    )
    report = detect(SignalTable({**table, **leaning}))
    assert ([a.kind for a in report.anomalies] == ["mixture"]) is found


def test_a_trim_sensor_that_is_not_fitted_is_not_a_lean_engine() -> None:
    table = trip(400, cold=False)
    stuck = np.full(len(table["rpm"]), 99.2)
    unfitted = table_of(table["rpm"].times_s, short_fuel_trim_2=stuck, long_fuel_trim_2=stuck)
    assert detect(SignalTable({**table, **unfitted})).anomalies == []


def test_low_charging_voltage_is_found_with_value_and_expectation() -> None:
    table = trip(600)
    low = with_values(table, "control_module_voltage", table["control_module_voltage"].values - 2.0)
    (found,) = detect(low).anomalies
    assert found.value == pytest.approx(12.1, abs=0.1)
    assert found.expected == "12.8 to 15.2 V above 1000 rpm"
    assert found.unit == "V"


@pytest.mark.parametrize(("temperature", "channel"), [(112.0, "coolant too hot"), (58.0, "coolant too cold")])
def test_coolant_out_of_bounds_is_found_once_the_engine_has_run(temperature: float, channel: str) -> None:
    table = trip(1500, rate_hz=2.0)
    coolant = (
        np.minimum(table["coolant_temp"].values, 58.0) if temperature < 60 else table["coolant_temp"].values
    )
    coolant = np.where((table["rpm"].times_s > 1000) & (temperature > 60), temperature, coolant)
    found = detect(with_values(table, "coolant_temp", coolant)).anomalies[-1]
    assert found.channel == channel
    assert found.start_s >= 899


def test_one_reading_out_of_line_is_a_spike_at_its_time() -> None:
    table = trip(300)
    values = table["coolant_temp"].values.copy()
    values[1234] += 40
    (found,) = detect(with_values(table, "coolant_temp", values)).anomalies
    assert (found.kind, found.start_s, found.end_s) == ("spike", pytest.approx(123.4), pytest.approx(123.4))
    assert found.value == values[1234]


def test_a_jump_that_stays_is_a_step() -> None:
    table = trip(600, cold=False)
    values = table["coolant_temp"].values.copy()
    values[3000:] -= 25
    found = of_signal(detect(with_values(table, "coolant_temp", values)), "coolant_temp")
    assert (found.kind, found.start_s) == ("step", pytest.approx(299.9))


def test_a_stuck_air_meter_and_a_dropout_are_found() -> None:
    table = trip(600)
    stuck, dropped = table["maf"].values.copy(), table["maf"].values.copy()
    stuck[2000:2900] = stuck[2000]
    dropped[2000:2060] = 0.0
    assert detect(with_values(table, "maf", stuck)).anomalies[0].kind == "stuck"
    found = detect(with_values(table, "maf", dropped)).anomalies[0]
    assert (found.kind, found.start_s) == ("impossible", pytest.approx(200, abs=0.2))


def test_a_signal_that_falls_silent_alone_is_found_and_a_common_gap_is_not() -> None:
    table = trip(300)

    def without(one: SignalSeries) -> SignalSeries:
        keep = (one.times_s < 100) | (one.times_s > 140)
        return series(one.signal, one.times_s[keep], one.values[keep])

    alone = detect(SignalTable({**table, "maf": without(table["maf"])}))
    assert [(a.signal, a.kind) for a in alone.anomalies] == [("maf", "silent")]
    assert detect(mapped(table, without)).anomalies == []


def test_rough_idle_is_found_and_an_idle_that_changes_level_is_not_rough() -> None:
    rng = np.random.default_rng(1)
    times = np.arange(0, 400, 0.1)
    smooth = 800 + rng.normal(0, 6, times.size)
    common = {"speed": np.zeros(times.size), "coolant_temp": np.full(times.size, 88.0)}
    stepping = smooth + np.where(times % 60 < 30, 120, 0)
    rough = smooth + np.where(times > 200, rng.normal(0, 90, times.size), 0)
    assert detect(table_of(times, rpm=stepping, **common)).anomalies == []
    (found,) = detect(table_of(times, rpm=rough, **common)).anomalies
    assert found.kind == "roughness"
    assert found.start_s == pytest.approx(212, abs=12)


def test_short_idles_count_together_and_one_whose_load_changes_is_not_rough() -> None:
    rng = np.random.default_rng(4)
    times = np.arange(0, 400, 0.25)
    standing = times % 20 < 7
    rpm = np.where(standing, 800, 1500) + rng.normal(0, np.where(standing & (times > 200), 90, 5))
    common = {
        "speed": np.where(standing, 0, 30),
        "coolant_temp": np.full(times.size, 88.0),
        "accelerator_pos_d": np.where(standing, 15.0, 30.0),
    }
    noise = rng.normal(0, 0.5, times.size)
    calm = table_of(times, rpm=rpm, intake_pressure=33 + noise, **common)
    pulled = table_of(times, rpm=rpm, intake_pressure=33 + noise + 8.0 * (times % 2 < 1), **common)
    assert [one.kind for one in detect(calm).anomalies] == ["roughness"]
    assert detect(pulled).anomalies == []


def test_a_jump_at_the_very_end_is_not_yet_a_step() -> None:
    table = trip(600, cold=False)
    values = table["coolant_temp"].values.copy()
    values[-2:] -= 25
    assert detect(with_values(table, "coolant_temp", values)).anomalies == []
    values[-3] -= 25
    (found,) = detect(with_values(table, "coolant_temp", values)).anomalies
    assert found.kind == "step"


def test_a_sharp_peak_that_neighbours_lead_up_to_is_no_spike() -> None:
    times = np.arange(0, 300, 1.0)
    heat = 25 + np.round(100 * np.exp(-(((times - 150) / 1.5) ** 2)))
    thrown = np.full(times.size, 25.0)
    thrown[150] = 60.0
    assert "spike" not in {one.kind for one in detect(table_of(times, intake_temp=heat)).anomalies}
    assert [one.kind for one in detect(table_of(times, intake_temp=thrown)).anomalies] == ["spike"]


def test_limits_are_wider_the_less_of_a_state_the_baseline_has_seen() -> None:
    drives = [simulated(seed=seed, cycle="city") for seed in (1, 2, 3)]
    little, much = learn_baseline(drives), learn_baseline(drives * 4)
    narrower, wider = (one.limits["pressure by load"][0].above for one in (much, little))
    assert wider > 1.2 * narrower


def test_higher_sensitivity_reports_everything_a_lower_one_does() -> None:
    table = trip(900, cold=False)
    voltage = table["control_module_voltage"].values - np.linspace(0, 2.2, len(table["rpm"]))
    coolant = table["coolant_temp"].values.copy()
    coolant[4000] += 9
    table = with_values(with_values(table, "control_module_voltage", voltage), "coolant_temp", coolant)
    reports = [detect(table, sensitivity=level) for level in (0.0, 0.25, 0.5, 0.75, 1.0)]
    counts = [len(report.anomalies) for report in reports]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    for lower, higher in pairwise(reports):
        for one in lower.anomalies:
            assert any(
                one.channel == other.channel and other.start_s <= one.start_s and one.end_s <= other.end_s
                for other in higher.anomalies
            )


def test_sensitivity_scales_limits_as_stated() -> None:
    factors = {level: detect(trip(60), sensitivity=level).limit_factor for level in (0.0, 0.5, 1.0)}
    assert factors == {0.0: 2.0, 0.5: 1.0, 1.0: 0.5}
    assert detect(trip(60), sensitivity="high").sensitivity == SENSITIVITIES["high"]


def test_a_window_and_chosen_signals_limit_the_search() -> None:
    table = trip(600)
    short = table["control_module_voltage"].values.copy()
    short[3000:3100] = 11.0
    dipped = with_values(table, "control_module_voltage", short)
    assert detect(dipped).anomalies == []
    assert detect(dipped, window_s=2.0).anomalies[0].signal == "control_module_voltage"
    assert detect(dipped, window_s=2.0, signals=["rpm"]).anomalies == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"sensitivity": "very"}, "very"),
        ({"sensitivity": 2.0}, "2"),
        ({"signals": ["nox"]}, "nox"),
        ({"window_s": -1.0}, "-1"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused(arguments: dict, told: str) -> None:
    with pytest.raises(UnknownChoiceError, match=told):
        detect(trip(60), **arguments)


def test_a_baseline_survives_json_and_states_what_it_is_made_of(baseline: Baseline) -> None:
    assert Baseline.model_validate_json(baseline.model_dump_json()) == baseline
    assert baseline.sessions == 3
    assert baseline.hours == pytest.approx(1500 / 3600, abs=0.01)
    assert "few healthy drives" in baseline.notes[1]


def test_a_baseline_of_too_little_driving_is_refused() -> None:
    with pytest.raises(NotEnoughDataError, match=r"10 min of running engine; these sessions hold 5\.0"):
        learn_baseline([trip(300)])


def test_the_running_mean_is_the_recursion_it_stands_for() -> None:
    values = np.random.default_rng(2).normal(size=5000)
    values[1000:1100] = np.nan
    smooth, state = ewma(values, 5.0, 0.1), 0.0
    weight = 1 - np.exp(-0.1 / 5.0)
    for value, got in zip(values, smooth, strict=True):
        if np.isnan(value):
            assert np.isnan(got)
            continue
        state += weight * (value - state)
        assert got == pytest.approx(state, abs=1e-7)


def test_a_map_reads_between_its_cells_and_is_silent_where_nothing_was_learned() -> None:
    rng = np.random.default_rng(3)
    rpm, load = rng.uniform(800, 2800, 60_000), rng.uniform(12, 60, 60_000)
    learned = learn_map(["rpm", "engine_load"], [rpm, load], rpm / 100 + load, 0.1)
    read = read_map(learned, [np.array([1500.0, 2100.0, 5000.0]), np.array([30.0, 41.0, 30.0])], 3)
    assert read[:2] == pytest.approx([45.0, 62.0], abs=0.8)
    assert np.isnan(read[2])


@pytest.mark.parametrize("name", ["live16.csv", "long6.csv", "idle17.csv", "live12.csv", "ufpe3.csv"])
def test_real_healthy_drives_raise_no_alarm_by_rules(name: str) -> None:
    assert detect(carobd(name)).anomalies == []


def test_a_thermostat_shut_too_late_is_found_in_a_real_drive() -> None:
    table = carobd("long6.csv")
    capped = with_values(table, "coolant_temp", np.minimum(table["coolant_temp"].values, 64.0))
    found = of_signal(detect(capped), "coolant_temp")
    assert found.value == 64.0
    assert found.start_s >= 900
