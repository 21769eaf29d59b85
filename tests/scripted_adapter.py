"""Adapters that say exactly what a test tells them to: over TCP, and an STN one on a pseudo-terminal."""

import os
import select
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vehicle.links import Link, open_link

Answer = str | Callable[[], str]
QUIET = {"ATI": "ELM327 v2.2", "STI": "?", "ATDPN": "A6", "0100": "7E8064100BE3EB813", "ATRV": "12.4V"}


class Script:
    """A dumb adapter: works on lines one after the other, cannot be interrupted, ends everything with a prompt."""

    def __init__(self, answers: dict[str, Answer], delays: dict[str, float] | None = None) -> None:
        self.answers: dict[str, Answer] = QUIET | answers
        self.delays = delays or {}
        self.log: list[str] = []
        self.prompt = ">"
        self.stop = threading.Event()

    def reply(self, command: str) -> bytes:
        self.log.append(command)
        if pause := self.delays.pop(command, 0.0):
            self.stop.wait(pause)
        known = self.answers.get(command, "OK" if command.startswith("AT") else "NO DATA" if command else "")
        text = known if isinstance(known, str) else known()
        return (text if text.endswith("\0") else f"{text}\r\r{self.prompt}").rstrip("\0").encode("latin-1")

    def requests(self) -> list[str]:
        return [line for line in self.log if line[:2].isdigit() and line != "0100"]

    def serve(self, connection: socket.socket) -> None:
        buffer = b""
        with connection:
            while not self.stop.is_set():
                if not select.select([connection], [], [], 0.05)[0]:
                    continue
                try:
                    chunk = connection.recv(4096)
                    if not chunk:
                        return
                    buffer += chunk
                    while b"\r" in buffer:
                        line, _, buffer = buffer.partition(b"\r")
                        connection.sendall(self.reply(line.decode("latin-1")))
                except OSError:
                    return


@contextmanager
def served(script: Script) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        threads: list[threading.Thread] = []

        def accept() -> None:
            while not script.stop.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                threads.append(threading.Thread(target=script.serve, args=(connection,), daemon=True))
                threads[-1].start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield f"socket://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            script.stop.set()
            acceptor.join(timeout=2.0)
            for thread in threads:
                thread.join(timeout=2.0)


@contextmanager
def linked(script: Script) -> Iterator[Link]:
    with served(script) as address, open_link(address, timeout_s=5.0) as link:
        yield link


class StnPty:
    """An STN adapter on a pseudo-terminal, for what only serial lines do: baud rates."""

    def __init__(self, raises: bool) -> None:
        self.raises = raises
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        self.log: list[str] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        buffer = b""
        while not self.stop.is_set():
            if select.select([self.master], [], [], 0.05)[0]:
                buffer += os.read(self.master, 4096)
                while b"\r" in buffer:
                    line, _, buffer = buffer.partition(b"\r")
                    self._work(line.decode("latin-1"))

    def _work(self, command: str) -> None:
        self.log.append(command)
        known = {
            "ATI": "ELM327 v1.4b",
            "STI": "STN1110 v4.0.1",
            "0100": "7E8064100BE3EB813",
            "": "OK",
            "ATRV": "12.4V",
            "ATDPN": "A6",
        }
        if command.startswith("STBR"):
            os.write(self.master, b"OK\r")
            if self.raises:
                time.sleep(0.01)
                os.write(self.master, b"STN1110 v4.0.1\r")
            return
        os.write(self.master, (known.get(command, "OK") + "\r\r>").encode())

    def close(self) -> None:
        self.stop.set()
        self.thread.join(timeout=2.0)
        os.close(self.slave)
        os.close(self.master)
