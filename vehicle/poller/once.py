"""Reading signals once, now, from every ECU that has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from vehicle.elm327.outcomes import Disconnected, Reply
from vehicle.elm327.protocols import ecu_of_header
from vehicle.errors import CannotConnectError
from vehicle.links.link import Link, Priority
from vehicle.poller.plan import VOLTAGE, Question, Wish, read_wishes
from vehicle.poller.values import values_in
from vehicle.signals import Signal, load_pids

DEADLINE_S = 3.0


class Reading(NamedTuple):
    """One value of one signal from one ECU; `at_s` is when it was asked for, on the monotonic clock."""

    signal: str
    unit: str
    ecu: str
    value: float
    at_s: float


class ReadOnce(NamedTuple):
    """What came of reading signals once, and why each of the others did not come."""

    readings: tuple[Reading, ...]
    absent: Mapping[str, str]


def read_once(
    link: Link, signals: Sequence[str], *, custom: Mapping[str, Signal] | None = None, deadline_s: float = DEADLINE_S
) -> ReadOnce:
    """Read each signal once from every ECU that answers, or from the one named (`rpm@7E9`).

    Raises UnknownSignalError, and CannotConnectError where the adapter is lost.
    """
    wishes = read_wishes(signals, custom or {}) or []
    units = {wish.signal.name: wish.signal.unit for wish in wishes}
    readings: dict[tuple[str, str], Reading] = {}
    absent: dict[str, str] = {}
    for question, wanted in _questions(wishes, max(1, link.batch_limit), absent):
        for part, reply in _asked(link, question, deadline_s):
            for ecu, _, found in values_in(part, reply, everybody=True):
                for name in found.keys() & wanted:
                    readings[name, ecu] = Reading(name, units[name], ecu, found[name], reply.sent_s)
            for name in wanted - {read for read, _ in readings}:
                absent[name] = _reason(reply, name)
    missing = {name: reason for name, reason in absent.items() if name not in {read for read, _ in readings}}
    return ReadOnce(tuple(readings.values()), missing)


def _questions(
    wishes: Sequence[Wish], limit: int, absent: dict[str, str]
) -> Iterator[tuple[Question, frozenset[str]]]:
    """Yield requests with the names of the signals wanted from them."""
    pids: dict[str, dict[int, set[str]]] = {}
    for wish in wishes:
        signal = wish.signal
        if signal.name == VOLTAGE:
            yield Question(b"", "", 0.0, command="ATRV", signal=signal), frozenset({signal.name})
        elif signal.service is None or signal.pid is None:
            absent[signal.name] = "no request to a car reads it"
        elif signal.service == 1 and not signal.header:
            pids.setdefault(wish.ecu, {}).setdefault(signal.pid, set()).add(signal.name)
        else:
            ecu = wish.ecu or ecu_of_header(signal.header)
            yield Question(bytes.fromhex(signal.request), ecu, 0.0, signal=signal), frozenset({signal.name})
    for ecu, names in pids.items():
        listed = list(names)
        for start in range(0, len(listed), limit):
            group = listed[start : start + limit]
            yield _question(ecu, group), frozenset().union(*(names[pid] for pid in group))


def _question(ecu: str, pids: Sequence[int]) -> Question:
    return Question(bytes([0x01, *pids]), ecu, 0.0, tuple(pids))


def _asked(link: Link, question: Question, deadline_s: float) -> Iterator[tuple[Question, Reply]]:
    """Ask; where several parameters at once bring nothing, ask for them one by one."""
    if question.command:
        yield question, link.submit_command(question.command, deadline_s=deadline_s).result()
        return
    reply = _request(link, question, deadline_s)
    if len(question.pids) < 2 or (reply.answers and all(pid in load_pids() for pid in question.pids)):
        yield question, reply
        return
    for pid in question.pids:
        single = _question(question.ecu, [pid])
        yield single, _request(link, single, deadline_s)


def _request(link: Link, question: Question, deadline_s: float) -> Reply:
    reply = link.request(question.payload, question.ecu, deadline_s=deadline_s, priority=Priority.PERSON)
    if isinstance(reply.trouble, Disconnected):
        raise CannotConnectError(f"The adapter was lost: {reply.reason}.", "Check plug and power, then ask again.")
    return reply


def _reason(reply: Reply, name: str) -> str:
    if not reply.answers:
        return reply.reason
    return f"the answer to {reply.request.hex(' ').upper()} does not carry {name}"
