"""The driver for diagnostics over Ethernet (DoIP, ISO 13400-2), through doipclient."""

from __future__ import annotations

import dataclasses
import re
import time
from typing import Any
from urllib.parse import parse_qsl

from vehicle.elm327.outcomes import AdapterError, Rejected, Reply, Timeout, Trouble
from vehicle.elm327.protocols import Family, Protocol
from vehicle.errors import BadAddressError
from vehicle.links.conversation import Conversation, Patience
from vehicle.links.doip_line import CONTROL_S, PORT, DoipLine, find_target, formats
from vehicle.links.isotp_replies import Gathering
from vehicle.links.link import PENDING_DEADLINE_S, LinkInfo
from vehicle.links.wire import WireLostError

FORM = "doip:HOST, doip:HOST:PORT or doip:HOST:PORT/1010,1011; after ? may follow source=0E00, activation=0, version=2"
_ADDRESS = re.compile(
    r"doip:(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^:/?\[\]\s]+))(?::(?P<port>\d{1,5}))?(?:/(?P<targets>[0-9A-Fa-f,]+))?"
)
_OPTIONS = {"source": 16, "activation": 10, "version": 10}
_DEFAULTS = {"source": 0x0E00, "activation": 0, "version": 2}
# The message formats are those of ISO 15765-4 (counts before codes, several PIDs at once), only the frames are not.
DOIP = Protocol("", "ISO 13400-2 DoIP", Family.CAN11)
_TESTER_PRESENT = b"\x3e\x00"
_LONGEST = 4095
_LOOK_S = 0.1
# Where several are asked at once, those that do not have it may stay silent.
MORE_S = 0.3
_MOST_DRAINED = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class DoipAddress:
    """An address taken apart; without `targets` the gateway is asked for its own."""

    text: str
    host: str
    port: int
    targets: tuple[int, ...]
    source: int
    activation: int
    version: int


def read_doip_address(address: str) -> DoipAddress:
    """Take `doip:HOST:PORT/TARGET?key=value` apart; raises BadAddressError naming what is allowed."""
    body, _, query = address.partition("?")
    found = _ADDRESS.fullmatch(body)
    options = dict(parse_qsl(query, keep_blank_values=True))
    try:
        if found is None or set(options) - set(_OPTIONS):
            raise ValueError
        numbers = {name: int(options[name], base) for name, base in _OPTIONS.items() if name in options}
        targets = tuple(int(text, 16) for text in found["targets"].split(",")) if found["targets"] else ()
        port = int(found["port"] or PORT)
        source, activation, version = (_DEFAULTS | numbers).values()
        if not (
            0 < port <= 0xFFFF and 0 <= source <= 0xFFFF and 0 <= activation <= 0xFF and 1 <= version <= 3
        ):
            raise ValueError
        if any(not 0 < target <= 0xFFFF for target in targets):
            raise ValueError
    except ValueError:
        raise BadAddressError(f"{address!r} is no DoIP address.", f"Forms: {FORM}.") from None
    return DoipAddress(address, found["six"] or found["host"], port, targets, source, activation, version)


