"""UDS over links: codes with status, identifiers, typed refusals; udsoncan reads the same from the same bytes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest
import udsoncan
from can_peer import CanPeer, can_peer
from udsoncan.client import Client
from udsoncan.connections import BaseConnection
from udsoncan.services import ReadDTCInformation

from vehicle.elm327.outcomes import Answer, NegativeResponse, NoData, Reply, Timeout
from vehicle.errors import BadAddressError, CannotConnectError, NoAnswerError
from vehicle.links import Link, open_link
from vehicle.simulator import SimulatedCar
from vehicle.uds import (
    NegativeResponseError,
    UdsAnswerError,
    clear_uds_codes,
    read_identifiers,
    read_uds_codes,
    read_uds_vin,
)
from vehicle.uds.codes import decode_codes

MISFIRE = "petrol?warm=1&ecus=2&fault=misfire"


class LinkConnection(BaseConnection):
    """A link as udsoncan wants to see it."""

    def __init__(self, link: Link, ecu: str) -> None:
        super().__init__()
        self._link, self._ecu = link, ecu
        self._frame = b""

    def open(self) -> "LinkConnection":
        return self

    def close(self) -> None:
        pass

    def is_open(self) -> bool:
        return True

    def empty_rxqueue(self) -> None:
        self._frame = b""

    def specific_send(self, payload: bytes, timeout: float | None = None) -> None:
        reply = self._link.request(bytes(payload), self._ecu)
        refusals = [bytes([0x7F, refusal.service, refusal.nrc]) for refusal in reply.refusals]
        self._frame = [*(answer.data for answer in reply.answers), *refusals][0]

    def specific_wait_frame(self, timeout: float | None = None) -> bytes:
        return self._frame


class OneAnswerLink:
    """Answers every request with the same reply."""

    def __init__(self, *frames: str, trouble: NoData | Timeout | None = None) -> None:
        data = [bytes.fromhex(frame) for frame in frames]
        self._answers = tuple(Answer("7E8", frame) for frame in data if frame[0] != 0x7F)
        self._refusals = tuple(NegativeResponse("7E8", *frame[1:3]) for frame in data if frame[0] == 0x7F)
        self._trouble = trouble

    def request(self, payload: bytes, ecu: str, **_: object) -> Reply:
        return Reply(payload, self._answers, self._refusals, trouble=self._trouble)


class Rig:
    """A still car with a misfire, on CAN and through an adapter."""

    def __init__(self, stack: ExitStack) -> None:
        self.car = SimulatedCar(MISFIRE, clock=lambda: 0.0)
        self.car.advance(600.0)
        channel = uuid4().hex
        self.peer: CanPeer = stack.enter_context(can_peer(channel, self.car))
        self.can: Link = stack.enter_context(open_link(f"can:virtual:{channel}"))

    def adapter(self, stack: ExitStack) -> Link:
        return stack.enter_context(open_link(stack.enter_context(self.car.serve_tcp()).url))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


@pytest.fixture
def rig(stack: ExitStack) -> Rig:
    return Rig(stack)


def test_codes_come_with_their_status_the_same_over_can_and_an_adapter(rig: Rig, stack: ExitStack) -> None:
    report = read_uds_codes(rig.can)
    assert report == read_uds_codes(rig.adapter(stack))
    [engine] = report.lists
    assert engine.ecu == "7E8"
    assert engine.format == "not told"
    assert {code.code for code in engine.codes} == {
        *rig.car.model.memory.stored,
        *rig.car.model.memory.pending,
    }
    confirmed = [code for code in engine.codes if code.status.confirmed]
    assert {code.code for code in confirmed} == set(rig.car.model.memory.stored)
    assert all(code.status.warning_lamp for code in confirmed)
    assert all(code.status.failed_since_clear is None for code in engine.codes), "the ECU keeps no such bit"
    assert [(item.ecu, "service not supported" in item.reason) for item in report.absent] == [("7E9", True)]


def test_a_mask_asks_for_some_codes_only(rig: Rig) -> None:
    assert not read_uds_codes(rig.can, "7E8", status_mask=0x10).lists[0].codes
    with pytest.raises(BadAddressError):
        read_uds_codes(rig.can, status_mask=0)


def test_udsoncan_reads_the_same_through_the_same_link(rig: Rig) -> None:
    config = {"data_identifiers": {0xF190: udsoncan.AsciiCodec(17)}}
    with Client(LinkConnection(rig.can, "7E8"), config=config) as client:
        theirs = client.get_dtc_by_status_mask(0xFF).service_data.dtcs
        [ours] = read_uds_codes(rig.can).lists
        assert [(dtc.id, dtc.status.get_byte_as_int()) for dtc in theirs] == [
            (int(code.number, 16), code.status_byte) for code in ours.codes
        ]
        vin = client.read_data_by_identifier(0xF190).service_data.values[0xF190]
        assert vin == read_uds_vin(rig.can, "7E8") == rig.car.options.vin


@pytest.mark.parametrize("status", [0x00, 0x01, 0x5A, 0xA5, 0xFF])
def test_status_bits_mean_what_udsoncan_says_they_mean(status: int) -> None:
    answer = bytes.fromhex("5902FF04200F") + bytes([status])
    [ours] = decode_codes("7E8", answer, "SAE J2012").codes
    response = udsoncan.Response(ReadDTCInformation, udsoncan.Response.Code.PositiveResponse, answer[1:])
    theirs = ReadDTCInformation.interpret_response(response, subfunction=2).service_data.dtcs[0].status
    assert list(ours.status.model_dump().values()) == [
        theirs.test_failed, theirs.test_failed_this_operation_cycle, theirs.pending, theirs.confirmed,
        theirs.test_not_completed_since_last_clear, theirs.test_failed_since_last_clear,
        theirs.test_not_completed_this_operation_cycle, theirs.warning_indicator_requested,
    ]  # fmt: skip
    assert (ours.number, ours.code, ours.failure_type) == ("04200F", "P0420", 0x0F)


def test_codes_that_are_no_j2012_codes_are_not_given_such_names() -> None:
    [code] = decode_codes("7E8", bytes.fromhex("5902FF12345608"), "ISO 14229-1").codes
    assert (code.number, code.code, code.failure_type) == ("123456", None, None)


def test_zeros_that_fill_an_answer_up_are_no_code() -> None:
    assert decode_codes("7E8", bytes.fromhex("5902FF00000000"), "not told").codes == []


@pytest.mark.parametrize("answer", ["5902", "5902FF0420", "5902FF0420000801", "590300", "4902FF"])
def test_a_damaged_list_of_codes_is_refused(answer: str) -> None:
    with pytest.raises(UdsAnswerError):
        decode_codes("7E8", bytes.fromhex(answer), "not told")


def test_identifiers_are_read_one_by_one_and_what_is_not_there_says_why(rig: Rig) -> None:
    report = read_identifiers(rig.can, [0xF190, 0xF18C], "7E8")
    [vin] = report.values
    assert (vin.identifier, vin.name, vin.text) == ("F190", "VIN", rig.car.options.vin)
    assert bytes.fromhex(vin.raw).decode() == rig.car.options.vin
    [absent] = report.absent
    assert absent.what == "ECU serial number"
    assert "request out of range (31)" in absent.reason
    with pytest.raises(BadAddressError):
        read_identifiers(rig.can, [0x1F190], "7E8")


def test_a_refusal_says_who_refused_what_and_why(rig: Rig) -> None:
    with pytest.raises(NegativeResponseError) as caught:
        read_uds_vin(rig.can, "7E9")
    error = caught.value
    assert (error.ecu, error.service, error.nrc, error.code) == ("7E9", 0x22, 0x11, "car_refused")
    assert "does not have it" in error.hint


def test_an_ecu_that_asks_for_patience_gets_it(rig: Rig) -> None:
    rig.peer.pending_s = 0.3
    assert read_uds_vin(rig.can, "7E8") == rig.car.options.vin


@pytest.mark.parametrize(
    ("link", "error"),
    [
        (OneAnswerLink("7F2278", trouble=Timeout(5.0)), NoAnswerError),
        (OneAnswerLink("7F2222"), NegativeResponseError),
        (OneAnswerLink(trouble=NoData()), NoAnswerError),
        (OneAnswerLink("62F190"), UdsAnswerError),
        (OneAnswerLink("62F190" + "FF" * 17), UdsAnswerError),
        (OneAnswerLink("62F190" + b"1HGCM82633A00435".hex()), UdsAnswerError),
        (OneAnswerLink("62F190" + b"IHGCM82633A004352".hex()), UdsAnswerError),
    ],
)
def test_what_is_no_vin_is_an_error_of_its_kind(link: Link, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_uds_vin(link, "7E8")


def test_clearing_names_who_cleared_and_who_refused(rig: Rig) -> None:
    assert clear_uds_codes(rig.can, "7E9").absent[0].ecu == "7E9"
    assert rig.car.model.memory.stored
    assert clear_uds_codes(rig.can, "7E8").cleared == ["7E8"]
    assert not rig.car.model.memory.stored
    for ecu, group in (("", 0xFFFFFF), ("7E8", -1), ("7E8", 0x1000000)):
        with pytest.raises(BadAddressError):
            clear_uds_codes(rig.can, ecu, group)


@pytest.mark.parametrize(
    "read",
    [lambda link: read_uds_codes(link), lambda link: read_identifiers(link, [0xF190]),
     lambda link: clear_uds_codes(link, "7E8")],
)  # fmt: skip
def test_a_lost_connection_is_no_answer_about_the_car(rig: Rig, read: Callable[[Link], object]) -> None:
    rig.can.close()
    with pytest.raises(CannotConnectError):
        read(rig.can)
