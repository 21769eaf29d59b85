"""One host at one adapter: reads what is typed, runs it, keeps time, and notices typing into a command."""

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from threading import Event as Flag

from vehicle.simulator.adapter import Adapter
from vehicle.simulator.events import Drop, Event, Send, Sleep, Wait, WaitForByte
from vehicle.simulator.ports import Port

_LOOK_S = 0.05


class Session:
    """Serves one port until the host goes, the line drops, or `stop` is set."""

    def __init__(self, port: Port, adapter: Adapter, stop: Flag, baud: int) -> None:
        self._port = port
        self._adapter = adapter
        self._stop = stop
        self._byte_s = 10.0 / baud if baud else 0.0
        self._waiting = bytearray()

    def serve(self) -> None:
        """Work until the line ends, then close it."""
        typed = bytearray()
        with closing(self._port), suppress(OSError):  # a host that has gone is nobody to tell
            while not self._stop.is_set():
                if self._waiting or self._receive(_LOOK_S):
                    self._take(typed)

    def _take(self, typed: bytearray) -> None:
        """Echo what is there up to the first CR, and run the line when it is complete."""
        line, end, rest = bytes(self._waiting).partition(b"\r")
        self._waiting[:] = rest
        typed += line
        self._write(self._adapter.echo(line + end))
        if end:
            command = typed.decode("ascii", "replace")
            typed.clear()
            time.sleep((len(command) + 1) * self._byte_s)
            self._run(self._adapter.run(command))

    def _run(self, events: Iterator[Event]) -> None:
        for event in events:
            if self._stop.is_set():
                return
            match event:
                case Send(data):
                    self._write(data)
                case Wait(seconds):
                    if self._interrupted(seconds):
                        self._write(self._adapter.stopped())
                        return
                case Sleep(seconds):
                    self._stop.wait(seconds)
                case WaitForByte(seconds, answer, otherwise):
                    self._write(answer if self._interrupted(seconds) else otherwise)
                case Drop():
                    raise ConnectionAbortedError("the simulated line drops")

    def _interrupted(self, seconds: float) -> bool:
        """Wait; if the host types meanwhile, swallow that one byte and say so."""
        end = time.monotonic() + seconds
        while not self._waiting:
            left = end - time.monotonic()
            if not self._receive(min(max(left, 0.0), _LOOK_S)) and left <= _LOOK_S:
                return False
            if self._stop.is_set():
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
        if self._byte_s:
            time.sleep(len(data) * self._byte_s)
        self._port.write(data)