class Doip(Conversation):
    """A conversation with the ECUs behind a DoIP gateway; an ECU's name is its logical address, such as 1010."""

    def __init__(self, address: DoipAddress) -> None:
        self.info = LinkInfo(address.text)
        self._address = address
        self._targets = address.targets
        self._line: DoipLine | None = None

    @property
    def line(self) -> DoipLine:
        """The open line; raises WireLostError where there is none."""
        if self._line is None:
            raise WireLostError(f"{self._address.text} is not open.", "Wait for the link to connect.")
        return self._line

    def connect(self) -> None:
        """Connect, and ask the gateway to route our messages; ask it who it is where no target was named."""
        began, at = time.monotonic(), self._address
        if not self._targets:
            self._targets = (find_target(at.host, at.port, at.version),)
        self._line = DoipLine(at.host, at.port, at.source, at.version)
        self._line.activate(at.activation)
        name = f"DoIP gateway {self._line.name}"
        self.info = dataclasses.replace(self.info, adapter=name, connect_s=time.monotonic() - began)

    def find_car(self, until_s: float) -> str:
        """Ask every target whether it is there; one answer of any kind is enough."""
        self.info = dataclasses.replace(self.info, ecus=())
        until_s = min(until_s, time.monotonic() + CONTROL_S)
        reply = self.ask(_TESTER_PRESENT, "", until_s, lambda _: None)
        there = {answer.ecu for answer in reply.answers} | {refusal.ecu for refusal in reply.refusals}
        if not there:
            return f"no ECU behind the gateway answers 3E00: {reply.reason}"
        self.info = dataclasses.replace(self.info, protocol=DOIP, ecus=tuple(sorted(there)))
        return ""

    def ask(self, payload: bytes, ecu: str, until_s: float, patience: Patience) -> Reply:
        """Ask one ECU, or every target, and gather what comes."""
        targets = self._numbers(ecu)
        if targets is None or not 1 <= len(payload) <= _LONGEST:
            problem = f"{ecu!r} is no logical address" if targets is None else f"not 1 to {_LONGEST} bytes"
            return Reply(payload, trouble=AdapterError(problem))
        self._drain()
        sent = time.monotonic()
        for target in targets:
            self.line.send(formats().DiagnosticMessage(self._address.source, target, payload))
        gathering = Gathering(payload, f"{targets[0]:04X}" if ecu else "")
        trouble = self._gather(gathering, {f"{target:04X}" for target in targets}, until_s, patience)
        return gathering.reply(trouble, sent, time.monotonic())

    def _numbers(self, ecu: str) -> tuple[int, ...] | None:
        if not ecu:
            return self._targets
        return (int(ecu, 16),) if re.fullmatch(r"[0-9A-Fa-f]{4}", ecu) else None

    def _gather(
        self, gathering: Gathering, expected: set[str], until_s: float, patience: Patience
    ) -> Trouble | None:
        """Take messages in until every target has answered, or the gateway has said that it cannot."""
        began = time.monotonic()
        trouble: Trouble | None = None
        settled = 0
        while expected and not gathering.complete(expected) and not self.give_up():
            if time.monotonic() >= until_s:
                return trouble or Timeout(time.monotonic() - began)
            message = self.line.receive(min(until_s, time.monotonic() + _LOOK_S))
            if message is not None:
                refused, problem = self._take(message, gathering, expected)
                trouble = problem or trouble
                expected = expected - refused
            if len(gathering.settled) > settled and not gathering.ecu:
                settled = len(gathering.settled)
                until_s = min(until_s, time.monotonic() + MORE_S)
            if gathering.pending and until_s < began + PENDING_DEADLINE_S:
                until_s = began + PENDING_DEADLINE_S
                patience(until_s)
        return trouble

    def _take(
        self, message: Any, gathering: Gathering, expected: set[str]
    ) -> tuple[set[str], Trouble | None]:
        """Take one message in; returns which targets will not answer, and why."""
        messages = formats()
        if isinstance(message, messages.DiagnosticMessage):
            if message.target_address == self._address.source:
                gathering.take(f"{message.source_address:04X}", bytes(message.user_data))
            else:
                gathering.rejected.append(Rejected("for another tester", f"{message.target_address:04X}"))
        elif isinstance(message, messages.DiagnosticMessageNegativeAcknowledgement):
            why = _name(message)
            return {f"{message.source_address:04X}"}, AdapterError(f"the gateway did not pass it on: {why}")
        elif isinstance(message, messages.GenericDoIPNegativeAcknowledge):
            return expected, AdapterError(f"the gateway did not understand it: {_name(message)}")
        return set(), None

    def _drain(self) -> None:
        """Throw away what came unasked: late answers must not be taken for new ones."""
        for _ in range(_MOST_DRAINED):
            if self.line.receive(0.0) is None:
                return

    def command(self, text: str, until_s: float) -> str | None:
        """Return None: a gateway takes no commands of text."""
        return None

    def recover(self) -> bool:
        """Forget what was under way."""
        self._drain()
        return True

    def set_up_again(self) -> None:
        """Nothing at a gateway needs setting up again."""

    def idle(self) -> None:
        """Answer alive checks, notice that the gateway hung up."""
        self._drain()

    def disconnect(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.close()
        self._line = None


def _name(message: Any) -> str:
    try:
        return str(message.NackCodes(message.nack_code).name)
    except ValueError:
        return "a code of its maker's own"


def doip(address: str) -> Doip:
    """Make the driver for `doip:HOST:PORT/TARGET`; raises BadAddressError."""
    import doipclient  # noqa: F401  # a missing extra shall be told at once

    return Doip(read_doip_address(address))
