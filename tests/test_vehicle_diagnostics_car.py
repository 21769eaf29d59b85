"""Diagnosing the simulated car over real bytes: what is read is what the car holds, per ECU, on CAN and K-line."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from vehicle.diagnostics.freeze_frames import read_freeze_frames
from vehicle.diagnostics.monitor_tests import read_monitor_tests
from vehicle.diagnostics.readiness import read_readiness
from vehicle.diagnostics.trouble_codes import clear_trouble_codes, read_trouble_codes
from vehicle.diagnostics.vehicle_info import read_vehicle_info
from vehicle.errors import CannotConnectError
from vehicle.links import Link, LinkState, open_link
from vehicle.signals import SIGNALS
from vehicle.simulator import SimulatedCar

MISFIRE = "petrol?fault=misfire&warm=1&ecus=2&cycle=city"


class Rig:
    def __init__(self, stack: ExitStack, options: str, seconds: float) -> None:
        self.car = SimulatedCar(options, clock=lambda: 0.0)
        self.car.advance(seconds)
        self.link: Link = stack.enter_context(open_link(stack.enter_context(self.car.serve_tcp()).url))
        self.memory = self.car.model.memory


@pytest.fixture
def rig_of() -> Iterator[Callable[[str, float], Rig]]:
    with ExitStack() as stack:
        yield lambda options, seconds=1.0: Rig(stack, options, seconds)


@pytest.mark.parametrize("protocol", ["6", "7", "3", "5", "1"])
def test_codes_are_those_in_the_cars_memory_on_every_protocol(
    rig_of: Callable[[str, float], Rig], protocol: str
) -> None:
    rig = rig_of(f"{MISFIRE}&protocol={protocol}", 900.0)
    assert rig.memory.stored
    report = read_trouble_codes(rig.link)
    assert set(report.codes("stored")) == set(rig.memory.stored)
    assert set(report.codes("pending")) == set(rig.memory.pending)
    assert set(report.codes("permanent")) == set(rig.memory.permanent)
    if rig.link.info.is_can:  # elsewhere an ECU without codes need not answer
        assert len({found.ecu for found in report.lists}) == 2


def test_a_clean_car_answers_with_empty_lists(rig_of: Callable[[str, float], Rig]) -> None:
    report = read_trouble_codes(rig_of("petrol?warm=1&ecus=2", 5.0).link)
    assert {(found.kind, tuple(found.codes)) for found in report.lists} == {
        ("stored", ()),
        ("pending", ()),
        ("permanent", ()),
    }
    assert report.absent == []


@pytest.mark.parametrize("trouble", ["no_data", "can_error", "bus_busy", "garbled", "question", "wrong_pid"])
def test_no_answer_is_never_no_codes(rig_of: Callable[[str, float], Rig], trouble: str) -> None:
    rig = rig_of("petrol?warm=1&ecus=1", 5.0)
    rig.car.misbehaviour.set(trouble)
    report = read_trouble_codes(rig.link, ("stored",))
    assert report.lists == []
    assert report.absent
    assert all(item.reason for item in report.absent)


def test_a_refusal_and_a_lost_connection_are_told(rig_of: Callable[[str, float], Rig]) -> None:
    rig = rig_of("petrol?warm=1&ecus=1", 5.0)
    rig.car.misbehaviour.set("refuse", 0x22, times=1)
    report = read_trouble_codes(rig.link, ("stored",))
    assert [(item.ecu, item.reason) for item in report.absent] == [("7E8", "refused: conditions not correct")]
    rig.car.misbehaviour.set("down")
    rig.car.drop_lines()
    assert rig.link.wait_until(LinkState.LOST, LinkState.WAITING, timeout_s=3.0) is not LinkState.CONNECTED
    with pytest.raises(CannotConnectError):
        read_trouble_codes(rig.link, ("stored",))


def test_a_freeze_frame_has_the_code_and_the_values_of_that_moment(
    rig_of: Callable[[str, float], Rig],
) -> None:
    rig = rig_of(MISFIRE, 900.0)
    report = read_freeze_frames(rig.link)
    frame = report.frames[0]
    assert (frame.ecu, frame.code) == ("7E8", rig.memory.freeze_code)
    values = {value.signal: value.value for value in frame.values}
    raw = rig.memory.freeze[0x0C]
    assert values["rpm"] == int.from_bytes(raw, "big") / 4
    assert values["coolant_temp"] == rig.memory.freeze[0x05][0] - 40
    assert {value.unit for value in frame.values} <= {signal.unit for signal in SIGNALS.values()}
    assert len(values) > 15
    assert read_freeze_frames(rig_of("petrol", 2.0).link).empty == ["7E8"]


def test_readiness_tells_lamp_count_and_monitors_since_clear_and_this_drive(
    rig_of: Callable[[str, float], Rig],
) -> None:
    rig = rig_of(MISFIRE, 900.0)
    report = read_readiness(rig.link)
    engine = report.since_clear[0]
    assert (engine.ecu, engine.mil_on, engine.code_count) == ("7E8", True, len(rig.memory.stored))
    names = {monitor.name for monitor in engine.monitors}
    assert {"misfire", "fuel_system", "components", "catalyst", "oxygen_sensor"} <= names
    assert report.this_drive[0].mil_on is None
    assert {item.ecu for item in report.absent} == {"7E9"}


def test_monitor_tests_have_limits_units_and_verdicts(rig_of: Callable[[str, float], Rig]) -> None:
    rig = rig_of(MISFIRE, 900.0)
    report = read_monitor_tests(rig.link)
    misfire = next(test for test in report.tests if (test.monitor, test.test) == (0xA1, 0x80))
    assert misfire.verdict == "failed"
    assert misfire.unit == "%"
    assert misfire.value is not None
    assert misfire.high is not None
    assert misfire.value > misfire.high
    count = next(test for test in report.tests if (test.monitor, test.test) == (0xA1, 0x0C))
    assert (count.unit, count.test_name) == ("count", "misfire count of the last or current driving cycle")
    for test in report.tests:
        if test.verdict == "not_run":
            assert (test.value, test.low, test.high) == (None, None, None)
    assert any(item.ecu == "7E9" for item in report.absent)


@pytest.mark.parametrize("protocol", ["6", "7", "3", "1"])
def test_every_ecu_says_who_it_is_and_no_vin_loses_a_character(
    rig_of: Callable[[str, float], Rig], protocol: str
) -> None:
    rig = rig_of(f"petrol?ecus=2&vin=2T1BURHE1JC012120&protocol={protocol}", 2.0)
    report = read_vehicle_info(rig.link)
    assert report.vin == "2T1BURHE1JC012120"
    engine, gearbox = report.ecus
    assert engine.calibration_ids == ["37805-SIM-A010", "37805-SIM-B020"]
    assert engine.calibration_checks == ["5A3C91E0", "0D47B2F6"]
    assert engine.name
    assert "EngineControl" in engine.name
    assert {use.name for use in engine.in_use} >= {"catalyst bank 1", "evaporative"}
    assert engine.ignition_cycles == rig.memory.ignition_cycles
    assert gearbox.vin is None
    assert gearbox.calibration_ids == ["28101-SIM-T020"]


def test_clearing_clears_and_a_refused_clearing_says_so(rig_of: Callable[[str, float], Rig]) -> None:
    rig = rig_of(MISFIRE, 900.0)
    report = clear_trouble_codes(rig.link)
    assert report.cleared == ["7E8", "7E9"]
    assert report.absent == []
    assert read_trouble_codes(rig.link, ("stored",)).codes("stored") == []
    assert rig.memory.stored == []
    refusing = rig_of(f"{MISFIRE}&clear_refused=1", 900.0)
    report = clear_trouble_codes(refusing.link)
    assert "7E8" not in report.cleared
    assert [item.reason for item in report.absent if item.ecu == "7E8"] == ["refused: conditions not correct"]
    assert refusing.memory.stored
