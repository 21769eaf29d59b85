"""What a request can come to: answers per ECU, refusals, and every way of getting nothing, each by its name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from vehicle.errors import CannotConnectError, CarError, NoAnswerError, RefusedError

PENDING = 0x78

# ISO 14229-1 / ISO 15031-5 negative response codes that cars really send.
NRC_TEXTS = {
    0x10: "general reject",
    0x11: "service not supported",
    0x12: "sub-function not supported",
    0x13: "incorrect message length or format",
    0x14: "response too long",
    0x21: "busy, repeat request",
    0x22: "conditions not correct",
    0x24: "request sequence error",
    0x31: "request out of range",
    0x33: "security access denied",
    0x35: "invalid key",
    0x36: "exceeded number of attempts",
    0x37: "required time delay not expired",
    0x70: "upload or download not accepted",
    0x71: "transfer data suspended",
    0x72: "general programming failure",
    0x73: "wrong block sequence counter",
    0x78: "request received, response pending",
    0x7E: "sub-function not supported in active session",
    0x7F: "service not supported in active session",
    0x81: "engine speed too high",
    0x82: "engine speed too low",
    0x83: "engine is running",
    0x84: "engine is not running",
    0x88: "vehicle speed too high",
    0x93: "supply voltage too low",
}


class Answer(NamedTuple):
    """A checked answer of one ECU; `data` begins with the service byte, such as 41 0C 1A F8."""

    ecu: str
    data: bytes


class NegativeResponse(NamedTuple):
    """An ECU's refusal."""

    ecu: str
    service: int
    nrc: int

    @property
    def text(self) -> str:
        """What the code means, in words."""
        return NRC_TEXTS.get(self.nrc, f"code {self.nrc:02X}")


class Rejected(NamedTuple):
    """Something that came and was not believed."""

    reason: str
    raw: str


class NoData(NamedTuple):
    """No ECU answered this request."""

    text: str = "NO DATA"


class BusError(NamedTuple):
    """The adapter could not talk on the vehicle's bus."""

    text: str


class AdapterError(NamedTuple):
    """The adapter itself had a problem."""

    text: str


class Timeout(NamedTuple):
    """The deadline passed."""

    waited_s: float

    @property
    def text(self) -> str:
        """The outcome in words."""
        return f"no answer within {self.waited_s:.1f} s"


class Disconnected(NamedTuple):
    """There is no connection to the adapter now."""

    text: str


Trouble = NoData | BusError | AdapterError | Timeout | Disconnected


@dataclass(frozen=True, slots=True)
class Reply:
    """All that one request brought; times are seconds of the monotonic clock."""

    request: bytes
    answers: tuple[Answer, ...] = ()
    refusals: tuple[NegativeResponse, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    trouble: Trouble | None = None
    lines: int = field(default=0, compare=False)
    sent_s: float = field(default=0.0, compare=False)
    received_s: float = field(default=0.0, compare=False)
    raw: str = field(default="", compare=False)

    @property
    def pending(self) -> bool:
        """Whether an ECU asked for patience and has not answered yet."""
        done = {answer.ecu for answer in self.answers}
        done |= {refusal.ecu for refusal in self.refusals if refusal.nrc != PENDING}
        return any(refusal.nrc == PENDING and refusal.ecu not in done for refusal in self.refusals)

    @property
    def reason(self) -> str:
        """Why there is no answer, in words; empty where there is one."""
        if self.answers:
            return ""
        if self.refusals:
            return "; ".join(f"{refusal.ecu} refused: {refusal.text}" for refusal in self.refusals)
        if self.rejected:
            return f"not believed: {self.rejected[0].reason}"
        return self.trouble.text if self.trouble else "nothing came"

    def checked(self) -> tuple[Answer, ...]:
        """Return the answers, or raise the error of errors.py that says why there are none."""
        if not self.answers:
            raise self._error()
        return self.answers

    def _error(self) -> CarError:
        what = f"The request {self.request.hex(' ').upper()} got no answer: {self.reason}."
        if isinstance(self.trouble, Disconnected):
            return CannotConnectError(what, "Check that the adapter is plugged in and try again.")
        if self.refusals:
            return RefusedError(what, "The car does not allow this now, or does not have it.")
        return NoAnswerError(what, "Check ignition and connection, then ask again.")
