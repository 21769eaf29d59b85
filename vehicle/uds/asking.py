"""Asking one ECU a UDS service; refusals and silence become typed errors."""

from __future__ import annotations

from vehicle.elm327.outcomes import PENDING
from vehicle.errors import BadAddressError, NoAnswerError
from vehicle.links.link import Link, Priority
from vehicle.uds.errors import NegativeResponseError

DEADLINE_S = 3.0


def ask_ecu(link: Link, payload: bytes, ecu: str, *, deadline_s: float = DEADLINE_S) -> bytes:
    """Ask one ECU and return its whole positive answer, service byte included.

    Raises NegativeResponseError, NoAnswerError (also where the ECU asked for time and never came back to it) and
    CannotConnectError.
    """
    reply = link.request(payload, ecu, deadline_s=deadline_s, priority=Priority.PERSON)
    answer = next((data for source, data in reply.answers if source == ecu), None)
    if answer is not None:
        return answer
    for refusal in reply.refusals:
        if refusal.nrc != PENDING:
            raise NegativeResponseError(refusal, payload)
    if reply.refusals:
        raise NoAnswerError(
            f"{ecu} asked for time to answer {payload.hex(' ').upper()} and did not answer in it.",
            "It may still be at work: wait, then read what it did.",
        )
    reply.checked()
    raise NoAnswerError(f"{ecu} did not answer {payload.hex(' ').upper()}; others did.", "Ask another ECU.")


def ecus_of(link: Link, ecu: str) -> tuple[str, ...]:
    """Return the ECU named, or all that the link knows; raises NoAnswerError where it knows none."""
    ecus = (ecu,) if ecu else link.info.ecus
    if not ecus:
        raise NoAnswerError(
            "No ECU is known on this link.", "Switch the ignition on, or name one such as 7E8."
        )
    return ecus


def two_bytes(number: int, what: str) -> bytes:
    """Return a number of two bytes; raises BadAddressError naming the range."""
    if not 0 <= number <= 0xFFFF:
        raise BadAddressError(f"{number:#x} is no {what}.", "Allowed: 0x0000 to 0xFFFF.")
    return number.to_bytes(2, "big")
