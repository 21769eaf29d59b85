"""The driver for ELM327 and STN adapters: serial, Bluetooth-serial, Wi-Fi, emulators."""

from __future__ import annotations

import dataclasses
import time
from urllib.parse import parse_qsl

from vehicle.elm327.outcomes import AdapterError, Reply, Timeout
from vehicle.elm327.protocols import PROTOCOLS, SEEN, Family, target_of
from vehicle.elm327.replies import READING, family_of, parse_reply
from vehicle.errors import BadAddressError
from vehicle.links import elm327_setup as setup
from vehicle.links.aim import Aim
from vehicle.links.conversation import Conversation, Patience
from vehicle.links.line_counts import LineCounts, may_count
from vehicle.links.link import PENDING_DEADLINE_S, LinkInfo
from vehicle.links.prompt_line import PromptLine
from vehicle.links.wire import Wire, WireLostError, open_wire, socket_address

LONGEST_REQUEST = 7
_SUPPORTED = b"\x01\x00"
# Nearly every car since 2008 speaks 11-bit CAN at 500 kbit/s; asking for it first saves the search.
COMMONEST = "6"
SEARCH = "0"
_RECOVER_S = 1.0
_PROBE_S = 1.0
_AGAIN_S = 0.05
_NOT_ALLOWED = "longer than an ELM327 can send"


