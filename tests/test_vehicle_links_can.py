"""Straight on CAN: the simulated car answers as through an adapter, and nothing that goes wrong makes a value."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from uuid import uuid4

import can
import pytest
from can_peer import CanPeer, can_peer
from slcan_adapter import SlcanAdapter

from vehicle.diagnostics.freeze_frames import read_freeze_frames
from vehicle.diagnostics.monitor_tests import read_monitor_tests
from vehicle.diagnostics.readiness import read_readiness
from vehicle.diagnostics.trouble_codes import read_trouble_codes
from vehicle.diagnostics.vehicle_info import read_vehicle_info
from vehicle.elm327.outcomes import AdapterError, BusError, Disconnected, NoData, Timeout
from vehicle.errors import BadAddressError, CannotConnectError
from vehicle.links import Link, LinkState, open_link
from vehicle.links.can_address import read_can_address
from vehicle.poller import Poller
from vehicle.poller.support import read_support
from vehicle.signals import SIGNALS, decode_mode01
from vehicle.simulator import SimulatedCar

SIX = bytes.fromhex("010C0D05110F10")
GROUP = "239.74.163.77"


class Rig:
    """A still car on a CAN bus and a link to it."""

    def __init__(self, stack: ExitStack, options: str, kind: str) -> None:
        self.car = SimulatedCar(options, clock=lambda: 0.0)
        self.car.advance(30.0)
        extended = kind.endswith("29")
        if kind.startswith("udp"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
                free.bind(("", 0))
                self.port = free.getsockname()[1]
            peer = can_peer(
                GROUP, self.car, interface="udp_multicast", extended=extended, port=self.port, hop_limit=0
            )
            self.address = f"can:udp_multicast:{GROUP}:{self.port}?hops=0"
        else:
            channel = uuid4().hex
            peer = can_peer(channel, self.car, extended=extended)
            self.address = f"can:virtual:{channel}"
        self.peer: CanPeer = stack.enter_context(peer)
        self.link: Link = stack.enter_context(open_link(self.address))

    def ask(self, request: str, ecu: str = "7E8", deadline_s: float = 1.0) -> bytes:
        return self.link.request(bytes.fromhex(request), ecu, deadline_s=deadline_s).checked()[0].data


@pytest.fixture
def rig_of() -> Iterator[Callable[..., Rig]]:
    with ExitStack() as stack:
        yield lambda options="petrol?warm=1&ecus=2", kind="virtual11": Rig(stack, options, kind)


@pytest.mark.parametrize("kind", ["virtual11", "virtual29", "udp11", "udp29"])
def test_every_ecu_answers_whatever_the_bus_and_the_length_of_identifiers(
    rig_of: Callable[..., Rig], kind: str
) -> None:
    rig = rig_of(kind=kind)
    ecus = ("18DAF110", "18DAF118") if kind.endswith("29") else ("7E8", "7E9")
    assert rig.link.info.ecus == ecus
    assert rig.link.info.is_can
    reply = rig.link.request(b"\x01\x0c")
    assert tuple(answer.ecu for answer in reply.answers) == ecus
    six = rig.link.request(SIX, ecus[0])
    assert [answer.ecu for answer in six.answers] == [ecus[0]]
    assert len(six.answers[0].data) == 15
    assert rig.ask("0902", ecus[0])[3:].decode() == rig.car.options.vin


def test_the_car_says_on_can_what_it_says_through_an_adapter(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of("petrol?warm=1&ecus=2&fault=misfire")
    rig.car.advance(600.0)
    with rig.car.serve_tcp() as address, open_link(address.url) as adapter:
        for read in (
            read_readiness,
            read_trouble_codes,
            read_freeze_frames,
            read_monitor_tests,
            read_vehicle_info,
        ):
            assert read(rig.link) == read(adapter)
        assert read_trouble_codes(rig.link).codes("stored")
        support = read_support(rig.link)
        assert support == read_support(adapter)
        for pid in support["7E8"]:
            request = bytes([1, pid])
            assert rig.link.request(request, "7E8").checked() == adapter.request(request, "7E8").checked()


def test_two_ecus_sending_long_answers_at_once_are_kept_apart(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    names = {ecu: data[3:] for ecu, data in rig.link.request(b"\x09\x0a").answers}
    assert set(names) == {"7E8", "7E9"}
    assert names["7E8"].startswith(b"ECM")
    assert names["7E9"].startswith(b"TCM")


def test_a_long_request_goes_out_in_blocks_as_the_ecu_allows(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    request = b"\x22" + bytes.fromhex("F190") * 20
    reply = rig.link.request(request, "7E8")
    assert [refusal.nrc for refusal in reply.refusals] == [0x31]
    frames = [bytes(message.data) for message in rig.peer.seen if message.arbitration_id == 0x7E0]
    assert sum(data[0] >> 4 == 2 for data in frames) == 5
    assert all(len(data) == 8 for data in frames)


def test_requests_that_no_bus_can_carry_are_refused_at_once(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    for payload, ecu in ((b"\x01" * 8, ""), (b"", "7E8"), (b"\x22" * 4096, "7E8"), (b"\x01\x00", "xyz")):
        assert isinstance(rig.link.request(payload, ecu).trouble, AdapterError)


def test_silence_is_no_data_then_no_car_and_the_car_comes_back(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.peer.silent = True
    began = time.monotonic()
    assert isinstance(rig.link.request(SIX, "7E8").trouble, NoData)
    assert time.monotonic() - began < 0.4
    rig.link.request(SIX, "7E8")
    rig.link.request(SIX, "7E8")
    assert rig.link.wait_until(LinkState.NO_CAR, timeout_s=2.0) is LinkState.NO_CAR
    assert "nobody on the bus answers" in rig.link.state_reason
    rig.peer.silent = False
    assert rig.link.wait_until(LinkState.CONNECTED, timeout_s=3.0) is LinkState.CONNECTED
    assert rig.ask("010C")


def test_an_ecu_that_asks_for_patience_gets_it(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.peer.pending_s = 0.4
    assert rig.ask("0902", deadline_s=0.3)[3:].decode() == rig.car.options.vin


def test_the_deadline_holds_and_a_late_answer_is_not_taken_for_the_next(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.peer.delay_s = 0.15
    began = time.monotonic()
    reply = rig.link.request(b"\x01\x0d", "7E8", deadline_s=0.05)
    assert time.monotonic() - began < 0.5
    assert isinstance(reply.trouble, Timeout)
    rig.peer.delay_s = 0.0
    answer = rig.link.request(b"\x01\x0c", "7E8", deadline_s=0.5)
    assert [data[:2] for _, data in answer.answers] == [b"\x41\x0c"]


def test_a_message_that_lost_a_frame_is_no_answer(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    for lost in (1, 2):
        rig.peer.lose = lost
        reply = rig.link.request(b"\x09\x02", "7E8", deadline_s=0.6)
        assert not reply.answers
        assert reply.reason
    rig.peer.lose = 0
    assert rig.ask("0902")[3:].decode() == rig.car.options.vin


NOT_THE_ANSWER = [
    (0x7E8, "04410D22"), (0x7E8, "0341"), (0x7E8, "2141424344"), (0x7E8, "00"), (0x7E8, ""), (0x7E8, "1003410C"),
    (0x7E8, "037F0222"), (0x7E9, "04410C1AF8"), (0x7E8, "300000"), (0x7E8, "F0"), (0x123, "04410C1AF8"),
    (0x7E8, "03410C14"), (0x7E8, "05410C1AF800"), (0x7E8, "0041"), (0x7E8, "027F01"), (0x7E8, "30"),
]  # fmt: skip


def test_what_answers_another_question_or_none_is_not_believed(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    right = rig.ask("010C")
    for number, data in NOT_THE_ANSWER:
        rig.peer.garbage = [
            can.Message(arbitration_id=number, data=bytes.fromhex(data), is_extended_id=False)
        ]
        reply = rig.link.request(b"\x01\x0c", "7E8")
        assert [answer.data for answer in reply.answers] == [right], data


def test_error_frames_without_an_answer_are_a_bus_error(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(kind="virtual29")
    rig.peer.garbage = [can.Message(arbitration_id=0x18DAF110, is_error_frame=True)]
    rig.car.ignition(False)
    assert isinstance(rig.link.request(b"\x01\x0c", "18DAF110").trouble, BusError)


def test_an_interface_that_went_off_the_bus_is_opened_again(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    bus_off = 0x40  # marks it in an error frame's identifier
    rig.peer.garbage = [
        can.Message(arbitration_id=0x7E8 | bus_off, is_extended_id=False, is_error_frame=True)
    ]
    reply = rig.link.request(b"\x01\x0c", "7E8")
    assert isinstance(reply.trouble, Disconnected)
    assert "bus-off" in reply.reason
    rig.peer.garbage = []
    end = time.monotonic() + 3.0
    while not rig.link.reconnects and time.monotonic() < end:
        time.sleep(0.02)
    assert rig.link.wait_until(LinkState.CONNECTED, timeout_s=1.0) is LinkState.CONNECTED
    assert rig.ask("010C")


def test_a_datagram_that_is_no_frame_does_no_harm(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(kind="udp11")
    right = rig.ask("010C")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
        sender.sendto(b"no frame", (GROUP, rig.port))
        assert rig.ask("010C") == right
    assert rig.link.reconnects == 0


def test_a_capture_over_can_has_the_cars_values(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    names = ["rpm", "speed", "coolant_temp", "throttle_pos", "maf", "intake_pressure", "rpm@7E9"]
    stop = Event()
    values: dict[tuple[str, str], list[float]] = {}
    poller = Poller(rig.link, names, batch_s=0.1, every_round=True)
    for batch in poller.poll(stop):
        assert not batch.gaps
        for run in batch.runs:
            values.setdefault((run.signal, run.ecu), []).extend(run.values)
        if len(values.get(("rpm", "7E8"), ())) > 50:
            stop.set()
    assert {signal for signal, _ in values} == {name.partition("@")[0] for name in names}
    for (signal, ecu), found in values.items():
        pid = SIGNALS[signal].pid
        assert pid is not None
        assert set(found) == {decode_mode01(pid, rig.ask(f"01{pid:02X}", ecu)[2:])[signal]}
        assert len(found) > 40


def test_a_lost_interface_is_opened_again_and_the_capture_goes_on(tmp_path: Path) -> None:
    channel = uuid4().hex
    adapter = SlcanAdapter(tmp_path / "ttyCAN", channel)
    car = SimulatedCar("petrol?warm=1", clock=lambda: 0.0)
    adapter.plug()
    with can_peer(channel, car), open_link(f"can:slcan:{adapter.path}") as link:
        assert link.info.protocol is not None
        assert link.info.protocol.name == "ISO 15765-4 CAN (11 bit, 500 kbit/s)"
        right = link.request(b"\x01\x0c", "7E8").checked()
        adapter.unplug()
        assert not link.request(b"\x01\x0c", "7E8").answers
        assert link.wait_until(LinkState.LOST, LinkState.WAITING, timeout_s=2.0) is not LinkState.CONNECTED
        adapter.plug()
        assert link.wait_until(LinkState.CONNECTED, timeout_s=8.0) is LinkState.CONNECTED
        assert link.request(b"\x01\x0c", "7E8").checked() == right
        assert link.reconnects == 1
    adapter.unplug()


@pytest.mark.parametrize(
    "address",
    [
        "can:",
        "can:virtual",
        "can:virtual:",
        "can:virtual:a?bits=12",
        "can:virtual:a?nonsense=1",
        "can:virtual:a?padding=1FF",
        "can:virtual:a?hops=1",
        "can:udp_multicast:house",
        "can:virtual:a?bitrate=fast",
        "can:udp_multicast:239.0.0.1:99999",
        "can:nonsense:a",
    ],
)
def test_an_address_that_cannot_be_right_is_refused_with_the_forms_that_are(address: str) -> None:
    with pytest.raises(BadAddressError) as caught:
        open_link(address, timeout_s=0.1)
    assert "socketcan" in caught.value.hint


def test_groups_of_both_families_are_understood() -> None:
    four = read_can_address("can:udp_multicast:239.1.2.3:5000")
    assert (four.channel, four.settings) == ("239.1.2.3", {"hop_limit": 1, "port": 5000})
    six = read_can_address("can:udp_multicast:[ff15::1]:5001?hops=0")
    assert (six.channel, six.settings) == ("ff15::1", {"hop_limit": 0, "port": 5001})


def test_socketcan_says_at_once_where_it_cannot_work_or_has_no_such_interface() -> None:
    with pytest.raises(CannotConnectError) as caught:
        open_link("can:socketcan:nosuchcan0", timeout_s=2.0)
    try:
        socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW).close()
    except (AttributeError, OSError):
        assert caught.value.code == "unsupported"
    else:
        assert caught.value.code == "car_unreachable"
