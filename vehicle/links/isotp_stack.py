"""ISO-TP towards several ECUs at once on one CAN bus, through can-isotp, without threads of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from vehicle.elm327.outcomes import Rejected
from vehicle.elm327.protocols import Target, target_of

if TYPE_CHECKING:
    import isotp

LONGEST_SINGLE = 7
LONGEST_MESSAGE = 4095
# (identifier, data, whether the identifier has 29 bits)
Transmit = Callable[[int, bytes, bool], None]


class IsotpStack:
    """Takes frames in and gives whole messages out; answers first frames with flow control by itself.

    ISO 15765-4 has the tester take everything at once: block size 0, no pause between frames.
    """

    def __init__(self, transmit: Transmit, padding: int | None) -> None:
        self._transmit = transmit
        self._padding = padding
        self._lines: dict[str, _EcuLine] = {}
        self.messages: deque[tuple[str, bytes]] = deque()
        self.rejected: list[Rejected] = []

    @property
    def busy(self) -> bool:
        """Whether a message is under way, in or out."""
        return any(line.busy for line in self._lines.values())

    @property
    def sending(self) -> bool:
        """Whether more of a request has to go out."""
        return any(line.layer.transmitting() for line in self._lines.values())

    def forget(self) -> None:
        """Drop what is half done: it belongs to an earlier request."""
        for line in self._lines.values():
            if line.busy:
                line.layer.reset()
        self.messages.clear()
        self.rejected.clear()

    def broadcast(self, payload: bytes, identifier: int, *, extended: bool) -> None:
        """Send a request of at most seven bytes to every ECU."""
        data = bytes([len(payload)]) + payload
        if self._padding is not None:
            data = data.ljust(8, bytes([self._padding]))
        self._transmit(identifier, data, extended)

    def send(self, payload: bytes, target: Target) -> None:
        """Send a request of up to 4,095 bytes to one ECU; call `tick` while `sending`."""
        line = self._line(target)
        line.layer.send(payload)
        self._work(line)

    def feed(self, ecu: str, data: bytes) -> None:
        """Take in a frame that came from an ECU; `ecu` is its identifier in hexadecimal digits."""
        target = target_of(ecu)
        line = self._lines.get(ecu) or (self._line(target) if target else None)
        if line is not None:
            line.frames.append(data)
            self._work(line)

    def tick(self) -> None:
        """Go on with what waits for time to pass."""
        for line in self._lines.values():
            if line.busy:
                self._work(line)

    def _line(self, target: Target) -> _EcuLine:
        line = self._lines.get(target.receive)
        if line is None or line.target != target:
            line = self._lines[target.receive] = _EcuLine(target, self._transmit, self._padding, self._note)
        return line

    def _note(self, ecu: str, error: Exception) -> None:
        self.rejected.append(Rejected(str(error), ecu))

    def _work(self, line: _EcuLine) -> None:
        line.layer.process()
        while (data := line.layer.recv()) is not None:
            self.messages.append((line.target.receive, bytes(data)))


class _EcuLine:
    """One can-isotp layer for one ECU."""

    def __init__(
        self, target: Target, transmit: Transmit, padding: int | None, note: Callable[[str, Exception], None]
    ) -> None:
        import isotp

        self.target = target
        self.frames: deque[bytes] = deque()
        self._receive = int(target.receive, 16)
        self._extended = len(target.receive) == 8
        mode = isotp.AddressingMode.Normal_29bits if self._extended else isotp.AddressingMode.Normal_11bits
        self._message = isotp.CanMessage
        self.layer: isotp.TransportLayerLogic = isotp.TransportLayerLogic(
            rxfn=self._next_frame,
            txfn=lambda message: transmit(
                message.arbitration_id, bytes(message.data), message.is_extended_id
            ),
            address=isotp.Address(mode, txid=int(target.transmit, 16), rxid=self._receive),
            error_handler=lambda error: note(target.receive, error),
            params={
                "stmin": 0,
                "blocksize": 0,
                "wftmax": 8,
                "tx_padding": padding,
                "tx_data_min_length": 8 if padding is not None else None,
            },
        )

    @property
    def busy(self) -> bool:
        return self.layer.is_rx_active() or self.layer.transmitting()

    def _next_frame(self, timeout: float) -> isotp.CanMessage | None:
        """Hand the layer the next frame; it never waits here."""
        if not self.frames:
            return None
        data = self.frames.popleft()
        return self._message(self._receive, len(data), data, self._extended)
