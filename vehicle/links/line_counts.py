"""How many lines each request is answered with, learned: with that digit an ELM327 does not wait for more."""

from __future__ import annotations

from vehicle.elm327.outcomes import AdapterError, Reply
from vehicle.elm327.protocols import Family

MOST = 15
# One ? may be a slip of the line; an adapter that does not know the digit says it every time.
_REFUSALS = 2


class LineCounts:
    """Learned per ECU and request; a count that proves wrong is forgotten and learned anew."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], int] = {}
        self._refusals: dict[int, int] = {}

    def digit(self, ecu: str, payload: bytes) -> str:
        """Return the digit to put behind a request; empty where it has not been learned."""
        if self._refusals.get(len(payload), 0) >= _REFUSALS:
            return ""
        count = self._known.get((ecu, payload))
        return f"{count:X}" if count else ""

    def learn(self, ecu: str, reply: Reply, used: str) -> bool:
        """Take in a reply; False where the digit used was wrong, so that the request must be asked again."""
        clean = not reply.rejected and reply.trouble is None
        whole = bool(reply.answers) and clean
        if not used:
            if whole and not reply.refusals and 1 <= reply.lines <= MOST:
                self._known[ecu, reply.request] = reply.lines
            return True
        if clean and reply.refusals:
            return True
        length = len(reply.request)
        if isinstance(reply.trouble, AdapterError) and reply.trouble.text == "?":
            self._refusals[length] = self._refusals.get(length, 0) + 1
        elif whole and reply.lines == int(used, 16):
            self._refusals.pop(length, None)
            return True
        self._known.pop((ecu, reply.request), None)
        return whole

    def forget(self) -> None:
        """Forget everything: another car, protocol or adapter."""
        self._known.clear()
        self._refusals.clear()


def may_count(family: Family | None, ecu: str, ecus: tuple[str, ...]) -> bool:
    """Whether a digit is safe: with several ECUs free to answer it could cut one of them off."""
    if family is None:
        return False
    return bool(ecu) if family.is_can and len(ecus) != 1 else len(ecus) == 1
