"""Reading signals once: from every ECU, batched where the adapter can, with a reason for each that does not come."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from vehicle.errors import CannotConnectError, UnknownSignalError
from vehicle.links import Link, LinkState, open_link
from vehicle.poller import read_once
from vehicle.simulator import SimulatedCar


class Rig:
    def __init__(self, stack: ExitStack, options: str) -> None:
        self.car = SimulatedCar(options, clock=lambda: 0.0)
        self.car.advance(20.0)
        self.link: Link = stack.enter_context(open_link(stack.enter_context(self.car.serve_tcp()).url))


@pytest.fixture
def rig_of() -> Iterator[Callable[[str], Rig]]:
    with ExitStack() as stack:
        yield lambda options: Rig(stack, options)


def test_every_ecu_that_has_a_signal_is_read(rig_of: Callable[[str], Rig]) -> None:
    found = read_once(rig_of("petrol?warm=1&ecus=2").link, ["rpm", "coolant_temp", "maf", "elm_voltage"])
    assert {(one.signal, one.ecu) for one in found.readings} >= {
        ("rpm", "7E8"), ("rpm", "7E9"), ("coolant_temp", "7E8"), ("maf", "7E8"), ("elm_voltage", "")}
    assert found.absent == {}
    assert {one.unit for one in found.readings if one.signal == "maf"} == {"g/s"}


def test_what_does_not_come_has_a_reason(rig_of: Callable[[str], Rig]) -> None:
    found = read_once(rig_of("petrol?ecus=1").link, ["rpm", "latitude", "nox_b1s1", "o2_b1s1_trim"])
    assert [one.signal for one in found.readings] == ["rpm"]
    assert found.absent["latitude"] == "no request to a car reads it"
    assert set(found.absent) == {"latitude", "nox_b1s1", "o2_b1s1_trim"}
    with pytest.raises(UnknownSignalError):
        read_once(rig_of("petrol").link, ["rmp"])


@pytest.mark.parametrize("options", ["petrol?warm=1&clone=1", "petrol?warm=1&protocol=3"])
def test_adapters_and_cars_that_take_one_at_a_time_are_read_one_by_one(
    rig_of: Callable[[str], Rig], options: str
) -> None:
    found = read_once(rig_of(options).link, ["rpm", "speed", "maf"])
    assert {one.signal for one in found.readings} == {"rpm", "speed", "maf"}


def test_one_ecu_can_be_named(rig_of: Callable[[str], Rig]) -> None:
    found = read_once(rig_of("petrol?ecus=2").link, ["rpm@7E9"])
    assert [one.ecu for one in found.readings] == ["7E9"]


def test_a_lost_adapter_is_an_error_and_no_absence(rig_of: Callable[[str], Rig]) -> None:
    rig = rig_of("petrol")
    rig.car.misbehaviour.set("down")
    rig.car.drop_lines()
    rig.link.wait_until(LinkState.LOST, LinkState.WAITING, timeout_s=3.0)
    with pytest.raises(CannotConnectError):
        read_once(rig.link, ["rpm"])
