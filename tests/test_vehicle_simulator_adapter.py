import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import ask, plug, still_car

from vehicle.simulator.elm.frames import crc8


def test_after_power_on_echo_linefeeds_and_spaces_are_on():
    adapter = still_car().adapter()
    assert adapter.exchange(b"ATZ\r") == b"ATZ\r\n\r\n\r\nELM327 v1.5\r\n\r\n>"
    assert adapter.exchange(b"ate0\r") == b"ate0\r\nOK\r\n\r\n>"
    assert adapter.exchange(b"at l0\r") == b"OK\r\r>"
    assert adapter.exchange(b"ATI\r") == b"ELM327 v1.5\r\r>"


def test_the_first_request_searches_for_the_protocol_and_later_ones_do_not():
    adapter = still_car("petrol?ecus=1").adapter()
    adapter.exchange(b"ATE0\rATL0\r")
    assert adapter.exchange(b"ATDP\r") == b"AUTO\r\r>"
    assert adapter.exchange(b"010D\r") == b"SEARCHING...\r41 0D 00 \r\r>"
    assert adapter.exchange(b"010D\r") == b"41 0D 00 \r\r>"
    assert adapter.exchange(b"ATDPN\r") == b"A6\r\r>"
    assert adapter.exchange(b"ATDP\r") == b"AUTO, ISO 15765-4 (CAN 11/500)\r\r>"
    assert adapter.exchange(b"ATPC\r010D\r") == b"OK\r\r>SEARCHING...\r41 0D 00 \r\r>"


def test_an_empty_line_repeats_the_last_command():
    adapter = plug(still_car("petrol?ecus=1"))
    assert ask(adapter, "010D") == ask(adapter, "") == b"41 0D 00 "


@pytest.mark.parametrize(
    "typed", ["\x7f\x7f", "ATFOO", "ATSH7E8F", "ATSPX", "01G0", "0", "0102030405060708", "STI"]
)
def test_what_it_does_not_know_is_answered_with_a_question_mark(typed):
    assert ask(plug(still_car()), typed) == b"?"


def test_a_long_reply_is_printed_with_length_and_line_numbers_when_headers_are_off():
    adapter = plug(still_car("petrol?ecus=1"))
    assert ask(adapter, "0902") == (
        b"014 \r0: 49 02 01 32 48 47 \r1: 46 43 32 46 35 31 47 \r2: 48 30 30 30 30 30 31 "
    )
    ask(adapter, "ATS0")
    assert ask(adapter, "0902") == b"014\r0:490201324847\r1:46433246353147\r2:48303030303031"


def test_the_line_numbers_of_a_very_long_reply_wrap_after_f():
    lines = ask(plug(still_car("petrol?ecus=1"), "ATS0"), "0908").split(b"\r")
    assert lines[0] == b"02B"
    assert [line[:2] for line in lines[1:]] == [b"%X:" % number for number in range(7)]


@pytest.mark.parametrize(
    ("padding", "frame"),
    [("AA", b"7E803410D00AAAAAAAA"), ("00", b"7E803410D0000000000"), ("off", b"7E803410D00")],
)
def test_headers_on_shows_the_frame_as_it_was_on_the_bus(padding, frame):
    adapter = plug(still_car(f"petrol?ecus=1&padding={padding}"), "ATH1", "ATS0")
    assert ask(adapter, "010D") == frame


def test_headers_on_shows_first_and_consecutive_frames_with_their_control_bytes():
    adapter = plug(still_car("petrol?ecus=1"), "ATH1")
    assert ask(adapter, "0902") == (
        b"7E8 10 14 49 02 01 32 48 47 \r7E8 21 46 43 32 46 35 31 47 \r7E8 22 48 30 30 30 30 30 31 "
    )


def test_data_length_and_raw_frames_are_shown_when_asked_for():
    adapter = plug(still_car("petrol?ecus=1"), "ATH1", "ATD1")
    assert ask(adapter, "010D") == b"7E8 8 03 41 0D 00 AA AA AA AA "
    adapter = plug(still_car("petrol?ecus=1"), "ATCAF0")
    assert ask(adapter, "010D") == b"03 41 0D 00 AA AA AA AA "


