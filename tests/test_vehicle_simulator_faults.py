from functools import cache

import numpy as np
import pytest
from simulated import still_car

from vehicle.simulator import SimulatorOptions, drive
from vehicle.simulator.model import Model
from vehicle.simulator.options import FAULTS, parse_simulator


@cache
def recorded(fault: str = "", cycle: str = "mixed", severity: float = 1.0):
    """Fifteen minutes of a warm car with a fault, at 2 Hz."""
    options = SimulatorOptions(fault=fault, severity=severity, cycle=cycle, warm=True)
    d = drive(900.0, 2.0, options=options)
    return {signal: values for signal, (_, values) in d.items()} | {"t": d["rpm"][0]}


def trims(fault: str, severity: float = 1.0) -> tuple[float, float]:
    """Mean total trim, warm and in closed loop, at idle and above 15 g/s."""
    d = recorded(fault, severity=severity)
    total = d["short_fuel_trim_1"] + d["long_fuel_trim_1"]
    warm = (d["fuel_status"] == 2) & (d["coolant_temp"] > 65) & (d["t"] > 300)
    idle, loaded = warm & (d["speed"] == 0), warm & (d["maf"] > 15)
    assert idle.sum() > 20
    assert loaded.sum() > 20
    return float(total[idle].mean()), float(total[loaded].mean())


def test_the_trims_of_a_healthy_car_are_small_everywhere():
    assert all(abs(value) < 4 for value in trims(""))


def test_a_vacuum_leak_is_lean_at_idle_and_nearly_gone_at_load():
    idle, loaded = trims("vacuum_leak")
    assert idle > 18
    assert loaded < 6
    half, _ = trims("vacuum_leak", 0.5)
    assert 6 < half < idle - 6


def test_an_air_flow_sensor_that_reads_low_needs_more_the_more_air_flows():
    idle, loaded = trims("maf_under_reading")
    assert idle > 12
    assert loaded > idle + 2


def test_low_fuel_pressure_is_lean_everywhere_and_shows_in_the_rail():
    idle, loaded = trims("fuel_pressure_low")
    assert min(idle, loaded) > 18
    assert np.median(recorded("fuel_pressure_low")["fuel_rail_pressure_direct"]) < 260
    assert np.median(recorded()["fuel_rail_pressure_direct"]) == pytest.approx(380, abs=10)


def test_an_under_reading_sensor_disagrees_with_manifold_pressure_and_low_fuel_pressure_does_not():
    per_stroke = {
        fault: np.median(d["maf"][d["maf"] > 15] / (d["rpm"] * d["intake_pressure"])[d["maf"] > 15])
        for fault, d in ((fault, recorded(fault)) for fault in ("", "maf_under_reading", "fuel_pressure_low"))
    }
    assert per_stroke["maf_under_reading"] < 0.87 * per_stroke[""]
    assert per_stroke["fuel_pressure_low"] == pytest.approx(per_stroke[""], rel=0.03)


def test_a_thermostat_stuck_open_keeps_the_engine_cold_in_town():
    _, coolant = drive(1200.0, 1.0, fault="thermostat_stuck_open", cycle="city")["coolant_temp"]
    assert 50 < coolant[-1] <= coolant.max() < 75
    assert drive(600.0, 1.0, cycle="city")["coolant_temp"][1].max() >= 86


def test_overheating_ends_above_110_degrees_and_within_physics():
    assert 112 < recorded("overheating")["coolant_temp"].max() < 140


def test_without_an_alternator_the_battery_runs_down():
    volts, t = (recorded("weak_alternator")[name] for name in ("control_module_voltage", "t"))
    assert volts[t > 10].max() < 12.7
    early, late = np.median(volts[(t > 60) & (t < 200)]), np.median(volts[t > 800])
    assert late < early - 0.1
    assert late > 11


def test_a_misfire_makes_the_idle_rough_and_is_counted_on_its_cylinder():
    warm_idle = {}
    for fault in ("", "misfire"):
        d = recorded(fault)
        keep = (d["speed"] == 0) & (d["t"] > 60)
        warm_idle[fault] = np.std(d["rpm"][keep])
    assert warm_idle["misfire"] > 2 * warm_idle[""]
    model = Model(parse_simulator("petrol?fault=misfire&severity=0.5"))
    for _ in range(3000):
        model.step()
    first, *others = model.diagnosis.watch.cycle_misfires
    assert first > 100
    assert sum(others) == 0
    assert model.memory.stored == ["P0301"]


def test_behind_a_worn_catalyst_the_rear_sensor_follows_the_front_one():
    travel = {}
    for fault in ("", "worn_catalyst"):
        d = recorded(fault)
        keep = (d["fuel_status"] == 2) & (d["speed"] > 45) & (d["t"] > 300)
        travel[fault] = np.mean(np.abs(np.diff(d["o2_b1s2"][keep])))
    assert travel["worn_catalyst"] > 5 * travel[""]


def test_a_lazy_sensor_swings_slowly():
    rate = {}
    for fault in ("", "o2_lazy"):
        d = drive(700.0, 10.0, fault=fault)
        keep = (d["fuel_status"][1] == 2) & (d["speed"][1] > 40)
        rate[fault] = np.mean(np.diff((d["o2_b1s1"][1][keep] > 0.45).astype(int)) != 0)
    assert rate["o2_lazy"] < 0.5 * rate[""]


def test_a_stuck_coolant_sensor_keeps_the_value_it_had_when_it_stuck():
    d = drive(400.0, 2.0, fault="coolant_sensor_stuck", fault_at=120.0)
    times, coolant = d["coolant_temp"]
    assert np.unique(coolant[times > 121]).size == 1
    assert np.unique(coolant[times < 119]).size > 10
    assert d["oil_temp"][1][-1] > 60


def test_before_its_time_a_fault_changes_nothing():
    healthy, faulty = drive(300.0, 2.0), drive(300.0, 2.0, fault="vacuum_leak", fault_at=200.0)
    before = healthy["maf"][0] < 200
    np.testing.assert_array_equal(healthy["maf"][1][before], faulty["maf"][1][before])
    assert not np.array_equal(healthy["maf"][1], faulty["maf"][1])


def test_a_repaired_car_goes_back_to_small_trims():
    car = still_car("petrol?fault=vacuum_leak&warm=1&cycle=idle", 400.0)
    assert car.state()["ltft_pct"] > 15
    car.repair()
    car.advance(400.0)
    assert abs(car.state()["ltft_pct"]) < 4


@pytest.mark.parametrize("fault", FAULTS)
def test_severity_zero_is_a_healthy_car(fault):
    healthy, slight = drive(60.0, 2.0), drive(60.0, 2.0, fault=fault, severity=0.0)
    for signal in ("maf", "coolant_temp", "o2_b1s1", "rpm"):
        np.testing.assert_array_equal(healthy[signal][1], slight[signal][1])
