"""Signal tables for the tests of analysis, made of arithmetic that can be checked by hand."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.errors import MissingSignalError
from analysis.table import SignalSeries, SignalTable

Floats = NDArray[np.float64]

UNITS = {
    "rpm": "rpm",
    "speed": "km/h",
    "gps_speed": "km/h",
    "coolant_temp": "°C",
    "intake_pressure": "kPa",
    "maf": "g/s",
    "odometer": "km",
    "engine_load": "%",
    "accelerator_pos_d": "%",
    "control_module_voltage": "V",
    "run_time": "s",
    "latitude": "°",
    "longitude": "°",
}
OVERALL_RATIOS = (130.0, 72.0, 48.0, 36.0, 29.0)
"""rpm per km/h of a small petrol car's five gears."""


def series(name: str, times_s: Floats, values: Floats, **limits: float) -> SignalSeries:
    return SignalSeries(name, UNITS.get(name, ""), np.asarray(times_s), np.asarray(values, float), **limits)


def table_of(times_s: Floats, **signals: Floats) -> SignalTable:
    return SignalTable({name: series(name, times_s, values) for name, values in signals.items()})


def mapped(table: SignalTable, change: Callable[[SignalSeries], SignalSeries]) -> SignalTable:
    return SignalTable({name: change(one) for name, one in table.items()})


def trip(
    seconds: float = 1200.0,
    rate_hz: float = 10.0,
    seed: int = 1,
    cold: bool = True,
    speed_factor: float = 1.0,
) -> SignalTable:
    """A drive with stops, cruises and overrun in five gears; MAP, air flow, pedal and coolant follow from it."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * rate_hz)) / rate_hz
    speed = _speeds(times, rng)
    gear = np.digitize(speed, (18, 34, 52, 75))
    ratio = np.asarray(OVERALL_RATIOS)[gear]
    rpm = np.maximum(820 + rng.normal(0, 8, times.size), ratio * speed)
    pull = np.gradient(speed, 1 / rate_hz) / 3.6
    demand = np.where(speed < 1, 0, 0.12 + 0.45 * pull + (speed / 260) ** 2)
    pedal = np.clip(15 + 65 * demand, 15, 82)
    pressure = np.clip(np.where(demand <= 0, 26, 32 + 60 * demand), 22, 99)
    pressure[speed < 1] = 33
    coolant = np.minimum(90, (22 if cold else 88) + times * 0.2)
    maf = rpm / 120 * 1.5 * 0.8 * pressure / (8.314 * 310) * 28.97
    return table_of(
        times,
        rpm=np.round(rpm * 4) / 4,
        speed=np.round(speed * speed_factor),
        accelerator_pos_d=np.round(pedal * 2.55) / 2.55,
        intake_pressure=np.round(pressure + rng.normal(0, 0.7, times.size)),
        maf=np.round(maf, 2),
        coolant_temp=np.round(coolant),
        control_module_voltage=np.round(14.1 + rng.normal(0, 0.05, times.size), 2),
    )


def _speeds(times: Floats, rng: np.random.Generator) -> Floats:
    """Stretches of speed with limited acceleration between targets, standing still now and then."""
    speed, now, target, hold = np.zeros(times.size), 0.0, 0.0, 8.0
    step = float(times[1] - times[0])
    for place in range(times.size):
        if hold <= 0 and abs(now - target) < 0.5:
            target = float(rng.choice([0.0, 15.0, 28.0, 45.0, 60.0, 90.0, 110.0]))
            hold = float(rng.uniform(6, 40))
        hold -= step if abs(now - target) < 0.5 else 0.0
        rate = 1.4 if target > now else 1.7
        now += float(np.clip(target - now, -rate * 3.6 * step, rate * 3.6 * step))
        speed[place] = now
    return speed


def test_a_missing_signal_is_named_with_what_the_table_has() -> None:
    with pytest.raises(MissingSignalError, match="needs the signal maf") as caught:
        table_of(np.arange(3.0), rpm=np.ones(3)).require("maf", "Fuel")
    assert "rpm" in caught.value.hint


def test_a_window_keeps_its_edges_and_nothing_beyond() -> None:
    window = table_of(np.arange(10.0), rpm=np.arange(10.0)).between(2.0, 5.0)
    assert window["rpm"].values.tolist() == [2, 3, 4, 5]
    assert window.span_s == (2.0, 5.0)
    assert window.readings == 4
