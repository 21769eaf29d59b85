"""The simulated car behind a DoIP gateway on the loopback, for tests; its bytes are made here, by ISO 13400-2."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from vehicle.simulator import SimulatedCar

GATEWAY = 0x1000
TESTER = 0x0E00


def pack(kind: int, payload: bytes, version: int = 2) -> bytes:
    return struct.pack("!BBHL", version, 0xFF ^ version, kind, len(payload)) + payload


class DoipPeer:
    """A gateway with an ECU at 10xx for every one of the car's; the flags make it misbehave."""

    def __init__(self, car: SimulatedCar) -> None:
        self.car = car
        self.activation_code = 0x10
        self.silent = False
        self.pending_s = 0.0
        self.delay_s = 0.0
        self.chunk = 0
        self.answer_before_ack = False
        self.alive_check = False
        self.alive_answers: list[int] = []
        self.before: list[bytes] = []
        self.activations: list[tuple[int, int]] = []
        self.connections: list[socket.socket] = []
        self._ended = threading.Event()
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._accept, self._identify)
        ]
        for thread in self._threads:
            thread.start()

    def drop(self) -> None:
        """Hang up on everybody."""
        for line in self.connections:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        self._ended.set()
        self.drop()
        for listener in (self._tcp, self._udp):
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in self._threads:
            thread.join()

    def _identify(self) -> None:
        vin = self.car.options.vin.encode()
        while not self._ended.is_set():
            try:
                data, sender = self._udp.recvfrom(4096)
            except OSError:
                return
            if data[2:4] == b"\x00\x01" and not self.silent:
                answer = vin + struct.pack("!H", GATEWAY) + bytes(12) + b"\0\0"
                self._udp.sendto(pack(0x0004, answer), sender)

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                line, _ = self._tcp.accept()
            except OSError:
                return
            self.connections.append(line)
            thread = threading.Thread(target=self._serve, args=(line,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            while head := self._read(line, 8):
                _, _, kind, length = struct.unpack("!BBHL", head)
                self._hear(line, kind, self._read(line, length))

    @staticmethod
    def _read(line: socket.socket, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = line.recv(length - len(data))
            if not more:
                return b""
            data += more
        return data

    def _send(self, line: socket.socket, data: bytes) -> None:
        size = self.chunk or max(1, len(data))
        for start in range(0, len(data), size):
            line.sendall(data[start : start + size])
            if self.chunk:
                time.sleep(0.001)

    def _hear(self, line: socket.socket, kind: int, payload: bytes) -> None:
        if kind == 0x0005:
            source, activation = struct.unpack("!HB", payload[:3])
            self.activations.append((source, activation))
            answer = struct.pack("!HHBL", source, GATEWAY, self.activation_code, 0)
            self._send(line, pack(0x0006, answer))
        elif kind == 0x0008:
            self.alive_answers.append(int.from_bytes(payload, "big"))
        elif kind == 0x8001:
            self._diagnose(line, *struct.unpack("!HH", payload[:4]), payload[4:])

    def _diagnose(self, line: socket.socket, source: int, target: int, payload: bytes) -> None:
        addresses = {0x1000 | ecu.address for ecu in self.car.bus.ecus} | {GATEWAY}
        back = struct.pack("!HH", target, source)
        if target not in addresses:
            self._send(line, pack(0x8003, back + b"\x03" + payload[:4]))
            return
        ack = pack(0x8002, back + b"\x00")
        if self.alive_check:
            self._send(line, pack(0x0007, b""))
        if self.silent:
            self._send(line, b"".join(self.before) + ack)
            return
        answers = self._answers(payload, source, target)
        time.sleep(self.delay_s)
        first, second = (answers, ack) if self.answer_before_ack else (ack, b"")
        self._send(line, b"".join(self.before) + first)
        if self.pending_s and answers:
            self._send(line, pack(0x8001, back + bytes([0x7F, payload[0], 0x78])))
            time.sleep(self.pending_s)
        self._send(line, second or answers)

    def _answers(self, payload: bytes, source: int, target: int) -> bytes:
        self.car.catch_up()
        address = 0x10 if target == GATEWAY else target & 0xFF
        return b"".join(
            pack(0x8001, struct.pack("!HH", target, source) + reply.payload)
            for reply in self.car.bus.ask(payload, address)
        )


@contextmanager
def doip_peer(car: SimulatedCar) -> Iterator[DoipPeer]:
    """Serve a car over DoIP while the context lasts."""
    peer = DoipPeer(car)
    try:
        yield peer
    finally:
        peer.end()
