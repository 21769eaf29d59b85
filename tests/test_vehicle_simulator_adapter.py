import pytest

from vehicle.simulator import SimulatedCar


class StoppedClock:
    """A clock a test moves by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def plugged(address: str, *setup: str):
    adapter = SimulatedCar(address, clock=StoppedClock()).adapter()
    for command in ("ATE0", "ATL0", *setup):
        adapter.exchange(command.encode() + b"\r")
    return adapter


def test_after_power_on_echo_linefeeds_and_spaces_are_on():
    adapter = SimulatedCar("petrol", clock=StoppedClock()).adapter()
    assert adapter.exchange(b"ATZ\r") == b"ATZ\r\n\r\n\r\nELM327 v1.5\r\n\r\n>"
    assert adapter.exchange(b"ate0\r") == b"ate0\r\nOK\r\n\r\n>"
    assert adapter.exchange(b"at l0\r") == b"OK\r\r>"


def test_the_first_request_searches_for_the_protocol_and_later_ones_do_not():
    adapter = plugged("petrol?ecus=1")
    assert adapter.exchange(b"010D\r") == b"SEARCHING...\r41 0D 00 \r\r>"
    assert adapter.exchange(b"010D\r") == b"41 0D 00 \r\r>"
    assert adapter.exchange(b"ATDPN\r") == b"A6\r\r>"


def test_a_long_reply_is_printed_with_length_and_line_numbers_when_headers_are_off():
    adapter = plugged("petrol?ecus=1", "ATSP6")
    assert adapter.exchange(b"0902\r") == (
        b"014 \r0: 49 02 01 32 48 47 \r1: 46 43 32 46 35 31 47 \r2: 48 30 30 30 30 30 31 \r\r>"
    )


@pytest.mark.parametrize(
    ("padding", "frame"),
    [("AA", b"7E803410D00AAAAAAAA"), ("00", b"7E803410D0000000000"), ("off", b"7E803410D00")],
)
def test_headers_on_shows_the_frame_as_it_was_on_the_bus(padding, frame):
    adapter = plugged(f"petrol?ecus=1&padding={padding}", "ATSP6", "ATH1", "ATS0")
    assert adapter.exchange(b"010D\r") == frame + b"\r\r>"
