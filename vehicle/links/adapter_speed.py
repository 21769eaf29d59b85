"""Measuring an adapter: how many parameters one request can carry, and readings per second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

from vehicle.elm327.outcomes import Disconnected, Reply, Timeout
from vehicle.errors import CannotConnectError
from vehicle.links.adapter_models import BatchTry, Rates
from vehicle.links.link import Link, Priority, Ticket
from vehicle.signals import SplitError, split_mode01

DEADLINE_S = 1.0
SIZES = (6, 3, 1)
_IN_FLIGHT = 2


def try_batches(link: Link, ecu: str, pids: Sequence[int]) -> list[BatchTry]:
    """Try one parameter, then as many as the protocol allows and fewer, until a number works."""
    tries = [_try_batch(link, ecu, pids[:1])]
    if (link.info.is_can or link.replayed) and tries[0].worked:
        for size in dict.fromkeys(min(size, len(pids)) for size in SIZES if min(size, len(pids)) > 1):
            tries.append(_try_batch(link, ecu, pids[:size]))
            if tries[-1].worked:
                break
    return tries


def _try_batch(link: Link, ecu: str, pids: Sequence[int]) -> BatchTry:
    reply = _ask(link, ecu, pids)
    worked = _readings(reply, pids) == len(pids)
    if not worked and len(pids) == 1:  # one miss on the way is nothing special
        reply = _ask(link, ecu, pids)
        worked = _readings(reply, pids) == 1
    reason = "" if worked else reply.reason or f"{_readings(reply, pids)} of {len(pids)} came"
    hung = isinstance(reply.trouble, Timeout)
    waited_s = reply.received_s - reply.sent_s
    return BatchTry(size=len(pids), worked=worked, hung=hung, waited_s=round(waited_s, 3), reason=reason)


def _ask(link: Link, ecu: str, pids: Sequence[int]) -> Reply:
    reply = _submit(link, ecu, pids).result()
    if isinstance(reply.trouble, Disconnected):
        raise CannotConnectError(
            f"The adapter was lost: {reply.reason}.", "Check plug and power, then ask again."
        )
    return reply


def _submit(link: Link, ecu: str, pids: Sequence[int]) -> Ticket:
    return link.submit(bytes([0x01, *pids]), ecu, deadline_s=DEADLINE_S, priority=Priority.PERSON)


def _readings(reply: Reply, pids: Sequence[int]) -> int:
    """Count the parameters that came, of one ECU."""
    counts = [0]
    for _, data in reply.answers:
        try:
            counts.append(len(split_mode01(data[1:], pids)))
        except SplitError:
            continue
    return max(counts)


def measure_rates(
    link: Link, ecu: str, pids: Sequence[int], size: int | None, rate_s: float, no_car: str
) -> Rates:
    """Measure readings per second one parameter at a time and in batches of `size`, each for `rate_s`."""
    if not size:
        why = no_car or "no request for parameters worked"
        return Rates(single_per_s=None, batched_per_s=None, measured_s=0.0, reason=why)
    single = _rate(link, ecu, [[pid] for pid in pids], rate_s)
    batched = _rate(link, ecu, [list(pids[:size])], rate_s) if size > 1 else None
    reason = "" if size > 1 else "several parameters in one request do not work here"
    return Rates(single_per_s=single, batched_per_s=batched, measured_s=rate_s, reason=reason)


def _rate(link: Link, ecu: str, requests: Sequence[Sequence[int]], seconds: float) -> float:
    """Ask in turn, the next request ready while one is answered; return readings per second."""
    for pids in requests:
        _ask(link, ecu, pids)  # the link learns how many lines to wait for
    waiting: deque[tuple[Sequence[int], Ticket]] = deque()
    number = came = 0
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        while len(waiting) < _IN_FLIGHT:
            pids = requests[number % len(requests)]
            number += 1
            waiting.append((pids, _submit(link, ecu, pids)))
        pids, ticket = waiting.popleft()
        came += _readings(ticket.result(), pids)
    took_s = time.monotonic() - began
    for _, ticket in waiting:
        ticket.result()
    return round(came / took_s, 1)
