"""Listening on a CAN bus without ever sending: OBD answers that others ask for, decoded as they pass."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from threading import Event
from typing import TYPE_CHECKING

from vehicle.elm327.protocols import target_of
from vehicle.errors import CannotConnectError, CarError
from vehicle.links.can_address import CanAddress, check_possible, open_bus, read_can_address
from vehicle.logs.isotp import Reassembly
from vehicle.poller.batch import Batch, Collector, StateChange
from vehicle.poller.gaps import GapLog
from vehicle.signals import SIGNALS, decode_mode01, find_signal, split_mode01

if TYPE_CHECKING:
    import can

BATCH_S = 0.5
_AGAIN_S = 0.5
_WAIT_S = 0.05
# Between the interface's clock and ours; more than this and one of them was set anew.
_CLOCK_JUMP_S = 0.25
_MOST_KNOWN = 50_000
_EVERYBODY = {"7DF", "18DB33F1"}
_OBD_ON_UDS = b"\x62\xf4"  # SAE J1979-2: data identifiers F4xx carry the PIDs xx
# Requests and answers of ISO 15765-4, both lengths of identifiers.
FILTERS: list[dict[str, int | bool]] = [
    {"can_id": 0x7DF, "can_mask": 0x7FF, "extended": False},
    {"can_id": 0x7E0, "can_mask": 0x7F0, "extended": False},
    {"can_id": 0x18DB33F1, "can_mask": 0x1FFFFFFF, "extended": True},
    {"can_id": 0x18DA00F1, "can_mask": 0x1FFF00FF, "extended": True},
    {"can_id": 0x18DAF100, "can_mask": 0x1FFFFF00, "extended": True},
]

Values = dict[str, float]


class PassingAnswers:
    """Decodes OBD traffic between others; `undecoded` counts answers that gave no reading, by the reason."""

    def __init__(self) -> None:
        self.answers = 0
        self.undecoded: Counter[str] = Counter()
        self._messages = Reassembly()
        self._asked: dict[str, bytes] = {}
        self._known: dict[tuple[bytes, bytes], Values] = {}

    @property
    def broken(self) -> int:
        """How many messages of several frames were not whole."""
        return self._messages.broken

    def take(self, time_us: int, sender: str, data: bytes) -> tuple[int, str, Values] | None:
        """Take in a frame; returns (time, ecu, values) where it completes an answer that holds readings."""
        message = self._messages.add(time_us, sender, data, 0)
        if message is None or not message.data:
            return None
        if not _is_ecu(sender):
            self._note_request(sender, message.data)
            return None
        values = self._values(sender, message.data)
        return (message.time_us, sender, values) if values else None

    def _note_request(self, sender: str, request: bytes) -> None:
        if request[0] != 0x01:
            return
        if sender in _EVERYBODY:
            self._asked = {"": request[1:]}
        else:
            self._asked[sender] = request[1:]

    def _values(self, ecu: str, data: bytes) -> Values:
        self.answers += 1
        target = target_of(ecu)
        asked = self._asked.get(target.transmit if target else "", self._asked.get("", b""))
        known = self._known.get((data, asked))
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            try:
                known = _decode(data, asked)
            except CarError as error:
                self.undecoded[error.message] += 1
                return {}
            self._known[data, asked] = known
        return known


def _decode(data: bytes, asked: bytes) -> Values:
    """Decode one answer; raises CarError where its bytes do not come apart in exactly one way."""
    values: Values = {}
    if data[:2] == _OBD_ON_UDS and len(data) > 3:
        return dict(decode_mode01(data[2], data[3:]))
    if data[0] == 0x41 and len(data) > 2:
        # Without the request, or with one of another tester, the bytes have to speak for themselves.
        for pid, body in split_mode01(data[1:], asked if data[1] in asked else ()):
            values |= decode_mode01(pid, body)
    return values


def _is_ecu(sender: str) -> bool:
    return sender[:6] == "18DAF1" if len(sender) == 8 else "7E8" <= sender <= "7EF"


class CanListener:
    """Hands over what passes on a bus as the poller hands over what it asks for.

    `signals` are names such as `rpm`, or `rpm@7E9`; None keeps every reading that passes. Raises BadAddressError,
    UnsupportedLinkError and UnknownSignalError.
    """

    def __init__(
        self, address: str, signals: Sequence[str] | None = None, *, batch_s: float = BATCH_S
    ) -> None:
        self.address = address
        self.passing = PassingAnswers()
        self._address = read_can_address(address)
        check_possible(self._address)
        self._wanted = None if signals is None else {_wish(text) for text in signals}
        self._batch_s = batch_s
        self._gaps = GapLog(0.0)
        self._states: list[tuple[float, str, str]] = []

    def poll(self, stop: Event) -> Iterator[Batch]:
        """Yield a batch about every `batch_s` seconds until `stop` is set; times count from the first `next`.

        Raises CannotConnectError where the interface cannot be opened at all; one lost later is opened again.
        """
        bus: can.BusABC | None = _open(self._address)
        start_s = handed_s = time.monotonic()
        collector = Collector({name: signal.unit for name, signal in SIGNALS.items()}, self.address)
        self._gaps, clock = GapLog(start_s), _Clock()
        try:
            while not stop.is_set():
                if bus is None:
                    bus = self._again(stop)
                elif not self._listen(bus, collector, clock, start_s, handed_s + self._batch_s, stop):
                    _close(bus)
                    bus = None
                if time.monotonic() - handed_s >= self._batch_s:
                    handed_s = time.monotonic()
                    yield self._batch(collector, start_s)
            yield self._batch(collector, start_s)
        finally:
            _close(bus)

    def _listen(
        self,
        bus: can.BusABC,
        collector: Collector,
        clock: _Clock,
        start_s: float,
        until_s: float,
        stop: Event,
    ) -> bool:
        """Take frames in until it is time to hand over; False where the interface is lost."""
        import can

        while time.monotonic() < until_s and not stop.is_set():
            try:
                message = bus.recv(_WAIT_S)
            except (can.CanError, OSError, ValueError) as error:
                self._lost(str(error))
                return False
            if message is None or message.is_error_frame or message.is_remote_frame:
                continue
            sender = f"{message.arbitration_id:0{8 if message.is_extended_id else 3}X}"
            time_us = round((clock.at_s(message.timestamp) - start_s) * 1e6)
            self._keep(self.passing.take(time_us, sender, bytes(message.data)), collector)
        return True

    def _keep(self, found: tuple[int, str, Values] | None, collector: Collector) -> None:
        if found is None:
            return
        time_us, ecu, values = found
        for name, value in values.items():
            if self._wanted is None or not self._wanted.isdisjoint(((name, ""), (name, ecu))):
                collector.add(name, ecu, time_us, value)

    def _lost(self, reason: str) -> None:
        now = time.monotonic()
        self._gaps.failed(now, f"lost: {reason}")
        self._states.append((now, "lost", reason))

    def _again(self, stop: Event) -> can.BusABC | None:
        try:
            bus = _open(self._address)
        except CannotConnectError:
            stop.wait(_AGAIN_S)
            return None
        now = time.monotonic()
        self._gaps.worked(now)
        self._states.append((now, "connected", ""))
        return bus

    def _batch(self, collector: Collector, start_s: float) -> Batch:
        def since_start_us(at_s: float) -> int:
            return max(0, round((at_s - start_s) * 1e6))

        states = tuple(StateChange(since_start_us(at_s), *rest) for at_s, *rest in self._states)
        self._states.clear()
        return Batch(collector.take(), self._gaps.take(), states, since_start_us(time.monotonic()))


class _Clock:
    """Puts the interface's time stamps on our clock: more even than the moments at which we got to read them."""

    def __init__(self) -> None:
        self._offset_s: float | None = None

    def at_s(self, stamp_s: float) -> float:
        now = time.monotonic()
        if self._offset_s is None or abs(stamp_s + self._offset_s - now) > _CLOCK_JUMP_S:
            self._offset_s = now - stamp_s
        self._offset_s = min(self._offset_s, now - stamp_s)
        return stamp_s + self._offset_s


def _wish(text: str) -> tuple[str, str]:
    name, _, ecu = text.partition("@")
    return find_signal(name).name, ecu.upper()


def _open(address: CanAddress) -> can.BusABC:
    """Open the bus so that the interface does not even acknowledge frames, where python-can can tell it to."""
    import can

    if address.interface in ("slcan", "vector"):
        address = dataclasses.replace(address, settings={**address.settings, "listen_only": True})
    bus = open_bus(address, FILTERS)
    with contextlib.suppress(NotImplementedError, can.CanError):
        bus.state = can.BusState.PASSIVE
    return bus


def _close(bus: can.BusABC | None) -> None:
    import can

    if bus is not None:
        with contextlib.suppress(can.CanError, OSError, ValueError):
            bus.shutdown()