class Elm327(Conversation):
    """A conversation with an ELM327 or STN adapter."""

    def __init__(
        self, address: str, url: str, baud: int = 0, protocol: str = "", raise_baud: bool = True
    ) -> None:
        self.info = LinkInfo(address)
        self._url = url
        self._baud = baud
        self._protocol = protocol
        self._raise_baud = raise_baud
        self._counts = LineCounts()
        self._aim = Aim()
        self._last_sent_s = 0.0
        self._last_service = 0
        self._doubtful = False
        self._named = True
        self._wire: Wire | None = None
        self._line: PromptLine | None = None

    @property
    def line(self) -> PromptLine:
        """The open line; raises WireLostError where there is none."""
        if self._line is None:
            raise WireLostError(f"{self._url} is not open.", "Wait for the link to connect.")
        return self._line

    @property
    def family(self) -> Family | None:
        """How frames look, once the protocol is known."""
        return self.info.protocol.family if self.info.protocol else None

    def connect(self) -> None:
        """Open the line, find the baud rate, identify the adapter and prepare it."""
        began = time.monotonic()
        wire = self._wire = open_wire(self._url, self._baud or setup.BAUDS[0])
        line = self._line = PromptLine(wire, lambda: self.give_up())
        if wire.baud is not None and not self._baud:
            adapter = setup.find_baud(wire, line, wire.baud)
        else:
            adapter = setup.identify(line)
        self._apply_settings()
        stn = setup.stn_identity(line)
        if stn and wire.baud is not None and self._raise_baud:
            setup.raise_baud(line)
        self.info = LinkInfo(
            self.info.address,
            adapter,
            stn,
            ecus=self.info.ecus,
            baud=wire.baud,
            connect_s=time.monotonic() - began,
        )

    def find_car(self, until_s: float) -> str:
        """Ask for the supported parameters: by the protocol known, by the one most cars have, by any."""
        problem = "no time to look for a car"
        for number in self._candidates():
            if time.monotonic() >= until_s or self.give_up():
                break
            problem = self._greet_car(number, until_s)
            if not problem:
                break
        return problem

    def _candidates(self) -> list[str]:
        """Return protocols to try in turn; 0 makes the adapter search, which can take many seconds."""
        if self._protocol:
            return [self._protocol]
        known = self.info.protocol.number if self.info.protocol else ""
        return list(dict.fromkeys(number for number in (known, COMMONEST, SEARCH) if number))

    def _greet_car(self, number: str, until_s: float) -> str:
        line = self.line
        line.stray()
        if self._aim.touched:
            self._apply_settings()  # header and filter of one ECU would keep the others from answering
        line.talk(f"ATTP{number}", setup.COMMAND_S)  # unlike ATSP it wears no memory
        line.send("0100")
        text = line.read(until_s)
        if text is None:
            return "the adapter found no car in time" if self.recover() else "the adapter fell silent"
        reply = parse_reply(text, _SUPPORTED, None, "0100")
        if not reply.answers:
            return reply.reason if reply.trouble else f"the car does not answer 0100: {reply.reason}"
        self._note_protocol(reply, number)
        return ""

    def _apply_settings(self) -> None:
        """Send the settings; they begin with defaults, which address everybody."""
        setup.apply_settings(self.line)
        self._aim.reset()

    def _note_protocol(self, reply: Reply, tried: str) -> None:
        """Take the protocol's family from the look of the frames; its number is asked for when there is time."""
        ecus = tuple(dict.fromkeys(answer.ecu for answer in reply.answers))
        family = family_of(reply) or Family.CAN11
        known = PROTOCOLS.get(tried)
        protocol = known if known and known.family is family else SEEN[family]
        if ecus != self.info.ecus or self.family is not protocol.family:
            self._counts.forget()
        self.batch_limit = 6 if protocol.family.is_can else 1
        self._named = bool(protocol.number)
        self.info = dataclasses.replace(self.info, protocol=protocol, ecus=ecus)

    def idle(self) -> None:
        """Notice that the line is gone, or that something came unasked; ask for the number of the protocol."""
        self._doubtful = self.line.stray() or self._doubtful
        if self._named:
            return
        self._named = True
        number = (self.line.talk("ATDPN", setup.COMMAND_S) or "").strip().removeprefix("A")
        named = PROTOCOLS.get(number)
        if named is not None and self.family is named.family:
            self.info = dataclasses.replace(self.info, protocol=named)

    def ask(self, payload: bytes, ecu: str, until_s: float, patience: Patience) -> Reply:
        """Ask, with the learned line count where that is safe; once more without it where it was wrong."""
        if not 1 <= len(payload) <= LONGEST_REQUEST:
            return Reply(payload, trouble=AdapterError(_NOT_ALLOWED))
        began = time.monotonic()
        self._get_in_step()
        self._keep_distance(until_s)
        if not self._aim.at(self.line, ecu, self.family) or time.monotonic() >= until_s:
            return self._late(payload, began)
        counted = may_count(self.family, ecu, self.info.ecus)
        digit = self._counts.digit(ecu, payload) if counted else ""
        reply = self._exchange(payload, ecu, digit, until_s, patience)
        if counted and not isinstance(reply.trouble, Timeout):
            right = self._counts.learn(ecu, reply, digit)
            if not right and payload[0] in READING and time.monotonic() < until_s:
                reply = self._exchange(payload, ecu, "", until_s, patience)
                self._counts.learn(ecu, reply, "")
        return self._wait_out(reply, ecu, until_s, patience) if reply.pending else reply

    def _get_in_step(self) -> None:
        """After bytes that belong to nothing, a prompt may belong to nothing too: prove that we are in step."""
        if (self.line.stray() or self._doubtful) and not self.recover():
            raise WireLostError("The adapter sends what nobody asked for.", "Unplug it and plug it in again.")
        self._doubtful = False

    def _exchange(self, payload: bytes, ecu: str, digit: str, until_s: float, patience: Patience) -> Reply:
        line, command = self.line, payload.hex().upper() + digit
        self._last_service = payload[0]
        sent = self._last_sent_s = time.monotonic()
        line.send(command)
        text = line.read(until_s)
        if text is None and parse_reply(line.partial, payload, self.family, command).pending:
            until_s = max(until_s, sent + PENDING_DEADLINE_S)
            patience(until_s)
            text = line.read(until_s)
        if text is None:
            return self._late(payload, sent)
        target = target_of(ecu) if self.family and self.family.is_can else None
        reply = parse_reply(text, payload, self.family, command, target.receive if target else "")
        self._doubtful = bool(reply.rejected)
        return dataclasses.replace(reply, sent_s=sent, received_s=time.monotonic())

    def _wait_out(self, reply: Reply, ecu: str, until_s: float, patience: Patience) -> Reply:
        """Ask again where an ECU asked for patience and the adapter did not wait, if asking changes nothing."""
        if reply.request[0] not in READING:
            return reply
        until_s = max(until_s, reply.sent_s + PENDING_DEADLINE_S)
        patience(until_s)
        while reply.pending and time.monotonic() + _AGAIN_S < until_s and not self.give_up():
            time.sleep(_AGAIN_S)
            reply = self._exchange(reply.request, ecu, "", until_s, patience)
        return reply

    def _late(self, payload: bytes, sent: float) -> Reply:
        now = time.monotonic()
        return Reply(payload, trouble=Timeout(now - sent), sent_s=sent, received_s=now, raw=self.line.partial)

    def _keep_distance(self, until_s: float) -> None:
        """Keep the distance between requests that slow buses need."""
        gap = self.info.protocol.minimum_gap_s if self.info.protocol else 0.0
        pause = min(self._last_sent_s + gap, until_s) - time.monotonic()
        if gap and pause > 0:
            time.sleep(pause)

    def command(self, text: str, until_s: float) -> str | None:
        """Send an adapter command and return what it printed."""
        self._get_in_step()
        self._last_service = 0
        return self.line.talk(text, max(0.0, until_s - time.monotonic()))

    def recover(self) -> bool:
        """Stop what the adapter does, get in step, and look whether it still knows its settings."""
        self._aim.doubt()
        interrupt = self._last_service in READING
        if self.line.synchronise(_RECOVER_S, interrupt=interrupt):
            return self._still_set_up()
        return self.line.synchronise(_PROBE_S, interrupt=False) and self._still_set_up()

    def _still_set_up(self) -> bool:
        """Look for the echo that shows that the adapter lost power for a moment, and its settings with it."""
        self.line.send("ATI")
        text = self.line.read(time.monotonic() + setup.COMMAND_S)
        if text is None:
            return False
        if text.lstrip("\r\n\0 ").upper().startswith("ATI"):
            self.set_up_again()
        return True

    def set_up_again(self) -> None:
        """Repeat the settings after a restart."""
        if not self.line.synchronise(2 * _RECOVER_S, interrupt=False):
            raise WireLostError("The adapter restarted and does not answer.", "Check plug and power.")
        self._apply_settings()

    def disconnect(self) -> None:
        """Close the line."""
        if self._wire is not None:
            self._wire.close()
        self._wire = self._line = None


def elm327_at(address: str) -> Elm327:
    """Make the driver for a serial path or a socket:// URL; `?baud=115200&protocol=6` may follow."""
    url, _, query = address.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = set(options) - {"baud", "protocol", "raise_baud"}
    baud = options.get("baud", "0")
    protocol = options.get("protocol", "").upper()
    if unknown or not baud.isdigit() or (protocol and protocol not in {"0", *PROTOCOLS}):
        raise BadAddressError(
            f"{address!r}: {', '.join(sorted(unknown)) or 'baud or protocol'} is not understood.",
            "After ? may follow baud=38400, protocol=6 (an ELM327 number) and raise_baud=0.",
        )
    if url.startswith("socket://"):
        socket_address(url)
    return Elm327(address, url, int(baud), protocol, options.get("raise_baud", "1") != "0")
