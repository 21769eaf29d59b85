"""The simulator's encoder against the product's decoder: two tables written independently of each other."""

import numpy as np
import pytest
from simulated import payload, plug, still_car

from vehicle.signals import SIGNALS, decode_mode01
from vehicle.simulator import UNITS, drive
from vehicle.simulator.ecus.encode import PIDS, SCALARS


def test_every_simulated_signal_has_the_tables_name_unit_pid_and_range():
    for scalar in SCALARS:
        signal = SIGNALS[scalar.signal]
        assert (signal.service, signal.pid, signal.unit) == (1, scalar.pid, scalar.unit)


@pytest.mark.parametrize("driven_s", [1.0, 45.0, 700.0, 1000.0])
def test_decoding_what_the_car_sends_gives_the_state_of_its_model(driven_s):
    car = still_car("petrol?ecus=1", driven_s)
    adapter = plug(car)
    for pid in sorted(PIDS):
        reply = payload(adapter, f"01{pid:02X}")
        decoded = decode_mode01(pid, reply[2:])
        for scalar in (scalar for scalar in SCALARS if scalar.pid == pid):
            meant = scalar.read(car.model.state, car.model.memory)
            steps = 256**scalar.size - 1
            within = min(max(meant, scalar.offset), scalar.offset + scalar.scale * steps)
            assert decoded[scalar.signal] == pytest.approx(within, abs=0.51 * scalar.scale), scalar.signal


def test_recorded_values_lie_within_the_tables_limits():
    for signal, (_, values) in drive(300.0, 2.0).items():
        low, high = SIGNALS[signal].low, SIGNALS[signal].high
        assert low is None or values.min() >= low - 1e-6, signal
        assert high is None or values.max() <= high + 1e-6, signal
        assert np.all(np.isfinite(values))
    assert set(UNITS) == {scalar.signal for scalar in SCALARS}
