"""Any frames and any bytes: the stacks never break, and only whole messages come out, as our own reassembly says."""

import socket
import threading
import time

import pytest
from doip_peer import pack
from hypothesis import given, settings
from hypothesis import strategies as st

from vehicle.elm327.frames import Frame
from vehicle.elm327.isotp import assemble_can
from vehicle.elm327.protocols import Family
from vehicle.errors import CannotConnectError
from vehicle.links.can_listen import PassingAnswers
from vehicle.links.doip import Doip, DoipAddress
from vehicle.links.doip_line import DoipLine
from vehicle.links.isotp_replies import Gathering
from vehicle.links.isotp_stack import IsotpStack
from vehicle.simulator.elm.isotp import segment

ECUS = st.sampled_from(["7E8", "7E9", "18DAF110"])
ANY_FRAME = st.tuples(ECUS, st.binary(max_size=8) | st.binary(min_size=9, max_size=64))
PAYLOADS = st.binary(min_size=1, max_size=200)


@given(st.lists(ANY_FRAME, max_size=30))
@settings(max_examples=150, deadline=None)
def test_no_frames_break_the_stack_the_listener_or_the_checks(frames: list[tuple[str, bytes]]) -> None:
    stack = IsotpStack(lambda *_: None, 0)
    passing, gathering = PassingAnswers(), Gathering(b"\x01\x0c")
    for time_us, (ecu, data) in enumerate(frames):
        stack.feed(ecu, data)
        passing.take(time_us, ecu, data)
        while stack.messages:
            gathering.take(*stack.messages.popleft())
    stack.tick()
    stack.forget()
    assert not stack.busy
    assert all(answer.data[:2] == b"\x41\x0c" for answer in gathering.answers)


@given(st.lists(st.tuples(ECUS, PAYLOADS), max_size=6), st.integers(0, 40), st.booleans())
@settings(max_examples=150, deadline=None)
def test_messages_come_out_as_our_own_reassembly_puts_them_together(
    messages: list[tuple[str, bytes]], lost: int, loses: bool
) -> None:
    frames = [(ecu, frame) for ecu, payload in messages for frame in segment(payload, 0x55)]
    if loses and frames:
        del frames[lost % len(frames)]
    sent: list[bytes] = []
    stack = IsotpStack(lambda _, data, __: sent.append(data), 0)
    for ecu, frame in frames:
        stack.feed(ecu, frame)
    expected = assemble_can(Frame(ecu, frame, Family.CAN11) for ecu, frame in frames)
    assert list(stack.messages) == expected.whole
    firsts = sum(frame[0] >> 4 == 1 for _, frame in frames)
    assert sent == [b"\x30\0\0\0\0\0\0\0"] * firsts


KINDS = (0, 1, 4, 5, 6, 7, 8, 0x4001, 0x4002, 0x4003, 0x4004, 0x8001, 0x8002, 0x8003, 0x1234)
MESSAGES = st.builds(pack, st.sampled_from(KINDS), st.binary(max_size=12))


def ask_on(conversation: Doip) -> None:
    for _ in range(100):
        reply = conversation.ask(b"\x01\x0c", "1010", time.monotonic() + 0.05, lambda _: None)
        assert all(answer.data[:2] == b"\x41\x0c" for answer in reply.answers)


@given(
    st.lists(
        MESSAGES | st.binary(max_size=40) | st.just(pack(0x8001, b"\x10\x10\x0e\x00\x41\x0c\x1a\xf8")),
        max_size=6,
    )
)
@settings(max_examples=200, deadline=None)
def test_no_bytes_from_a_gateway_break_the_line(chunks: list[bytes]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                line.sendall(b"".join(chunks))

        gateway = threading.Thread(target=serve)
        gateway.start()
        address = DoipAddress("doip:x", "127.0.0.1", server.getsockname()[1], (0x1010,), 0x0E00, 0, 2)
        conversation = Doip(address)
        conversation._line = DoipLine(address.host, address.port, address.source, address.version)
        gateway.join()
        with pytest.raises(CannotConnectError):  # at the latest when the gateway hangs up
            ask_on(conversation)
        conversation.disconnect()