def test_six_pids_in_one_request_come_back_as_one_message_in_the_order_asked():
    adapter = plug(still_car("petrol?ecus=1"), "ATH1", "ATS0")
    assert ask(adapter, "010C0D05110F1F") == (
        b"7E8100F410C00000D00\r7E821053C11290F3C1F\r7E8220000AAAAAAAAAA"
    )
    assert ask(adapter, "010C0D05110F1F0B") == b"?"


def test_pids_a_car_does_not_have_are_left_out_of_the_answer():
    adapter = plug(still_car("petrol?ecus=1"))
    assert ask(adapter, "010D12") == b"41 0D 00 "
    assert ask(adapter, "0112") == b"NO DATA"


def test_an_odd_digit_limits_the_frames_that_are_waited_for():
    adapter = plug(still_car(), "ATH1", "ATS0", "ATSH7DF")
    both = b"7E803410D00AAAAAAAA\r7E903410D00AAAAAAAA"
    assert ask(adapter, "010D") == ask(adapter, "010D2") == ask(adapter, "010D5") == both
    assert ask(adapter, "010D1") == b"7E803410D00AAAAAAAA"
    assert ask(adapter, "09021") == b"7E81014490201324847"


def test_a_physical_header_reaches_one_unit_and_a_filter_hides_the_others():
    adapter = plug(still_car("petrol?ecus=3"), "ATS0", "ATH1")
    assert ask(adapter, "0142").count(b"\r") == 2
    ask(adapter, "ATSH7E1")
    assert ask(adapter, "010D") == b"7E903410D00AAAAAAAA"
    ask(adapter, "ATSH7DF")
    ask(adapter, "ATCRA7EA")
    assert ask(adapter, "0142")[:3] == b"7EA"
    ask(adapter, "ATCRA7EX")
    assert ask(adapter, "0142").count(b"\r") == 2
    ask(adapter, "ATCRA")
    ask(adapter, "ATCF7E9")
    ask(adapter, "ATCM7FF")
    assert ask(adapter, "0142")[:3] == b"7E9"
    ask(adapter, "ATAR")
    assert ask(adapter, "0142").count(b"\r") == 2


def test_without_flow_control_only_the_first_frame_comes():
    adapter = plug(still_car("petrol?ecus=1"), "ATH1", "ATS0", "ATCFC0")
    assert ask(adapter, "0902") == b"7E81014490201324847"


def test_on_29_bit_can_the_header_is_four_bytes():
    adapter = plug(still_car("petrol?protocol=7"), "ATH1")
    assert (
        ask(adapter, "010D") == b"18 DA F1 10 03 41 0D 00 AA AA AA AA \r18 DA F1 18 03 41 0D 00 AA AA AA AA "
    )
    ask(adapter, "ATSHDA18F1")
    assert ask(adapter, "010D") == b"18 DA F1 18 03 41 0D 00 AA AA AA AA "


@pytest.mark.parametrize(
    ("protocol", "line"),
    [
        ("1", b"41 6B 10 41 0D 00 86 "),  # SAE J1850: CRC at the end
        ("2", b"48 6B 10 41 0D 00 CA "),
        ("3", b"48 6B 10 41 0D 00 11 "),  # ISO 9141-2: sum of all bytes
        ("5", b"83 F1 10 41 0D 00 D2 "),  # ISO 14230-4: length in the first byte
    ],
)
def test_older_buses_show_three_header_bytes_and_a_checksum(protocol, line):
    adapter = plug(still_car(f"petrol?ecus=1&protocol={protocol}"), "ATH1")
    assert ask(adapter, "010D").split(b"\r")[-1] == line
    ask(adapter, "ATH0")
    assert ask(adapter, "010D") == b"41 0D 00 "


def test_the_crc_gives_the_values_published_for_it():
    assert crc8(b"123456789") == 0x4B  # the check value of CRC-8/SAE-J1850
    assert crc8(bytes.fromhex("48 6B 10 41 00 BE 3E B8 11")) == 0xFA  # an example of the ELM327 data sheet


def test_older_buses_send_the_vin_in_numbered_messages_of_four_characters():
    adapter = plug(still_car("petrol?ecus=1&protocol=2"))
    assert ask(adapter, "0902") == (
        b"49 02 01 00 00 00 32 \r49 02 02 48 47 46 43 \r49 02 03 32 46 35 31 \r49 02 04 47 48 30 30 \r"
        b"49 02 05 30 30 30 31 "
    )


