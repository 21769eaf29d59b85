import pytest
from simulated import ask, plug, still_car

from vehicle.errors import BadAddressError


def disturbed(spelled: str, *setup: str, ecus: int = 1):
    car = still_car(f"petrol?ecus={ecus}")
    adapter = plug(car, *setup)
    ask(adapter, "0100")
    for trick in spelled.split(","):
        car.misbehaviour.set(trick)
    return car, adapter


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("no_data", b"NO DATA"),
        ("can_error", b"CAN ERROR"),
        ("bus_busy", b"BUS BUSY"),
        ("stopped", b"STOPPED"),
        ("unable_to_connect", b"UNABLE TO CONNECT"),
        ("question", b"?"),
        ("ignition_off", b"CAN ERROR"),
        ("refuse", b"7F 01 22 "),
        ("wrong_pid", b"41 0E 00 "),
        ("half_frame", b"41 0"),
        ("lost_frame", b"NO DATA"),
        ("buffer_full", b"BUFFER FULL"),
        ("pending", b"7F 01 78 \r41 0D 00 "),
    ],
)
def test_a_request_is_answered_wrongly_until_it_is_cleared(kind, text):
    car, adapter = disturbed(kind)
    assert ask(adapter, "010D") == ask(adapter, "010D") == text
    assert ask(adapter, "ATI") == b"ELM327 v1.5"
    car.misbehaviour.clear(kind)
    assert ask(adapter, "010D") == b"41 0D 00 "


def test_a_stale_reply_is_the_one_before():
    car, adapter = disturbed("stale_reply")
    car.misbehaviour.clear()
    ask(adapter, "010D")
    car.misbehaviour.set("stale_reply")
    assert ask(adapter, "010C") == b"41 0D 00 "
    assert ask(adapter, "0105") == b"41 0C 00 00 "


def test_garbled_lines_keep_their_length_and_lose_their_meaning():
    _, adapter = disturbed("garbled", "ATH1", "ATS0")
    for _ in range(20):
        line = ask(adapter, "010D")
        assert len(line) == len(b"7E803410D00AAAAAAAA")
        assert not set(line) <= set(b"0123456789ABCDEF")


def test_a_lost_frame_leaves_a_hole_in_a_long_reply():
    _, adapter = disturbed("lost_frame", "ATH1", "ATS0")
    assert ask(adapter, "0902") == b"7E81014490201324847\r7E82248303030303031"


def test_a_full_buffer_ends_a_long_reply_in_its_middle():
    _, adapter = disturbed("buffer_full", "ATH1", "ATS0")
    assert ask(adapter, "0904").endswith(b"\rBUFFER FULL")
    assert ask(adapter, "0904").startswith(b"7E81023490402")


def test_frames_of_two_units_may_come_interleaved():
    _, adapter = disturbed("interleaved", "ATH1", "ATS0", ecus=2)
    heads = [line[:5] for line in ask(adapter, "0904").split(b"\r")]
    assert heads[:5] == [b"7E810", b"7E910", b"7E821", b"7E921", b"7E822"]


def test_a_lost_prompt_leaves_the_host_waiting():
    car, adapter = disturbed("lost_prompt")
    assert adapter.exchange(b"010D\r") == b"41 0D 00 \r"
    car.misbehaviour.clear()
    assert adapter.exchange(b"010D\r") == b"41 0D 00 \r\r>"


def test_a_frozen_adapter_takes_bytes_and_answers_nothing_until_it_comes_back():
    car, adapter = disturbed("freeze")
    assert adapter.exchange(b"010D\rATI\r\r") == b""
    car.misbehaviour.clear("freeze")
    assert ask(adapter, "010D") == b"41 0D 00 "


def test_a_reset_in_mid_session_brings_back_echo_and_hides_headers():
    _, adapter = disturbed("reset", "ATH1")
    assert adapter.exchange(b"010D\r") == b"\r\n\r\nELM327 v1.5\r\n\r\n>"
    assert adapter.exchange(b"010D\r") == b"010D\r\n41 0D 00 \r\n\r\n>"


def test_a_dropped_line_ends_without_an_answer():
    _, adapter = disturbed("drop")
    assert adapter.exchange(b"010D\r") == b""


def test_a_misbehaviour_can_wait_and_can_be_limited():
    car = still_car("petrol?ecus=1")
    adapter = plug(car)
    car.misbehaviour.set("no_data", after=2, times=2)
    answers = [ask(adapter, "010D") for _ in range(6)]
    assert answers == [b"41 0D 00 "] * 2 + [b"NO DATA"] * 2 + [b"41 0D 00 "] * 2


def test_the_address_sets_them_too():
    adapter = plug(still_car("petrol?ecus=1&misbehave=no_data@5*1,refuse:18@6*1"))
    answers = [ask(adapter, "010D") for _ in range(4)]
    assert answers == [b"41 0D 00 ", b"NO DATA", b"7F 01 12 ", b"41 0D 00 "]


def test_a_kind_nobody_knows_is_refused():
    with pytest.raises(BadAddressError, match="Did you mean garbled"):
        still_car().misbehaviour.set("garbeld")
