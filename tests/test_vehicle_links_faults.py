"""The fault matrix: whatever adapter, line and car do, no wrong value, no call past its deadline, and it comes back.

The simulated car stands still in time, so that every right answer is known; deadlines are scaled down. Slow replies in
real time are in test_vehicle_links_slow.py, adapters that are killed or frozen in test_tools_capture_adapter_gone.py.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from vehicle.elm327.outcomes import AdapterError, BusError, Disconnected, NoData, Reply, Timeout
from vehicle.links import Link, LinkState, open_link
from vehicle.links.elm327 import Elm327
from vehicle.links.owner import OwnedLink
from vehicle.simulator import SimulatedCar

DEADLINE_S = 0.2
SLACK_S = 0.5
REQUESTS = [bytes.fromhex(text) for text in ("010C0D05", "010C", "010D11", "0902", "0105", "03")]


class Rig:
    """A served car whose clock stands still, the link to it, and what it rightly answers."""

    def __init__(self, stack: ExitStack, transport: str, options: str = "petrol?warm=1&ecus=2") -> None:
        self.car = SimulatedCar(options, clock=lambda: 0.0)
        self.car.advance(30.0)
        serve = self.car.serve_tcp() if transport == "tcp" else self.car.serve_pty()
        address = stack.enter_context(serve)
        self.states: list[LinkState] = []
        url = address if isinstance(address, str) else address.url
        self.link: Link = stack.enter_context(
            open_link(url, timeout_s=5.0, on_state=lambda state, _: self.states.append(state))
        )
        self.ecu = "7E8"
        self.right = {request: self._clean(request) for request in REQUESTS}

    def _clean(self, request: bytes) -> set[bytes]:
        reply = self.link.request(request, self.ecu)
        assert reply.answers, reply
        return {answer.data for answer in reply.answers}

    def ask(self, request: bytes) -> Reply:
        began = time.monotonic()
        reply = self.link.request(request, self.ecu, deadline_s=DEADLINE_S)
        took = time.monotonic() - began
        patience = 5.0 if "78" in reply.raw else 0.0
        assert took <= DEADLINE_S + SLACK_S + patience, (took, reply)
        for answer in reply.answers:
            assert answer.data in self.right[request], (answer, self.right[request], reply)
        return reply

    def recovers(self, seconds: float = 4.0) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.ask(REQUESTS[0]).answers:
                return True
            time.sleep(0.02)
        return False


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(stack, getattr(request, "param", "tcp"))


MISBEHAVIOURS: list[tuple[str, float | None, int]] = [
    ("slow", 0.05, 3),
    ("slow", 0.4, 2),
    ("slow", 1.1, 1),
    ("garbled", None, 3),
    ("refuse", None, 3),
    ("no_data", None, 2),
    ("can_error", None, 2),
    ("bus_busy", None, 2),
    ("buffer_full", None, 3),
    ("unable_to_connect", None, 1),
    ("question", None, 3),
    ("stopped", None, 3),
    ("half_frame", None, 3),
    ("lost_frame", None, 3),
    ("wrong_pid", None, 3),
    ("stale_reply", None, 3),
    ("lost_prompt", None, 2),
    ("interleaved", None, 3),
    ("pending", 0.15, 2),
    ("freeze", None, 2),
    ("drop", None, 1),
    ("reset", None, 1),
]
# A dropped pseudo-terminal is gone for good: a test of its own plugs one in again.
NOT_ON_PTY = {"drop"}
OVER_BOTH = pytest.mark.parametrize("rig", ["tcp", "pty"], indirect=True)


@pytest.mark.parametrize(
    ("rig", "kind", "value", "times"),
    [("tcp", *row) for row in MISBEHAVIOURS]
    + [("pty", *row) for row in MISBEHAVIOURS if row[0] not in NOT_ON_PTY],
    indirect=["rig"],
)
def test_no_misbehaviour_gives_a_wrong_value_or_a_late_answer_and_the_link_comes_back(
    rig: Rig, kind: str, value: float | None, times: int
) -> None:
    rig.car.misbehaviour.set(kind, value, times=times)
    for request in REQUESTS * 2:
        rig.ask(request)
    rig.car.misbehaviour.clear()
    assert rig.recovers(), (rig.link.state, rig.link.state_reason)


WHOLE = "the whole answer"
# Each twice, as a request whose number of lines was learned is asked once more without that number.
OUTCOMES: dict[str, object] = {
    "no_data": NoData("NO DATA"),
    "can_error": BusError("CAN ERROR"),
    "bus_busy": BusError("BUS BUSY"),
    "unable_to_connect": BusError("UNABLE TO CONNECT"),
    "buffer_full": AdapterError("BUFFER FULL"),
    "stopped": AdapterError("STOPPED"),
    "question": AdapterError("?"),
    "reset": AdapterError("the adapter restarted (ELM327 v1.5)"),
    "freeze": Timeout,
    "lost_prompt": Timeout,
    "garbled": "not understood",
    "half_frame": "expected frame",
    "lost_frame": "expected frame",
    "wrong_pid": "does not repeat",
    "interleaved": WHOLE,
}


@OVER_BOTH
@pytest.mark.parametrize(("kind", "expected"), OUTCOMES.items())
def test_a_fault_is_told_as_what_it_is(rig: Rig, kind: str, expected: object) -> None:
    rig.car.misbehaviour.set(kind, times=2)
    reply = rig.ask(REQUESTS[3])
    if expected is WHOLE:
        assert reply.answers
    elif isinstance(expected, str):
        assert expected in reply.rejected[0].reason
        assert not reply.answers
    else:
        assert reply.trouble == expected or (expected is Timeout and isinstance(reply.trouble, Timeout))
    rig.car.misbehaviour.clear()
    assert rig.recovers()


@OVER_BOTH
def test_a_refusal_and_a_pending_answer_are_told_as_what_they_are(rig: Rig) -> None:
    rig.car.misbehaviour.set("refuse", 0x22, times=1)
    assert [refusal.nrc for refusal in rig.ask(REQUESTS[1]).refusals] == [0x22]
    rig.car.misbehaviour.set("pending", 0.1, times=1)
    reply = rig.ask(REQUESTS[1])
    assert reply.answers
    assert reply.received_s - reply.sent_s < 5.0


@OVER_BOTH
def test_a_pending_answer_may_take_longer_than_the_deadline(rig: Rig) -> None:
    rig.car.misbehaviour.set("pending", 2 * DEADLINE_S, times=1)
    assert rig.ask(REQUESTS[3]).answers


@OVER_BOTH
def test_a_frozen_adapter_costs_one_deadline_and_then_nothing_until_it_thaws(rig: Rig) -> None:
    rig.car.misbehaviour.set("freeze")
    assert isinstance(rig.ask(REQUESTS[0]).trouble, Timeout)
    assert rig.link.wait_until(LinkState.LOST, LinkState.WAITING, timeout_s=4.0) is not LinkState.CONNECTED
    began = time.monotonic()
    assert isinstance(rig.ask(REQUESTS[0]).trouble, Disconnected)
    assert time.monotonic() - began < 0.3
    rig.car.misbehaviour.clear()
    assert rig.recovers(8.0)
    assert LinkState.LOST in rig.states


@OVER_BOTH
def test_an_ignition_off_is_no_car_and_on_again_is_connected(rig: Rig) -> None:
    rig.car.ignition(False)
    for _ in range(8):
        rig.ask(REQUESTS[1])
    assert rig.link.wait_until(LinkState.NO_CAR, timeout_s=3.0) is LinkState.NO_CAR
    assert rig.link.command("ATRV")
    rig.car.ignition(True)
    assert rig.link.wait_until(LinkState.CONNECTED, timeout_s=4.0) is LinkState.CONNECTED


@OVER_BOTH
def test_three_callers_at_once_get_their_own_answers(rig: Rig) -> None:
    wrong: list[object] = []
    counts = [0, 0, 0]

    def call(number: int) -> None:
        mine = REQUESTS[number : number + 2]
        end = time.monotonic() + 0.6
        while time.monotonic() < end:
            for request in mine:
                reply = rig.link.request(request, rig.ecu, deadline_s=2.0)
                if not reply.answers or any(a.data not in rig.right[request] for a in reply.answers):
                    wrong.append(reply)
                counts[number] += 1

    threads = [threading.Thread(target=call, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10.0)
    assert not wrong
    assert min(counts) > 20


def test_a_dead_line_is_lost_at_once_and_opened_again_when_it_is_back() -> None:
    with ExitStack() as stack:
        rig = Rig(stack, "tcp")
        rig.car.misbehaviour.set("down")
        rig.car.drop_lines()
        began = time.monotonic()
        assert rig.link.wait_until(LinkState.LOST, LinkState.WAITING, timeout_s=2.0)
        rig.ask(REQUESTS[0])
        assert time.monotonic() - began < 2.5
        time.sleep(0.3)
        assert isinstance(rig.ask(REQUESTS[0]).trouble, Disconnected)
        rig.car.misbehaviour.clear()
        assert rig.link.wait_until(LinkState.CONNECTED, timeout_s=6.0) is LinkState.CONNECTED
        assert rig.recovers()


def test_an_adapter_unplugged_and_plugged_in_again_is_found_under_its_name(tmp_path: Path) -> None:
    car = SimulatedCar("petrol?warm=1", clock=lambda: 0.0)
    port = tmp_path / "ttyUSB7"
    with ExitStack() as stack:
        first = ExitStack()
        port.symlink_to(first.enter_context(car.serve_pty()))
        # any path opens: the scheme table only takes /dev, so the driver is made directly
        link = OwnedLink(str(port), Elm327(str(port), str(port)))
        link.start()
        stack.callback(link.close)
        assert link.wait_until(LinkState.CONNECTED, timeout_s=5.0) is LinkState.CONNECTED
        first.close()
        assert link.wait_until(LinkState.LOST, LinkState.WAITING, timeout_s=3.0) is not LinkState.CONNECTED
        port.unlink()
        assert isinstance(link.request(REQUESTS[1], deadline_s=0.3).trouble, Disconnected)
        port.symlink_to(stack.enter_context(car.serve_pty()))
        assert link.wait_until(LinkState.CONNECTED, timeout_s=6.0) is LinkState.CONNECTED
        assert link.request(REQUESTS[1]).answers


def test_a_request_waiting_when_the_link_closes_is_told_so() -> None:
    with ExitStack() as stack:
        rig = Rig(stack, "tcp")
        rig.car.misbehaviour.set("freeze")
        tickets = [rig.link.submit(REQUESTS[0], rig.ecu, deadline_s=5.0) for _ in range(3)]
        began = time.monotonic()
        rig.link.close()
        outcomes = [ticket.result().trouble for ticket in tickets]
        assert time.monotonic() - began < 3.0
        assert all(isinstance(outcome, Disconnected | Timeout) for outcome in outcomes)
        assert rig.link.state is LinkState.CLOSED
