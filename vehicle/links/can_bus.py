"""The driver for CAN interfaces: OBD and UDS requests straight on the vehicle's bus, through python-can."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vehicle.elm327.outcomes import AdapterError, BusError, NoData, Reply, Timeout, Trouble
from vehicle.elm327.protocols import PROTOCOLS, SEEN, Family, Protocol, Target, target_of
from vehicle.links.can_address import CanAddress, check_possible, open_bus, read_can_address
from vehicle.links.conversation import Conversation, Patience
from vehicle.links.isotp_replies import Gathering
from vehicle.links.isotp_stack import LONGEST_MESSAGE, LONGEST_SINGLE, IsotpStack
from vehicle.links.link import PENDING_DEADLINE_S, LinkInfo
from vehicle.links.wire import WireLostError

if TYPE_CHECKING:
    import can

# ECUs answer within 50 ms (P2 of ISO 15765-4); gateways add to that, and an ELM327 waits 200 ms.
ANSWER_S = 0.2
# After the last answer to everybody's request, others may still follow: twice P2.
MORE_S = 0.1
_SEND_S = 0.1
_SLICE_S = 0.1
_TICK_S = 0.001
_MOST_DRAINED = 20_000
_BUS_OFF = 0x40
EVERYBODY = {11: (0x7DF, False), 29: (0x18DB33F1, True)}
FILTERS: dict[int, dict[str, int | bool]] = {
    11: {"can_id": 0x7E8, "can_mask": 0x7F8, "extended": False},
    29: {"can_id": 0x18DAF100, "can_mask": 0x1FFFFF00, "extended": True},
}
_PROTOCOL_NUMBERS = {(11, 500_000): "6", (29, 500_000): "7", (11, 250_000): "8", (29, 250_000): "9"}
_SUPPORTED = b"\x01\x00"


class CanBus(Conversation):
    """A conversation with every ECU on a CAN bus."""

    def __init__(self, address: CanAddress) -> None:
        self.info = LinkInfo(address.text)
        self._address = address
        self._bits = address.bits or 11
        self._bus: can.BusABC | None = None
        self._stack = IsotpStack(self._transmit, address.padding)
        self._heard: set[str] = set()
        self._errors = 0

    def connect(self) -> None:
        """Open the bus; whether a car is on it is another question."""
        began = time.monotonic()
        self._heard = set()
        self._bus = open_bus(self._address, list(FILTERS.values()))
        name = f"python-can {self._address.interface} {self._address.channel}"
        self.info = dataclasses.replace(self.info, adapter=name, connect_s=time.monotonic() - began)

    def find_car(self, until_s: float) -> str:
        """Ask everybody for the supported parameters, with 11-bit identifiers and then with 29-bit ones."""
        problem = "no time to look for a car"
        for bits in (self._address.bits,) if self._address.bits else (self._bits, 40 - self._bits):
            self._bits = bits
            self.info = dataclasses.replace(self.info, ecus=())
            reply = self.ask(_SUPPORTED, "", min(until_s, time.monotonic() + 2 * ANSWER_S), lambda _: None)
            ecus = tuple(sorted({answer.ecu for answer in reply.answers}))
            if ecus:
                self.info = dataclasses.replace(self.info, ecus=ecus, protocol=self._protocol())
                return ""
            problem = f"nobody on the bus answers 0100: {reply.reason}"
            if time.monotonic() >= until_s or self.give_up():
                break
        return problem

    def _protocol(self) -> Protocol:
        """Name the protocol, with the bit rate only where we set it ourselves."""
        number = _PROTOCOL_NUMBERS.get((self._bits, self._address.bitrate), "")
        return PROTOCOLS[number] if number else SEEN[Family.CAN11 if self._bits == 11 else Family.CAN29]

    def ask(self, payload: bytes, ecu: str, until_s: float, patience: Patience) -> Reply:
        """Ask one ECU, or all of them, and gather what comes."""
        problem, target = _check(payload, ecu)
        if problem:
            return Reply(payload, trouble=AdapterError(problem))
        self._drain()
        self._stack.forget()
        gathering = Gathering(payload, target.receive if target else "")
        sent = time.monotonic()
        if target is None:
            identifier, extended = EVERYBODY[self._bits]
            self._stack.broadcast(payload, identifier, extended=extended)
        else:
            self._hear(target)
            self._stack.send(payload, target)
        expected = (target.receive,) if target else self.info.ecus
        trouble = self._gather(gathering, expected, sent, until_s, patience)
        gathering.rejected += self._stack.rejected
        return gathering.reply(trouble, sent, time.monotonic())

    def _gather(
        self, gathering: Gathering, expected: tuple[str, ...], sent: float, until_s: float, patience: Patience
    ) -> Trouble:
        """Take frames in until everybody expected has answered, or has had the time to."""
        quiet_s = sent + ANSWER_S
        while (now := time.monotonic()) < (end := until_s if gathering.pending else min(until_s, quiet_s)):
            self._step(min(end - now, _SLICE_S))
            while self._stack.messages:
                gathering.take(*self._stack.messages.popleft())
                if gathering.settled:
                    quiet_s = time.monotonic() + MORE_S
            if gathering.pending and until_s < sent + PENDING_DEADLINE_S:
                until_s = sent + PENDING_DEADLINE_S
                patience(until_s)
            if gathering.complete(expected) or self.give_up():
                break
            if self._stack.busy:
                quiet_s = max(quiet_s, time.monotonic() + ANSWER_S)
        if self._errors:
            return BusError(f"CAN ERROR ({self._errors} error frames)")
        waited = time.monotonic() - sent
        return Timeout(waited) if gathering.pending or waited < ANSWER_S else NoData()

    def _step(self, wait_s: float) -> None:
        """Wait for one frame and take it in."""
        if self._stack.sending:
            self._stack.tick()
            wait_s = min(wait_s, _TICK_S)
        frame = self._receive(wait_s)
        if frame is not None:
            self._stack.feed(*frame)

    def command(self, text: str, until_s: float) -> str | None:
        """Return None: a CAN interface takes no commands of text."""
        return None

    def recover(self) -> bool:
        """Forget what was under way."""
        self._drain()
        self._stack.forget()
        return True

    def set_up_again(self) -> None:
        """Nothing on a CAN interface needs setting up again."""

    def idle(self) -> None:
        """Keep what nobody asked for from piling up."""
        self._drain()

    def disconnect(self) -> None:
        """Close the bus."""
        import can

        bus, self._bus = self._bus, None
        if bus is not None:
            with contextlib.suppress(
                can.CanError, OSError, ValueError
            ):  # some say goodbye to a device that is gone
                bus.shutdown()

    def _hear(self, target: Target) -> None:
        """Let the answers of an ECU with unusual identifiers through the filter."""
        identifier, extended = int(target.receive, 16), len(target.receive) == 8
        usual = FILTERS[29 if extended else 11]
        if identifier & int(usual["can_mask"]) == usual["can_id"] or target.receive in self._heard:
            return
        self._heard.add(target.receive)
        own = [
            {
                "can_id": int(ecu, 16),
                "can_mask": 0x1FFFFFFF if len(ecu) == 8 else 0x7FF,
                "extended": len(ecu) == 8,
            }
            for ecu in self._heard
        ]
        with self._guarded() as bus:
            bus.set_filters([*FILTERS.values(), *own])  # type: ignore[list-item]  # plain dicts are CanFilter

    def _drain(self) -> None:
        """Throw away what came unasked: late answers must not be taken for new ones."""
        self._errors = 0
        for _ in range(_MOST_DRAINED):
            if self._next_frame(0.0) is None:
                return

    def _receive(self, wait_s: float) -> tuple[str, bytes] | None:
        message = self._next_frame(wait_s)
        if message is None or message.is_remote_frame:
            return None
        if message.is_error_frame:
            self._errors += 1
            if message.arbitration_id & _BUS_OFF:
                raise WireLostError(
                    f"{self._address.text}: the interface went bus-off.", "Check bit rate and wiring."
                )
            return None
        return f"{message.arbitration_id:0{8 if message.is_extended_id else 3}X}", bytes(message.data)

    def _next_frame(self, wait_s: float) -> can.Message | None:
        import can

        with self._guarded() as bus:
            try:
                return bus.recv(wait_s)
            except can.CanOperationError as error:
                # Anybody may send datagrams to a multicast group; one that is no frame is no reason to hang up.
                if self._address.interface != "udp_multicast" or "unpack" not in str(error):
                    raise
                return can.Message(is_error_frame=True)

    def _transmit(self, identifier: int, data: bytes, extended: bool) -> None:
        import can

        with self._guarded() as bus:
            bus.send(can.Message(arbitration_id=identifier, data=data, is_extended_id=extended), _SEND_S)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[can.BusABC]:
        """Give the open bus; raises WireLostError where it is, or gets, lost."""
        import can

        if self._bus is None:
            raise WireLostError(f"{self._address.text} is not open.", "Wait for the link to connect.")
        try:
            yield self._bus
        except (can.CanError, OSError, ValueError) as error:
            raise WireLostError(
                f"{self._address.text} was lost: {error}.", "Check interface and wiring."
            ) from error


def _check(payload: bytes, ecu: str) -> tuple[str, Target | None]:
    """Say what is wrong with a request, and whom it goes to (None: everybody)."""
    try:
        target = target_of(ecu)
    except ValueError:
        return f"{ecu!r} names no ECU", None
    if ecu and target is None:
        return f"{ecu!r} names no ECU", None
    longest = LONGEST_MESSAGE if target else LONGEST_SINGLE
    if not 1 <= len(payload) <= longest:
        return f"a request {'to one ECU' if target else 'to everybody'} has 1 to {longest} bytes", None
    return "", target


def can_bus(address: str) -> CanBus:
    """Make the driver for `can:INTERFACE:CHANNEL`; raises BadAddressError and UnsupportedLinkError."""
    found = read_can_address(address)
    check_possible(found)
    return CanBus(found)
