import pytest
from simulated import still_car

from vehicle.simulator.model import Model
from vehicle.simulator.options import FAULTS, parse_simulator

CODES = {
    "vacuum_leak": ["P0171"],
    "maf_under_reading": ["P0101", "P0171"],
    "thermostat_stuck_open": ["P0128"],
    "overheating": ["P0217"],
    "weak_alternator": ["P0562"],
    "misfire": ["P0300", "P0301"],
    "worn_catalyst": ["P0420"],
    "fuel_pressure_low": ["P0087", "P0171"],
    "coolant_sensor_stuck": ["P0116"],
    "o2_lazy": ["P0133"],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_full_fault_sets_its_codes_pending_first_and_then_stored(fault):
    model = Model(parse_simulator(f"petrol?fault={fault}"))
    seen: dict[str, dict[str, float]] = {"pending": {}, "stored": {}}
    for _ in range(15000):
        model.step()
        for kind, codes in (("pending", model.memory.pending), ("stored", model.memory.stored)):
            for code in codes:
                seen[kind].setdefault(code, model.state.time_s)
        if len(model.memory.stored) == len(CODES[fault]) and model.memory.distance_with_mil_km > 0.5:
            break
    assert sorted(seen["stored"]) == CODES[fault]
    assert sorted(model.memory.permanent) == CODES[fault]
    assert all(20 < seen["pending"][code] < at for code, at in seen["stored"].items())
    assert model.memory.mil
    assert model.memory.freeze_code in CODES[fault]
    assert model.memory.distance_with_mil_km > 0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_healthy_car_sets_no_code_in_an_hour(seed):
    car = still_car(f"petrol?seed={seed}", 3600.0)
    memory = car.model.memory
    assert (memory.pending, memory.stored, memory.permanent, memory.mil) == ([], [], [], False)
    assert all(memory.ready_this_drive.values())
    assert len(memory.ready_this_drive) == 7
