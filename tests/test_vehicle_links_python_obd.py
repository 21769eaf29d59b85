"""Through python-OBD: the outcomes of our own driver, none of the values it would have made up, no call that hangs."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Event

import pytest

from vehicle.diagnostics.freeze_frames import read_freeze_frames
from vehicle.diagnostics.trouble_codes import read_trouble_codes
from vehicle.diagnostics.vehicle_info import read_vehicle_info
from vehicle.elm327.outcomes import Timeout
from vehicle.errors import BadAddressError, CannotConnectError
from vehicle.links import Link, LinkState, open_link
from vehicle.links.foreign_call import ForeignCall
from vehicle.poller import Poller
from vehicle.simulator import SimulatedCar


class Rig:
    """A served car that stands still, and a link to it through python-OBD."""

    def __init__(self, stack: ExitStack, options: str, driven_s: float = 1.0) -> None:
        self.car = SimulatedCar(options, clock=lambda: 0.0)
        self.car.advance(driven_s)
        self.url = stack.enter_context(self.car.serve_tcp()).url
        self.link: Link = stack.enter_context(
            open_link(f"obd:{self.url}?protocol={self.car.options.protocol}")
        )


@pytest.fixture
def rig_of() -> Iterator[Callable[..., Rig]]:
    with ExitStack() as stack:
        yield lambda options="petrol?warm=1&ecus=2", driven_s=1.0: Rig(stack, options, driven_s)


def test_the_outcomes_are_those_of_our_own_driver(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("petrol?warm=1&ecus=2&fault=misfire", 600.0)
    with open_link(rig.url) as own:
        for read in (read_trouble_codes, read_freeze_frames, read_vehicle_info):
            assert read(rig.link) == read(own)
        assert rig.link.info.ecus == own.info.ecus == ("7E8", "7E9")
        for request, ecu in (
            ("010C", ""),
            ("010C0D05110F10", "7E8"),
            ("010C", "7E9"),
            ("010C", ""),
            ("015E", "7E9"),
        ):
            theirs, ours = (
                rig.link.request(bytes.fromhex(request), ecu),
                own.request(bytes.fromhex(request), ecu),
            )
            assert (theirs.answers, theirs.refusals, theirs.trouble) == (
                ours.answers,
                ours.refusals,
                ours.trouble,
            )
    vin = read_vehicle_info(rig.link).vin
    assert vin == rig.car.options.vin
    assert vin.strip("012") != vin, "python-OBD itself would cut this VIN short"


def test_no_misbehaviour_makes_a_value(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    right = rig.link.request(b"\x01\x0c", "7E8").checked()
    kinds = ("garbled", "half_frame", "lost_frame", "wrong_pid", "no_data", "can_error", "bus_busy", "buffer_full",
             "question", "refuse")  # fmt: skip
    for kind in kinds:
        rig.car.misbehaviour.set(kind, times=1)
        reply = rig.link.request(b"\x01\x0c", "7E8", deadline_s=1.0)
        assert reply.answers in ((), right), kind
        assert reply.answers or reply.reason
        rig.car.misbehaviour.clear()
    assert rig.link.request(b"\x01\x0c", "7E8").checked() == right


def test_an_ecu_that_asks_for_patience_gets_it(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.car.misbehaviour.set("pending", 0.3, times=1)
    assert rig.link.request(b"\x01\x0c", "7E8").checked()


# pyserial leaves the socket of a lost connection for the garbage collector to close
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_frozen_adapter_holds_nobody_past_the_deadline_and_is_opened_again(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of()
    right = rig.link.request(b"\x01\x0c", "7E8").checked()
    rig.car.misbehaviour.set("freeze")
    began = time.monotonic()
    assert isinstance(rig.link.request(b"\x01\x0c", "7E8", deadline_s=0.3).trouble, Timeout)
    assert time.monotonic() - began < 0.5
    assert rig.link.wait_until(LinkState.LOST, LinkState.WAITING, timeout_s=4.0) is not LinkState.CONNECTED
    rig.car.misbehaviour.clear()
    rig.car.drop_lines()
    assert rig.link.wait_until(LinkState.CONNECTED, timeout_s=20.0) is LinkState.CONNECTED
    assert rig.link.request(b"\x01\x0c", "7E8").checked() == right


def test_a_car_that_is_off_is_no_car_whatever_python_obd_believes(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.car.ignition(False)
    for _ in range(3):
        assert not rig.link.request(b"\x01\x0c", "7E8").answers
    assert rig.link.wait_until(LinkState.NO_CAR, timeout_s=4.0) is LinkState.NO_CAR
    rig.car.ignition(True)
    assert rig.link.wait_until(LinkState.CONNECTED, timeout_s=8.0) is LinkState.CONNECTED


def test_a_car_on_k_line_is_read_one_parameter_at_a_time(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("petrol?warm=1&protocol=5&ecus=2")
    assert rig.link.batch_limit == 1
    stop, seen = Event(), set()
    for batch in Poller(rig.link, ["rpm", "speed", "coolant_temp"], batch_s=0.1).poll(stop):
        seen |= {(run.signal, run.ecu) for run in batch.runs}
        if len(seen) == 3 or batch.end_us > 5_000_000:
            stop.set()
    assert seen == {("rpm", "10"), ("speed", "10"), ("coolant_temp", "10")}


def test_nobody_at_the_port_is_told_with_python_obds_own_reason() -> None:
    with pytest.raises(CannotConnectError, match="nosuchtty"):
        open_link("obd:/dev/nosuchtty", timeout_s=5.0)
    assert not logging.getLogger("obd").handlers


@pytest.mark.parametrize(
    "address", ["obd:", "obd:/dev/ttyUSB0?baud=fast", "obd:/dev/ttyUSB0?protocol=A", "obd:x?y=1"]
)
def test_an_address_that_cannot_be_right_is_refused(address: str) -> None:
    with pytest.raises(BadAddressError, match="python-OBD"):
        open_link(address)


def test_a_call_left_behind_lets_go_of_what_it_gets_too_late() -> None:
    go, let_go = Event(), Event()
    call = ForeignCall(lambda: go.wait(5.0), "slow")
    assert not call.wait(time.monotonic() + 0.05)
    call.leave(lambda _: let_go.set())
    assert not let_go.is_set()
    go.set()
    assert let_go.wait(2.0)
    failing: ForeignCall[float] = ForeignCall(lambda: 1 / 0, "failing")
    assert failing.wait(time.monotonic() + 2.0)
    with pytest.raises(ZeroDivisionError):
        failing.result()