def test_older_buses_send_codes_three_to_a_message_without_a_count():
    adapter = plug(still_car("petrol?ecus=1&protocol=3&fault=fuel_pressure_low", 120.0))
    assert ask(adapter, "03").split(b"\r")[-1] == b"43 00 87 00 00 00 00 "
    assert ask(adapter, "0A") == b"4A 00 87 00 00 00 00 "


@pytest.mark.parametrize(
    ("protocol", "wrong", "text"),
    [
        ("6", "3", b"BUS INIT: ...ERROR"),
        ("6", "8", b"CAN ERROR"),
        ("5", "1", b"NO DATA"),
        ("3", "6", b"CAN ERROR"),
    ],
)
def test_a_protocol_the_car_does_not_speak_fails_as_that_protocol_does(protocol, wrong, text):
    adapter = plug(still_car(f"petrol?protocol={protocol}"), f"ATSP{wrong}")
    assert ask(adapter, "0100") == text


def test_a_k_line_is_initialised_once():
    adapter = plug(still_car("petrol?ecus=1&protocol=5"))
    assert adapter.exchange(b"010D\r") == b"BUS INIT: OK\r41 0D 00 \r\r>"
    assert adapter.exchange(b"010D\r") == b"41 0D 00 \r\r>"
    assert ask(adapter, "ATKW") == b"1:08 2:08"


def test_units_on_the_first_three_buses_are_silent_where_others_refuse():
    assert ask(plug(still_car("petrol?protocol=2")), "020C") == b"NO DATA"
    assert ask(plug(still_car("petrol?protocol=5")), "020C").endswith(b"7F 02 12 ")


def test_a_reset_forgets_settings_and_keeps_a_saved_protocol():
    adapter = plug(still_car(), "ATH1", "ATSH7E0")
    assert adapter.exchange(b"ATWS\r") == b"\r\n\r\nELM327 v1.5\r\n\r\n>"
    assert adapter.exchange(b"ATDPN\r") == b"ATDPN\r\n6\r\n\r\n>"
    assert adapter.settings.headers is False
    assert adapter.settings.header == ""


def test_the_voltage_is_the_cars_and_can_be_calibrated():
    car = still_car("petrol?warm=1", 60.0)
    adapter = plug(car)
    assert ask(adapter, "ATRV") == f"{car.state()['volts']:.1f}V".encode()
    ask(adapter, "ATCV1234")
    assert ask(adapter, "ATRV") == b"12.3V"


def test_an_stn_chip_says_so_and_takes_requests_by_parts():
    adapter = plug(still_car("petrol?stn=1"), "ATS0")
    assert ask(adapter, "ATI") == b"ELM327 v1.4b"
    assert ask(adapter, "STI") == b"STN1110 v4.2.0"
    assert ask(adapter, "STPX H:7E1, D:010D, R:1") == b"410D00"
    assert ask(adapter, "STPX H:7E1") == b"?"
    assert ask(adapter, "STP34") == b"OK"
    assert ask(adapter, "STPR") == b"34"


def test_a_clone_claims_much_and_chokes_on_several_pids():
    adapter = plug(still_car("petrol?clone=1&ecus=1"))
    assert ask(adapter, "ATI") == b"ELM327 v2.1"
    assert ask(adapter, "010D") == b"41 0D 00 "
    assert ask(adapter, "010D1") == b"41 0D 00 "
    assert ask(adapter, "010C0D") == b"?"
    assert ask(adapter, "ATPPS") == ask(adapter, "STI") == ask(adapter, "ATCV1234") == b"?"


_WORDS = st.sampled_from(
    ["AT", "ST", "SP", "SH", "CRA", "PX", "H:", "D:", ",R:", "BRD", "01", "0C", "7E", "F1", "22", "19"]
)
_LINES = st.lists(
    _WORDS | st.text(st.characters(codec="latin-1", exclude_characters="\r"), max_size=3), max_size=6
)


@settings(deadline=None, max_examples=300)
@given(lines=st.lists(_LINES.map("".join), min_size=1, max_size=4), protocol=st.sampled_from("12356789"))
def test_whatever_is_typed_each_line_ends_with_one_prompt(lines, protocol):
    adapter = plug(still_car(f"petrol?stn=1&protocol={protocol}"))
    for line in lines:
        answer = adapter.exchange(line.encode("latin-1") + b"\r")
        assert answer.endswith(b">")
        assert answer.count(b">") == 1 + adapter.settings.echo * line.count(">")
