import numpy as np
import pytest
from simulated import still_car

from vehicle.errors import BadAddressError
from vehicle.simulator import UNITS, SimulatorOptions, drive
from vehicle.simulator.physics.air import DISPLACEMENT_L, GAS_CONSTANT, volumetric_efficiency
from vehicle.simulator.physics.powertrain import RATIOS, engine_rpm_at

STOICHIOMETRIC, DENSITY_GL = 14.6, 745.0


@pytest.fixture(scope="module")
def hour():
    """An hour of mixed driving of a healthy car as plain arrays, and its times."""
    recorded = drive(3600.0, 10.0)
    return {signal: values for signal, (_, values) in recorded.items()} | {"t": recorded["rpm"][0]}


def steady(d, window: int = 10):
    """Samples with the engine loaded and manifold pressure and speed unchanged for a second."""
    calm = np.ones(d["t"].size, dtype=bool)
    for signal, most in (("intake_pressure", 2.0), ("rpm", 40.0)):
        change = np.abs(np.diff(d[signal], prepend=d[signal][0]))
        calm &= np.convolve(change, np.ones(window), "same") < most * 3
    return calm & (d["rpm"] > 500) & (d["t"] > 60) & (d["intake_pressure"] > 27)


def test_air_flow_agrees_with_speed_density(hour):
    keep = steady(hour)
    rpm, pressure, intake = (hour[name][keep] for name in ("rpm", "intake_pressure", "intake_temp"))
    efficiency = np.array([volumetric_efficiency(n, p) for n, p in zip(rpm, pressure, strict=True)])
    modelled = rpm / 120 * DISPLACEMENT_L * efficiency * pressure * 1000 / (GAS_CONSTANT * (intake + 273.15))
    ratio = hour["maf"][keep] / modelled
    assert keep.sum() > 5000
    assert abs(np.median(ratio) - 1) < 0.02
    assert np.mean(np.abs(ratio - 1) < 0.03) > 0.9


def test_reported_fuel_is_the_air_divided_by_the_commanded_mixture(hour):
    air_fuel = hour["maf"] / (STOICHIOMETRIC * hour["commanded_equiv_ratio"])
    running = (hour["fuel_rate"] > 0) & (hour["t"] > 60)
    from_air = np.sum(air_fuel[running]) * 3600 / DENSITY_GL
    assert np.sum(hour["fuel_rate"][running]) == pytest.approx(from_air, rel=0.03)


def test_fuel_burnt_is_what_a_two_litre_petrol_car_burns(hour):
    litres = np.sum(hour["fuel_rate"]) / 36000
    kilometres = hour["odometer"][-1] - hour["odometer"][0]
    assert 6.0 < 100 * litres / kilometres < 10.0
    assert kilometres == pytest.approx(np.sum(hour["speed"]) / 36000, rel=0.02)


def test_the_engine_turns_with_the_wheels_except_in_shifts_and_at_launch(hour):
    driving = (hour["speed"] > 30) & (hour["t"] > 30)
    per_kmh = hour["rpm"][driving] / hour["speed"][driving]
    ideal = np.array([engine_rpm_at(1.0, gear) for gear in range(1, len(RATIOS[6]) + 1)])
    error = np.min(np.abs(per_kmh[:, None] / ideal - 1), axis=1)
    assert np.mean(error < 0.03) > 0.9
    assert {int(np.argmin(np.abs(value / ideal - 1))) for value in per_kmh} >= {1, 2, 3, 4, 5}


def test_it_warms_up_and_the_thermostat_holds_it(hour):
    coolant = hour["coolant_temp"]
    assert coolant[0] == 20
    reached = hour["t"][np.argmax(coolant >= 85)]
    assert 240 < reached < 700
    warm = hour["t"] > reached + 300
    assert 85 <= np.median(coolant[warm]) <= 95
    assert coolant.max() <= 105


def test_idle_is_that_of_a_warm_engine(hour):
    idling = (hour["speed"] == 0) & (hour["coolant_temp"] > 80) & (hour["rpm"] > 500)
    assert np.median(hour["rpm"][idling]) == pytest.approx(740, abs=30)
    assert 25 < np.median(hour["intake_pressure"][idling]) < 42
    assert 2.4 < np.median(hour["maf"][idling]) < 4.5
    assert 0.6 < np.median(hour["fuel_rate"][idling]) < 1.4


def test_overrun_cuts_the_fuel_and_says_so(hour):
    cut = hour["fuel_rate"] == 0
    cut &= (hour["t"] > 30) & (hour["speed"] > 5)
    assert 0.02 < np.mean(cut) < 0.25
    assert np.all(hour["fuel_status"][cut] == 4)
    assert np.median(hour["commanded_equiv_ratio"][cut]) == pytest.approx(2.0, abs=0.001)
    assert np.median(hour["intake_pressure"][cut]) < 27
    assert np.median(hour["o2_b1s1"][cut]) < 0.1


