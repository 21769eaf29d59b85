"""Slow replies in real time, with the default deadline: half a second to eleven, over TCP and pseudo-terminals.

Two kinds: a car that answers late through an adapter that can be interrupted, and a line on which everything stalls,
so that a reply given in time arrives late whatever is done. While a reply is late the car's values change: an old
value, taken for the answer to the next request, would show. All cases run at the same time; the tests look at them.
"""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from slow_line import SlowLine

from vehicle.elm327.outcomes import Reply, Timeout
from vehicle.links import Link, LinkState, open_link
from vehicle.links.link import DEADLINE_S, GRACE_S, PENDING_DEADLINE_S
from vehicle.simulator import SimulatedCar

RPM = bytes.fromhex("010C")
REQUESTS = [RPM, bytes.fromhex("010D11"), bytes.fromhex("010C0D05"), bytes.fromhex("0902")]
ENGINE = 0x7E0
# So far from a deadline it is certain on which side of it a reply came.
CLEARLY_S = 0.9
# What a busy machine may add to a wait. No reply slower than the deadline comes before that.
MACHINE_S = 1.5
COMES_BACK_S = 9.0


class Case(NamedTuple):
    """What is slow, over what, by how many seconds."""

    kind: str
    transport: str
    delay_s: float


CASES = [
    Case(kind, transport, delay_s)
    for transport in ("tcp", "pty")
    for kind, delays in (("car", (0.5, 2, 5, 9, 11)), ("line", (0.5, 2, 5, 9, 11)), ("pending", (4, 11)))
    for delay_s in delays
]


@dataclass
class Seen:
    """What became of a case."""

    first: Reply
    took_s: float
    fresh: set[bytes]
    old: set[bytes]
    later: list[tuple[float, Reply]] = field(default_factory=list)
    wrong: list[Reply] = field(default_factory=list)
    back_s: float | None = None
    state: LinkState = LinkState.CLOSED


def right(car: SimulatedCar, request: bytes) -> set[bytes]:
    return {reply.payload for reply in car.bus.ask(request, ENGINE)}


@contextmanager
def served(case: Case, car: SimulatedCar, line: SlowLine) -> Iterator[Link]:
    with ExitStack() as stack:
        if case.kind == "line":
            address = stack.enter_context(
                line.over_tcp(car) if case.transport == "tcp" else line.over_pty(car)
            )
        elif case.transport == "tcp":
            address = stack.enter_context(car.serve_tcp()).url
        else:
            address = stack.enter_context(car.serve_pty())
        yield stack.enter_context(open_link(address, timeout_s=10.0))


def timed(link: Link, request: bytes) -> tuple[float, Reply]:
    began_s = time.monotonic()
    reply = link.request(request, "7E8")
    return time.monotonic() - began_s, reply


def see(case: Case) -> Seen:
    car = SimulatedCar("petrol?warm=1&ecus=2", clock=lambda: 0.0)
    car.advance(30.0)
    line = SlowLine()
    with served(case, car, line) as link:
        for request in REQUESTS:
            assert link.request(request, "7E8").answers
        old = right(car, RPM)
        if case.kind == "line":
            line.stall(case.delay_s)
        else:
            car.misbehaviour.set("slow" if case.kind == "car" else "pending", case.delay_s, times=1)
        began_s = time.monotonic()
        took_s, first = timed(link, RPM)
        car.advance(15.0)
        seen = Seen(first, took_s, fresh=right(car, RPM), old=old)
        end_s = began_s + case.delay_s + COMES_BACK_S
        others = iter(REQUESTS[1:])
        while time.monotonic() < end_s:
            # the same request again and again: only its answer could be taken for the late one
            request = RPM if seen.back_s is None else next(others, b"")
            if not request:
                break
            seen.later.append(timed(link, request))
            reply = seen.later[-1][1]
            if any(answer.data not in right(car, request) for answer in reply.answers):
                seen.wrong.append(reply)
            if reply.answers and time.monotonic() > began_s + case.delay_s + 0.5:
                seen.back_s = time.monotonic() - began_s - case.delay_s
            time.sleep(0.03)
        seen.state = link.state
    return seen


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[Case, Future[Seen]]]:
    """Run every case, all at once: they wait far more than they work."""
    with ThreadPoolExecutor(max_workers=len(CASES)) as pool:
        yield {case: pool.submit(see, case) for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.transport} {case.delay_s:g} s")
def test_a_slow_reply_is_an_answer_or_a_timeout_never_the_next_ones_and_the_link_comes_back(
    case: Case, outcomes: dict[Case, Future[Seen]]
) -> None:
    seen = outcomes[case].result(timeout=60.0)
    assert seen.old != seen.fresh, "the car's value must change for the case to tell anything"
    assert not seen.wrong, seen.wrong[0]
    assert {answer.data for answer in seen.first.answers} <= seen.old | (
        seen.fresh if case.kind != "line" else set()
    )
    patience_s = PENDING_DEADLINE_S if case.kind == "pending" else DEADLINE_S
    if case.delay_s < patience_s - CLEARLY_S:
        assert seen.first.answers, seen.first
    if case.delay_s > patience_s + CLEARLY_S:
        assert isinstance(seen.first.trouble, Timeout), seen.first
    assert seen.took_s <= patience_s + GRACE_S + MACHINE_S
    waits_s = [took_s for took_s, _ in seen.later]
    assert max(waits_s) <= DEADLINE_S + GRACE_S + MACHINE_S
    assert seen.back_s is not None, (seen.state, seen.later[-3:])
    assert seen.state is LinkState.CONNECTED
