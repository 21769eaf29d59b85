"""The simulated car as control units on a CAN bus, for tests and measurements."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import can

from vehicle.simulator import SimulatedCar
from vehicle.simulator.ecus.ecu import Ecu
from vehicle.simulator.elm.isotp import segment

FLOW_CONTROL_S = 0.5


class CanPeer(threading.Thread):
    """Answers requests on a bus from the control units of a simulated car; obeys flow control.

    `silent`, `pending_s` (7F xx 78 first, the answer so much later), `delay_s`, `lose` (number of the frame of a
    message to leave out) and `swap_first` (answers begin with another ECU's) let a test make it misbehave.
    """

    def __init__(self, bus: can.BusABC, car: SimulatedCar, *, extended: bool = False) -> None:
        super().__init__(daemon=True)
        self.car = car
        self.silent = False
        self.pending_s = 0.0
        self.delay_s = 0.0
        self.lose = 0
        self.garbage: list[can.Message] = []
        self.seen: list[can.Message] = []
        self._bus = bus
        self._extended = extended
        self._ended = threading.Event()
        self._requests: dict[int, tuple[int, bytearray]] = {}

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                message = self._bus.recv(0.05)
            except can.CanOperationError:  # a datagram that is no frame
                continue
            if message is not None and self._address(message) is not False:
                self.seen.append(message)
                self._hear(message)

    def end(self) -> None:
        self._ended.set()
        self.join()

    def _address(self, message: can.Message) -> int | bool | None:
        """Return the address asked, None for everybody, False where it is no request."""
        number = message.arbitration_id
        if message.is_extended_id is not self._extended:
            return False
        if self._extended:
            if number == 0x18DB33F1:
                return None
            return number >> 8 & 0xFF if number & 0x1FFF00FF == 0x18DA00F1 else False
        if number == 0x7DF:
            return None
        return number if 0x7E0 <= number <= 0x7E7 else False

    def _hear(self, message: can.Message) -> None:
        data, number = bytes(message.data), message.arbitration_id
        kind = data[0] >> 4
        if kind == 0:
            self._answer(data[1 : 1 + data[0]], self._address(message))
        elif kind == 1:
            self._requests[number] = ((data[0] & 15) << 8 | data[1], bytearray(data[2:]))
            self._send(self._reply_id(number), bytes([0x30, 2, 0]))
        elif kind == 2 and number in self._requests:
            length, got = self._requests[number]
            got += data[1:]
            if len(got) >= length:
                del self._requests[number]
                self._answer(bytes(got[:length]), self._address(message))
            elif data[0] & 1 == 0:  # block size two: ask for more after each second frame
                self._send(self._reply_id(number), bytes([0x30, 2, 0]))

    def _reply_id(self, number: int) -> int:
        return 0x18DAF100 | number >> 8 & 0xFF if self._extended else number + 8

    def _answer(self, payload: bytes, address: int | bool | None) -> None:
        if self.silent:
            return
        for message in self.garbage:
            self._bus.send(message)
        self.car.catch_up()
        replies = self.car.bus.ask(payload, address) if self.car.bus.awake else []
        if self.delay_s:
            time.sleep(self.delay_s)
        if self.pending_s and replies:
            for reply in replies:
                self._send(self._id(reply.ecu), bytes([3, 0x7F, payload[0], 0x78]))
            time.sleep(self.pending_s)
        waiting = {}
        for reply in replies:
            frames = segment(reply.payload, 0x55)
            self._send(self._id(reply.ecu), frames[0])
            if len(frames) > 1:
                waiting[self._id(reply.ecu)] = frames[1:]
        self._flow(waiting)

    def _id(self, ecu: Ecu) -> int:
        return 0x18DAF100 | ecu.address if self._extended else ecu.can_id

    def _flow(self, waiting: dict[int, list[bytes]]) -> None:
        """Send the rest of long answers, all ECUs in turns, once flow control has come for each."""
        ready: dict[int, list[bytes]] = {}
        end = time.monotonic() + FLOW_CONTROL_S
        while waiting and time.monotonic() < end:
            message = self._bus.recv(0.05)
            if message is None:
                continue
            self.seen.append(message)
            number = self._reply_id(message.arbitration_id)
            if number in waiting and message.data[0] >> 4 == 3:
                assert bytes(message.data[:3]) == b"\x30\0\0"
                ready[number] = waiting.pop(number)
        longest = max((len(frames) for frames in ready.values()), default=0)
        for place in range(longest):
            for number, frames in ready.items():
                if place < len(frames) and place + 1 != self.lose:
                    self._send(number, frames[place])

    def _send(self, number: int, data: bytes) -> None:
        self._bus.send(can.Message(arbitration_id=number, data=data, is_extended_id=self._extended))


@contextmanager
def can_peer(
    channel: str, car: SimulatedCar, *, interface: str = "virtual", extended: bool = False, **settings: int
) -> Iterator[CanPeer]:
    """Put a car on a bus while the context lasts."""
    with can.Bus(channel, interface=interface, ignore_config=True, **settings) as bus:
        peer = CanPeer(bus, car, extended=extended)
        peer.start()
        try:
            yield peer
        finally:
            peer.end()


if __name__ == "__main__":
    group, port, options, ecu_ms = sys.argv[1:5]
    with can_peer(
        group, SimulatedCar(options), interface="udp_multicast", port=int(port), hop_limit=0
    ) as served:
        served.delay_s = float(ecu_ms) / 1000
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()