def test_full_load_is_rich_and_open_loop(hour):
    full = hour["engine_load"] > 97
    assert full.sum() > 20
    assert np.all(hour["fuel_status"][full] != 2) or np.mean(hour["fuel_status"][full] == 4) > 0.8
    assert np.median(hour["commanded_equiv_ratio"][full]) == pytest.approx(0.88, abs=0.01)
    assert np.median(hour["intake_pressure"][full]) > 93
    assert np.max(hour["engine_torque_actual"]) > 70


def test_in_closed_loop_the_front_sensor_swings_and_the_rear_one_rests(hour):
    closed = (hour["fuel_status"] == 2) & (hour["speed"] > 40) & (hour["t"] > 400)
    front, rear = hour["o2_b1s1"][closed], hour["o2_b1s2"][closed]
    switches = np.mean(np.diff((front > 0.45).astype(int)) != 0) * 10
    assert 1.0 < switches < 4.0
    assert np.std(front) > 0.2
    assert np.median(np.abs(np.diff(rear))) <= 0.01
    assert abs(np.median(hour["short_fuel_trim_1"][closed])) < 1.0
    assert np.median(hour["o2_s1_wr_current_lambda"][closed]) == pytest.approx(1.0, abs=0.02)


def test_with_the_key_on_and_the_engine_still_standing_the_manifold_holds_ambient_pressure(hour):
    standing = hour["t"] < 1.9
    assert np.all(hour["rpm"][standing] == 0)
    assert np.all(np.abs(hour["intake_pressure"][standing] - hour["barometric_pressure"][standing]) <= 2)
    cranking = (hour["t"] > 2.1) & (hour["t"] < 2.7)
    assert hour["control_module_voltage"][cranking].min() < 11.5


def test_the_voltage_of_a_good_alternator_stays_in_its_band(hour):
    running = hour["t"] > 10
    assert hour["control_module_voltage"][running].min() > 13.5
    assert hour["control_module_voltage"][running].max() < 14.7


def test_the_same_seed_gives_the_same_drive_and_another_seed_another():
    first, again, other = (drive(120.0, 5.0, seed=seed) for seed in (3, 3, 4))
    for signal in UNITS:
        np.testing.assert_array_equal(first[signal][1], again[signal][1])
    assert not np.array_equal(first["rpm"][1], other["rpm"][1])


def test_a_served_car_and_a_recorded_drive_are_the_same_model():
    car = still_car("petrol?seed=5", 200.0)
    recorded = drive(200.0, 10.0, seed=5)
    state = car.state()
    assert recorded["coolant_temp"][1][-1] == round(state["coolant_read"])
    assert recorded["rpm"][1][-1] == pytest.approx(state["rpm_read"], abs=0.125)


def test_values_are_those_a_scan_tool_can_read(hour):
    assert np.all(hour["rpm"] * 4 == np.round(hour["rpm"] * 4))
    assert np.all(hour["coolant_temp"] == np.round(hour["coolant_temp"]))
    assert hour["engine_load"].max() <= 100
    steps = hour["throttle_pos"] * 255 / 100
    assert np.allclose(steps, np.round(steps))


@pytest.mark.parametrize("cycle", ["city", "highway", "idle"])
def test_each_cycle_drives_its_own_way(cycle):
    speed = drive(900.0, 1.0, cycle=cycle)["speed"][1]
    assert {"city": 20 < speed.max() < 80, "highway": speed.max() > 100, "idle": speed.max() == 0}[cycle]


def test_a_manual_five_speed_lifts_off_while_it_shifts():
    options = SimulatorOptions(gearbox="manual", gears=5)
    d = drive(400.0, 10.0, options=options)
    per_kmh = d["rpm"][1] / np.maximum(d["speed"][1], 1)
    slow_ratios = np.array([engine_rpm_at(1.0, gear, 5) for gear in range(1, 6)])
    driving = d["speed"][1] > 25
    error = np.min(np.abs(per_kmh[driving, None] / slow_ratios - 1), axis=1)
    assert np.mean(error < 0.04) > 0.85


def test_true_values_can_be_recorded_beside_what_was_read():
    d = drive(300.0, 1.0, truth=("gear", "fuel_used_l"))
    burnt = d["true_fuel_used_l"][1]
    assert set(d["true_gear"][1]) <= set(range(7))
    assert burnt[-1] == pytest.approx(np.sum(d["fuel_rate"][1]) / 3600, rel=0.05)


def test_a_logger_slower_than_the_model_reads_fewer_samples_at_even_times():
    times, values = drive(60.0, 2.0)["rpm"]
    assert times.size == values.size == 120
    np.testing.assert_allclose(np.diff(times), 0.5)


def test_a_rate_the_model_does_not_have_is_refused():
    with pytest.raises(BadAddressError, match="hz=50"):
        drive(10.0, 50.0)
