"""Replies of an adapter, byte by byte: what is believed, what is refused, and by which name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vehicle.elm327.frames import crc8
from vehicle.elm327.outcomes import AdapterError, Answer, BusError, NegativeResponse, NoData, Trouble
from vehicle.elm327.protocols import Family, ecu_of_header, target_of
from vehicle.elm327.replies import parse_reply
from vehicle.errors import CannotConnectError, NoAnswerError, RefusedError

CAN = Family.CAN11
RPM = bytes.fromhex("010C")
VIN = bytes.fromhex("0902")
VIN_LINES = ["7E81014490201314847", "7E821434D3832363333", "7E82241303034333532"]


def kline(data: str, header: str = "486B10") -> str:
    whole = bytes.fromhex(header + data)
    return (whole + bytes([sum(whole) & 0xFF])).hex().upper()


def j1850(data: str, header: str = "486B10") -> str:
    whole = bytes.fromhex(header + data)
    return (whole + bytes([crc8(whole)])).hex().upper()


def test_a_single_frame_is_an_answer_of_its_ecu_without_padding() -> None:
    reply = parse_reply("7E804410C1AF8AAAAAA\r\r", RPM, CAN)
    assert reply.answers == (Answer("7E8", bytes.fromhex("410C1AF8")),)
    assert (reply.trouble, reply.rejected, reply.refusals, reply.lines) == (None, (), (), 1)
    assert reply.checked()[0].ecu == "7E8"


def test_spaces_echo_search_message_and_null_bytes_do_not_matter() -> None:
    for text in (
        "010C\r7E8 04 41 0C 1A F8 \r\r",
        "SEARCHING...\r7E804410C1AF8\r\r",
        "SEARCHING...7E804410C1AF8\r\r",
        "\x00\x007E804410C1AF8\r\n\r\n",
        "BUS INIT: OK\r7E804410C1AF8\r",
    ):
        assert parse_reply(text, RPM, CAN).answers == (Answer("7E8", bytes.fromhex("410C1AF8")),), text


def test_two_ecus_interleaved_are_put_together_each_by_itself() -> None:
    other = [line.replace("7E8", "7E9", 1) for line in VIN_LINES]
    mixed = "\r".join(line for pair in zip(VIN_LINES, other, strict=True) for line in pair)
    reply = parse_reply(mixed, VIN, CAN)
    assert [answer.ecu for answer in reply.answers] == ["7E8", "7E9"]
    assert all(answer.data[3:] == b"1HGCM82633A004352" for answer in reply.answers)


def test_29_bit_answers_are_read_and_a_lone_eleven_bit_line_is_not_taken_for_one() -> None:
    reply = parse_reply("18DAF11004410C1AF8\r", RPM, Family.CAN29)
    assert reply.answers == (Answer("18DAF110", bytes.fromhex("410C1AF8")),)
    assert not parse_reply("7E804410C1AF8\r", RPM, Family.CAN29).answers


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([VIN_LINES[0], VIN_LINES[2]], "expected frame 1"),
        ([VIN_LINES[0], VIN_LINES[1]], "cut short"),
        ([VIN_LINES[1], VIN_LINES[2]], "without a beginning"),
        ([VIN_LINES[0], VIN_LINES[2], VIN_LINES[1]], "expected frame 1"),
        ([VIN_LINES[0], VIN_LINES[1], VIN_LINES[1]], "expected frame 2"),
        ([VIN_LINES[0], VIN_LINES[1], VIN_LINES[2][:-4]], "expected frame 2"),
        (["7E8100549020131"], "damaged first frame"),
        (["7E80041"], "single frame says 0"),
        (["7E806410C1AF8"], "single frame says 6"),
        (["7E8F4410C1AF8"], "no ISO-TP frame"),
        (["7E804410C1AF"], "digits are no 11-bit"),
    ],
)
def test_damaged_or_missing_frames_give_no_answer(lines: list[str], reason: str) -> None:
    reply = parse_reply("\r".join(lines) + "\r\r", VIN, CAN)
    assert reply.answers == ()
    assert any(reason in rejected.reason for rejected in reply.rejected), reply.rejected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("7E803410D22", "was not asked for"),
        ("7E803420C00", "does not answer 01"),
        ("7E8037F0912", "refusal of another"),
        ("7E80141", "was not asked for"),
        ("7E8027F01", "refusal of another"),
    ],
)
def test_an_answer_to_another_question_is_not_believed(line: str, reason: str) -> None:
    reply = parse_reply(line, RPM, CAN)
    assert not reply.answers
    assert not reply.refusals
    assert reason in reply.rejected[0].reason


@pytest.mark.parametrize(
    "line", ["7E805410C1AF800", "7E803410C1A", "7E806410D19CC0D05", "7E807410C1AF80C1AF8"]
)
def test_parameters_that_are_not_whole_or_not_asked_for_are_not_believed(line: str) -> None:
    reply = parse_reply(line, bytes.fromhex("010C0D05"), CAN)
    assert not reply.answers
    assert reply.rejected


def test_the_parameter_and_frame_number_of_other_services_must_be_repeated() -> None:
    freeze = bytes.fromhex("020C00")
    assert parse_reply("7E805420C001AF8", freeze, CAN).answers
    assert not parse_reply("7E805420C011AF8", freeze, CAN).answers
    did = bytes.fromhex("22F190")
    assert not parse_reply("7E80562F1911234", did, CAN).answers


def test_two_different_answers_of_one_ecu_are_both_refused_and_equal_ones_count_once() -> None:
    stale = parse_reply("7E804410C0BB8\r7E804410C1AF8", RPM, CAN)
    assert not stale.answers
    assert "two different" in stale.rejected[0].reason
    assert len(parse_reply("7E804410C1AF8\r7E804410C1AF8", RPM, CAN).answers) == 1


def test_with_one_ecu_asked_others_are_not_believed() -> None:
    reply = parse_reply("7E804410C1AF8\r7E904410C0000", RPM, CAN, ecu="7E8")
    assert [answer.ecu for answer in reply.answers] == ["7E8"]
    assert "from 7E9" in reply.rejected[0].reason


def test_a_refusal_has_its_code_and_words_and_pending_is_seen() -> None:
    reply = parse_reply("7E8037F0122\r", RPM, CAN)
    assert reply.refusals == (NegativeResponse("7E8", 1, 0x22),)
    assert "conditions not correct" in reply.reason
    with pytest.raises(RefusedError, match="conditions not correct"):
        reply.checked()
    waiting = parse_reply("7E8037F0178\r", RPM, CAN)
    assert waiting.pending
    assert not parse_reply("7E8037F0178\r7E804410C1AF8\r", RPM, CAN).pending


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("NO DATA", NoData, "NO DATA"),
        ("UNABLE TO CONNECT", BusError, "UNABLE TO CONNECT"),
        ("SEARCHING...\rUNABLE TO CONNECT", BusError, "UNABLE TO CONNECT"),
        ("BUS BUSY", BusError, "BUS BUSY"),
        ("BUS ERROR", BusError, "BUS ERROR"),
        ("CAN ERROR", BusError, "CAN ERROR"),
        ("DATA ERROR", BusError, "DATA ERROR"),
        ("<RX ERROR", BusError, "<RX ERROR"),
        ("FB ERROR", BusError, "FB ERROR"),
        ("BUS INIT: ...ERROR", BusError, "BUS INIT ERROR"),
        ("BUS INIT: ERROR", BusError, "BUS INIT ERROR"),
        ("BUFFER FULL", AdapterError, "BUFFER FULL"),
        ("STOPPED", AdapterError, "STOPPED"),
        ("?", AdapterError, "?"),
        ("LV RESET", AdapterError, "LV RESET"),
        ("ACT ALERT", AdapterError, "ACT ALERT"),
        ("ERR94", AdapterError, "ERR94"),
    ],
)
def test_adapter_messages_have_their_own_outcomes(text: str, kind: type[Trouble], name: str) -> None:
    reply = parse_reply(text + "\r\r", RPM, CAN)
    assert isinstance(reply.trouble, kind)
    assert reply.trouble.text == name
    assert reply.answers == ()
    assert name in reply.reason
    with pytest.raises(NoAnswerError):
        reply.checked()


def test_a_checksum_marked_bad_by_the_adapter_is_no_answer() -> None:
    reply = parse_reply("486B10410C1AF8C5 <DATA ERROR\r", RPM, Family.KLINE)
    assert isinstance(reply.trouble, BusError)
    assert not reply.answers


def test_a_restart_of_the_adapter_is_told_apart() -> None:
    reply = parse_reply("\r\rELM327 v1.5\r\r", RPM, CAN)
    assert isinstance(reply.trouble, AdapterError)
    assert "restarted" in reply.reason


def test_k_line_and_j1850_frames_need_their_checksum() -> None:
    data = "410C1AF8"
    expected = (Answer("10", bytes.fromhex(data)),)
    assert parse_reply(kline(data), RPM, Family.KLINE).answers == expected
    assert parse_reply(kline(data, "84F110"), RPM, Family.KLINE).answers == expected
    assert parse_reply(kline("04" + data, "80F110"), RPM, Family.KLINE).answers == expected
    assert parse_reply(j1850(data, "416B10"), RPM, Family.J1850).answers == expected
    assert parse_reply(kline(data), RPM, None).answers == expected
    for bad in (kline(data)[:-2] + "00", kline(data, "85F110"), j1850(data), kline(data)[:-1]):
        assert not parse_reply(bad, RPM, Family.KLINE).answers, bad


def test_a_vin_outside_can_comes_in_numbered_messages_that_must_all_be_there() -> None:
    parts = ["000000" + "31", "48474348", "4D383236", "33334130", "30343335"]
    lines = [kline(f"4902{number:02X}{part}") for number, part in enumerate(parts, 1)]
    reply = parse_reply("\r".join(lines), VIN, Family.KLINE)
    assert reply.answers[0].data == bytes.fromhex("4902" + "".join(parts))
    assert not parse_reply("\r".join(lines[:2] + lines[3:]), VIN, Family.KLINE).answers
    assert not parse_reply("\r".join(reversed(lines)), VIN, Family.KLINE).answers


def test_code_lists_outside_can_are_joined_per_ecu() -> None:
    text = "\r".join([kline("43013301960234"), kline("43C123000000"[:14].ljust(14, "0"))])
    reply = parse_reply(text, b"\x03", Family.KLINE)
    assert reply.answers == (Answer("10", bytes.fromhex("43013301960234C12300000000")),)


@given(st.lists(st.text(alphabet="0123456789ABCDEFGNO DATSERCH?<>.:\r\n\0é", max_size=30), max_size=6))
@settings(max_examples=600, deadline=None)
def test_garbage_never_becomes_an_answer_to_what_was_not_sent(lines: list[str]) -> None:
    for family in (*Family, None):
        reply = parse_reply("\r".join(lines), bytes.fromhex("0902"), family)
        for answer in reply.answers:
            assert answer.data[:2] == b"\x49\x02"


@given(st.binary(min_size=1, max_size=40), st.integers(0, 400), st.sampled_from("0123456789ABCDEF"))
@settings(max_examples=400, deadline=None)
def test_one_changed_digit_outside_can_is_always_noticed(data: bytes, place: int, digit: str) -> None:
    line = kline((b"\x41\x0c" + data[:5]).hex())
    place %= len(line)
    broken = line[:place] + digit + line[place + 1 :]
    if broken != line:
        assert not parse_reply(broken, RPM, Family.KLINE).answers


def test_addresses_follow_the_answering_ecu() -> None:
    assert target_of("7E8") == ("7E0", "7E8")
    assert target_of("18DAF110") == ("18DA10F1", "18DAF110")
    assert target_of("714:77E") == ("714", "77E")
    assert target_of("") is target_of("10") is None
    assert [ecu_of_header(header) for header in ("7E1", "DA10F1", "18DA10F1", "714:77E")] == [
        "7E9",
        "18DAF110",
        "18DAF110",
        "714:77E",
    ]


def test_a_lost_connection_is_told_apart_in_the_error() -> None:
    from vehicle.elm327.outcomes import Disconnected, Reply

    with pytest.raises(CannotConnectError, match="unplugged"):
        Reply(RPM, trouble=Disconnected("unplugged")).checked()
