"""DoIP against a gateway on the loopback: activation, acknowledgement, alive checks, and everything going wrong."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import udsoncan
from doip_peer import TESTER, DoipPeer, doip_peer, pack
from doipclient import DoIPClient
from doipclient.connectors import DoIPClientUDSConnector
from udsoncan.client import Client

from vehicle.diagnostics.trouble_codes import read_trouble_codes
from vehicle.elm327.outcomes import AdapterError, Disconnected, Timeout
from vehicle.errors import BadAddressError, CannotConnectError
from vehicle.links import Link, LinkState, open_link
from vehicle.links.doip import read_doip_address
from vehicle.poller.support import read_support
from vehicle.simulator import SimulatedCar
from vehicle.uds import read_uds_codes, read_uds_vin

VIN_REQUEST = bytes.fromhex("22F190")


class Rig:
    """A still car behind a gateway; `open` gives a link to it."""

    def __init__(self, stack: ExitStack, driven_s: float) -> None:
        self._stack = stack
        self.car = SimulatedCar("petrol?warm=1&ecus=2&fault=misfire", clock=lambda: 0.0)
        self.car.advance(driven_s)
        self.peer: DoipPeer = stack.enter_context(doip_peer(self.car))

    def open(self, rest: str = "/1010") -> Link:
        return self._stack.enter_context(open_link(f"doip:127.0.0.1:{self.peer.port}{rest}"))


@pytest.fixture
def rig() -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(stack, 1.0)


@pytest.fixture
def driven() -> Iterator[Rig]:
    """A car that has been driven until its fault was stored."""
    with ExitStack() as stack:
        yield Rig(stack, 600.0)


def test_the_gateway_is_what_doipclient_and_udsoncan_take_for_one(driven: Rig) -> None:
    with DoIPClient("127.0.0.1", 0x1010, tcp_port=driven.peer.port) as theirs:
        config = {"data_identifiers": {0xF190: udsoncan.AsciiCodec(17)}}
        with Client(DoIPClientUDSConnector(theirs), config=config) as client:
            vin = client.read_data_by_identifier(0xF190).service_data.values[0xF190]
            dtcs = client.get_dtc_by_status_mask(0xFF).service_data.dtcs
    link = driven.open()
    assert read_uds_vin(link, "1010") == vin == driven.car.options.vin
    assert [int(code.number, 16) for code in read_uds_codes(link).lists[0].codes] == [dtc.id for dtc in dtcs]


def test_every_target_named_is_asked_and_keeps_its_own_answer(driven: Rig) -> None:
    link = driven.open("/1010,1018")
    assert link.info.ecus == ("1010", "1018")
    assert link.info.protocol is not None
    assert "DoIP" in link.info.protocol.name
    assert {answer.ecu for answer in link.request(b"\x01\x00").answers} == {"1010", "1018"}
    assert set(read_support(link)) == {"1010", "1018"}
    assert read_trouble_codes(link).codes("stored") == driven.car.model.memory.stored


def test_without_a_target_the_gateway_says_who_it_is(rig: Rig) -> None:
    link = rig.open("")
    assert link.info.ecus == ("1000",)
    assert read_uds_vin(link, "1000") == rig.car.options.vin


def test_the_tester_address_and_the_activation_type_are_those_asked_for(rig: Rig) -> None:
    rig.open("/1010?source=0E80&activation=1")
    assert rig.peer.activations == [(0x0E80, 1)]


def test_a_refused_activation_is_told_with_its_reason(rig: Rig) -> None:
    rig.peer.activation_code = 0x04
    with pytest.raises(CannotConnectError, match="DeniedMissingAuthentication"):
        rig.open()


def test_an_ecu_the_gateway_does_not_know_is_its_refusal_and_not_the_cars(rig: Rig) -> None:
    link = rig.open()
    began = time.monotonic()
    reply = link.request(VIN_REQUEST, "1055")
    assert isinstance(reply.trouble, AdapterError)
    assert "UnknownTargetAddress" in reply.reason
    assert time.monotonic() - began < 0.5
    assert isinstance(link.request(VIN_REQUEST, "7E8").trouble, AdapterError)


def test_what_the_gateway_did_not_understand_is_its_refusal_too(rig: Rig) -> None:
    link = rig.open()
    rig.peer.silent = True
    rig.peer.before = [pack(0x0000, b"\x03")]
    reply = link.request(VIN_REQUEST, "1010")
    assert isinstance(reply.trouble, AdapterError)
    assert "OutOfMemory" in reply.reason


def alive_answers(peer: DoipPeer, number: int) -> list[int]:
    """Return the answers to alive checks once there are so many of them, or two seconds have passed."""
    end = time.monotonic() + 2.0
    while len(peer.alive_answers) < number and time.monotonic() < end:
        time.sleep(0.02)
    return peer.alive_answers


def test_alive_checks_are_answered_while_asking_and_while_idle(rig: Rig) -> None:
    link = rig.open()
    rig.peer.alive_check = True
    assert read_uds_vin(link, "1010")
    assert alive_answers(rig.peer, 1) == [TESTER]
    rig.peer.connections[-1].sendall(pack(0x0007, b""))
    assert alive_answers(rig.peer, 2) == [TESTER, TESTER]


def test_bytes_may_come_one_by_one_or_all_at_once_and_before_the_acknowledgement(rig: Rig) -> None:
    link = rig.open()
    rig.peer.chunk = 1
    assert read_uds_vin(link, "1010") == rig.car.options.vin
    rig.peer.chunk, rig.peer.answer_before_ack = 0, True
    assert read_uds_vin(link, "1010") == rig.car.options.vin


def test_an_ecu_that_asks_for_patience_gets_it(rig: Rig) -> None:
    link = rig.open()
    rig.peer.pending_s = 0.4
    reply = link.request(VIN_REQUEST, "1010", deadline_s=0.2)
    assert reply.checked()[0].data[3:].decode() == rig.car.options.vin


def test_the_deadline_holds_and_a_late_answer_is_not_taken_for_the_next(rig: Rig) -> None:
    link = rig.open()
    rig.peer.delay_s = 0.8
    began = time.monotonic()
    reply = link.request(b"\x01\x0d", "1010", deadline_s=0.1)
    assert isinstance(reply.trouble, Timeout)
    assert time.monotonic() - began < 0.7
    rig.peer.delay_s = 0.0
    assert [data[:2] for _, data in link.request(b"\x01\x0c", "1010").answers] == [b"\x41\x0c"]


@pytest.mark.parametrize(
    "stray",
    [
        pack(0x8001, b"\x10\x10\x0e\x00\x62\xf1\x91AB"),
        pack(0x8001, b"\x10\x18\x0e\x00\x62\xf1\x90" + b"X" * 17),
        pack(0x8001, b"\x10\x10\x0e\x01\x62\xf1\x90" + b"X" * 17),
        pack(0x8001, b"\x10\x10\x0e\x00\x7f\x10\x11"),
        pack(0x8001, b"\x10\x10\x0e\x00"),
        pack(0x7777, b"what is this"),
        pack(0x0004, bytes(33)),
    ],
)
def test_what_is_not_the_answer_is_not_taken_for_it(rig: Rig, stray: bytes) -> None:
    link = rig.open()
    rig.peer.before = [stray]
    reply = link.request(VIN_REQUEST, "1010")
    assert [data[3:].decode() for _, data in reply.answers] == [rig.car.options.vin]


def test_a_gateway_that_hangs_up_is_called_again(rig: Rig) -> None:
    link = rig.open()
    rig.peer.drop()
    assert link.wait_until(LinkState.LOST, LinkState.WAITING, timeout_s=2.0)
    assert link.wait_until(LinkState.CONNECTED, timeout_s=5.0) is LinkState.CONNECTED
    assert read_uds_vin(link, "1010") == rig.car.options.vin
    assert link.reconnects == 1


@pytest.mark.parametrize("garbage", [b"\x02\xfd\x80\x01\xff\xff\xff\xff", b"\x02\xfd\x80\x01\x7f\0\0\0"])
def test_a_message_announced_too_long_ends_the_connection_and_not_our_memory(
    rig: Rig, garbage: bytes
) -> None:
    link = rig.open()
    rig.peer.before = [garbage]
    assert isinstance(link.request(VIN_REQUEST, "1010").trouble, Disconnected)
    rig.peer.before = []
    assert link.wait_until(LinkState.CONNECTED, timeout_s=5.0) is LinkState.CONNECTED


def test_nobody_there_is_told_soon(rig: Rig) -> None:
    port = rig.peer.port
    rig.peer.end()
    for rest in ("", "/1010"):
        began = time.monotonic()
        with pytest.raises(CannotConnectError):
            open_link(f"doip:127.0.0.1:{port}{rest}")
        assert time.monotonic() - began < 4.0


def test_a_silent_ecu_is_no_car(rig: Rig) -> None:
    rig.peer.silent = True
    with open_link(f"doip:127.0.0.1:{rig.peer.port}/1010", timeout_s=0.5, wait=False) as link:
        link.wait_until(LinkState.CONNECTED, timeout_s=0.4)
        assert link.state is not LinkState.CONNECTED
        rig.peer.silent = False


@pytest.mark.parametrize(
    "address",
    ["doip:", "doip:/1010", "doip:host:0", "doip:host:99999", "doip:host/XYZ", "doip:host/10101", "doip:host/0",
     "doip:host?source=1FFFF", "doip:host?version=9", "doip:host?nonsense=1", "doip:a b", "doip:host/"],
)  # fmt: skip
def test_an_address_that_cannot_be_right_is_refused_with_the_forms_that_are(address: str) -> None:
    with pytest.raises(BadAddressError, match="no DoIP address"):
        open_link(address)


@pytest.mark.parametrize(
    ("address", "host", "port", "targets"),
    [
        ("doip:car.local", "car.local", 13400, ()),
        ("doip:[fe80::1]:13401/1010,1a", "fe80::1", 13401, (0x1010, 0x1A)),
        ("doip:10.0.0.2/4010", "10.0.0.2", 13400, (0x4010,)),
    ],
)
def test_addresses_of_every_kind_are_understood(
    address: str, host: str, port: int, targets: tuple[int, ...]
) -> None:
    found = read_doip_address(address)
    assert (found.host, found.port, found.targets) == (host, port, targets)
