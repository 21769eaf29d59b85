"""Somebody in the parked simulated car holds, snaps, loads and cranks as a workshop test asks."""

import numpy as np
import pytest
from simulated import still_car

from vehicle.simulator import SimulatorOptions, drive


def driven(script: str, seconds: float, fault: str = "") -> dict[str, np.ndarray]:
    options = SimulatorOptions(driver=script, warm=True, fault=fault)
    recorded = drive(seconds, options=options, truth=("load_pct",))
    return {name: values for name, (_, values) in recorded.items()} | {"t": recorded["rpm"][0]}


def test_the_engine_idles_and_is_then_held_at_2500() -> None:
    d = driven("hold2500", 90)
    idle, held = (d["t"] > 20) & (d["t"] < 44), (d["t"] > 60) & (d["t"] < 90)
    assert np.all(np.abs(d["rpm"][idle] - 750) < 60)
    assert np.all(np.abs(d["rpm"][held] - 2500) < 60)
    assert not d["speed"].any()
    assert 2.5 < np.median(d["maf"][held]) / np.median(d["maf"][idle]) < 3.5


def test_a_snap_opens_the_throttle_wide_and_the_engine_comes_back_to_idle() -> None:
    d = driven("snap", 60)
    snap = (d["t"] > 53.8) & (d["t"] < 55)
    assert d["rpm"][snap].max() > 4000
    assert d["intake_pressure"][snap].max() > 85
    assert d["o2_b1s1"][snap].max() > 0.75
    assert abs(np.median(d["rpm"][d["t"] > 58]) - 745) < 30


def test_consumers_pull_the_voltage_down_a_little() -> None:
    d = driven("load", 60)
    without, loaded = (d["t"] > 15) & (d["t"] < 23), (d["t"] > 28) & (d["t"] < 41)
    drop = np.median(d["control_module_voltage"][without]) - np.median(d["control_module_voltage"][loaded])
    assert 0.1 < drop < 0.4


def test_the_starter_turns_the_engine_before_it_runs() -> None:
    d = driven("crank", 30)
    standing, cranking = (d["t"] > 5) & (d["t"] < 9.9), (d["t"] > 10.2) & (d["t"] < 10.7)
    assert not d["rpm"][standing].any()
    assert np.all((d["rpm"][cranking] > 150) & (d["rpm"][cranking] < 260))
    assert d["control_module_voltage"][cranking].min() < d["control_module_voltage"][standing].min() - 0.8
    assert d["rpm"][-1] > 600


def test_the_pedal_and_the_consumers_can_be_worked_by_hand() -> None:
    car = still_car("petrol?cycle=idle&warm=1", driven_s=40)
    car.pedal(3000)
    car.advance(5)
    assert car.state()["rpm"] == pytest.approx(3000, abs=60)
    car.pedal(None)
    car.switch_on(20)
    car.advance(10)
    assert car.state()["rpm"] < 1000
    assert car.state()["loads_a"] == 20
