"""One host at one adapter: reads what is typed, runs it, keeps time, and notices typing into a command."""

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from threading import Event as Flag

from vehicle.simulator.elm.adapter import Adapter
from vehicle.simulator.elm.events import Baud, Drop, Event, Send, Wait, WaitForByte
from vehicle.simulator.serving.ports import Port

_LOOK_S = 0.05


class Session:
    """Serves one port until the host goes, the line drops, or `end` is called."""

    def __init__(self, port: Port, adapter: Adapter, baud: int) -> None:
        self._port = port
        self._adapter = adapter
        self._ended = Flag()
        self._byte_s = 10.0 / baud if baud else 0.0
        self._waiting = bytearray()

    def end(self) -> None:
        """Close the line soon, whatever it is doing."""
        self._ended.set()

    def serve(self) -> None:
        """Work until the line ends, then close it."""
        typed = bytearray()
        with closing(self._port), suppress(OSError):  # a host that has gone is nobody to tell
            while not self._over():
                if self._waiting or self._receive(_LOOK_S):
                    self._take(typed)

    def _over(self) -> bool:
        return self._ended.is_set() or self._adapter.misbehaviour.active("down")

    def _take(self, typed: bytearray) -> None:
        """Echo what is there up to the first CR, and run the line when it is complete."""
        line, end, rest = bytes(self._waiting).partition(b"\r")
        self._waiting[:] = rest
        typed += line
        self._write(self._adapter.echo(line + end))
        if end:
            command = typed.decode("latin-1")
            typed.clear()
            self._pause((len(command) + 1) * self._byte_s)
            self._run(self._adapter.run(command))

    def _run(self, events: Iterator[Event]) -> None:
        for event in events:
            if self._over():
                return
            match event:
                case Send(data):
                    self._write(data)
                case Wait(seconds):
                    if self._interrupted(seconds):
                        self._write(self._adapter.stopped())
                        return
                case WaitForByte(seconds, answer, otherwise, baud):
                    typed = self._interrupted(seconds)
                    self._write(answer if typed else otherwise)
                    self._set_baud(0 if typed else baud)
                case Baud(rate):
                    self._set_baud(rate)
                case Drop():
                    raise ConnectionAbortedError("the simulated line drops")

    def _set_baud(self, rate: int) -> None:
        if self._byte_s and rate:
            self._byte_s = 10.0 / rate

    def _interrupted(self, seconds: float) -> bool:
        """Wait; if the host types meanwhile, swallow that one byte and say so."""
        end = time.monotonic() + seconds
        while not self._waiting:
            left = end - time.monotonic()
            if not self._receive(min(max(left, 0.0), _LOOK_S)) and left <= _LOOK_S:
                return False
            if self._over():
                return False
        del self._waiting[0]
        return True

    def _receive(self, seconds: float) -> bool:
        if not self._port.wait(seconds):
            return False
        data = self._port.read()
        if not data:
            raise ConnectionResetError("the host closed the line")
        self._waiting += data
        return True

    def _write(self, data: bytes) -> None:
        if not data:
            return
        self._pause(len(data) * self._byte_s)
        self._port.write(data)

    @staticmethod
    def _pause(seconds: float) -> None:
        if seconds > 0.0:
            time.sleep(seconds)
