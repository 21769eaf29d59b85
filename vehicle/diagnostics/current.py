"""What signals are right now, asked once, from every ECU that answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from vehicle.diagnostics.asking import ask
from vehicle.elm327.outcomes import Answer, Reply
from vehicle.elm327.protocols import ecu_of_header
from vehicle.errors import CarError
from vehicle.links.link import Link
from vehicle.signals import Signal, decode_mode01, decode_signal


class Now(NamedTuple):
    """One signal of one ECU: its value, or the reason why there is none (then `ecu` may be empty)."""

    signal: Signal
    ecu: str
    value: float | None
    reason: str = ""


def read_now(link: Link, signals: Iterable[Signal]) -> list[Now]:
    """Ask for each signal once; a parameter that carries several signals is asked for once.

    Raises CannotConnectError where the adapter is lost; an ECU that does not answer is a reason, not an error.
    """
    replies: dict[bytes, Reply] = {}
    found: list[Now] = []
    for signal in signals:
        if not signal.request and signal.pid is None:
            found.append(Now(signal, "", None, "no request to a car reads it"))
            continue
        if signal.name in link.withheld:
            found.append(Now(signal, "", None, link.withheld[signal.name]))
            continue
        payload, ecu = _request(signal)
        if payload not in replies:
            replies[payload] = ask(link, payload, ecu)
        found += _values(signal, payload, replies[payload])
    return found


def _request(signal: Signal) -> tuple[bytes, str]:
    if signal.service == 1 and signal.pid is not None and not signal.header:
        return bytes([0x01, signal.pid]), ""
    return bytes.fromhex(signal.request), ecu_of_header(signal.header) or ""


def _values(signal: Signal, payload: bytes, reply: Reply) -> list[Now]:
    if not reply.answers:
        return [Now(signal, "", None, reply.reason)]
    return [_value(signal, payload, answer) for answer in reply.answers]


def _value(signal: Signal, payload: bytes, answer: Answer) -> Now:
    body = answer.data[len(payload) :]
    try:
        if signal.service == 1 and signal.pid is not None and not signal.header:
            value = decode_mode01(signal.pid, body).get(signal.name)
        else:
            value = decode_signal(signal, body)
    except CarError as error:
        return Now(signal, answer.ecu, None, error.message)
    return Now(signal, answer.ecu, value, "" if value is not None else "the ECU marks it as not fitted")
