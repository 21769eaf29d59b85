"""Asking all ECUs one question and noting who did not answer, and why."""

from __future__ import annotations

from collections.abc import Iterable

from vehicle.diagnostics.models import Absence
from vehicle.elm327.outcomes import Answer, Disconnected, Reply
from vehicle.errors import CannotConnectError
from vehicle.links.link import Link, Priority

DEADLINE_S = 3.0


def ask(link: Link, payload: bytes, ecu: str = "", *, deadline_s: float = DEADLINE_S) -> Reply:
    """Ask; raises CannotConnectError where there is no connection, which is no answer about the car."""
    reply = link.request(payload, ecu, deadline_s=deadline_s, priority=Priority.PERSON)
    if isinstance(reply.trouble, Disconnected):
        raise CannotConnectError(
            f"The adapter was lost: {reply.reason}.", "Check plug and power, then ask again."
        )
    return reply


def absences(link: Link, what: str, reply: Reply, answered: Iterable[str]) -> list[Absence]:
    """Return why each ECU that is there did not answer; one line for all where none is known."""
    done = set(answered)
    refused = {refusal.ecu: refusal for refusal in reply.refusals}
    found = [
        Absence(what=what, ecu=ecu, reason=f"refused: {refusal.text}")
        for ecu, refusal in refused.items()
        if ecu not in done
    ]
    silent = [ecu for ecu in link.info.ecus if ecu not in done and ecu not in refused]
    reason = _silence(reply)
    if silent or done or found:
        return found + [Absence(what=what, ecu=ecu, reason=reason) for ecu in silent]
    return [Absence(what=what, reason=reason)]


def _silence(reply: Reply) -> str:
    request = reply.request.hex(" ").upper()
    if reply.rejected:
        return f"what came to {request} was not believed: {reply.rejected[0].reason}"
    if reply.trouble is not None and reply.trouble.text != "NO DATA":
        return f"no answer to {request}: {reply.trouble.text}"
    return f"no answer to {request}"


def by_ecu(answers: Iterable[Answer]) -> dict[str, list[bytes]]:
    """Group answers by ECU."""
    found: dict[str, list[bytes]] = {}
    for ecu, data in answers:
        found.setdefault(ecu, []).append(data)
    return found


def bitmap_in(data: bytes, is_can: bool) -> bytes:
    """Return the four bytes of a list of supported numbers; empty where the answer is no such list.

    Outside CAN a message count (service 09) or a filler (service 06) stands before them.
    """
    if len(data) == 6:
        return data[2:]
    return data[3:] if len(data) == 7 and not is_can else b""
