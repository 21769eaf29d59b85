"""The host's end of the adapter's line: a socket or a pseudo-terminal that can be read, written, awaited."""

import os
import select
import socket
from contextlib import suppress
from typing import Protocol

from vehicle.errors import CannotConnectError


class Port(Protocol):
    """A byte line to one host."""

    def wait(self, seconds: float) -> bool:
        """Wait until a byte can be read; False after `seconds` without one."""
        ...

    def read(self) -> bytes:
        """Return the bytes that are there; empty where the host has gone."""
        ...

    def write(self, data: bytes) -> None:
        """Send bytes to the host; raise OSError where it has gone."""
        ...

    def close(self) -> None:
        """Close the line."""
        ...


class SocketPort:
    """A connected socket as a port."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def wait(self, seconds: float) -> bool:
        """Wait for a byte."""
        return bool(select.select([self._socket], [], [], max(0.0, seconds))[0])

    def read(self) -> bytes:
        """Return the bytes that are there."""
        return self._socket.recv(4096)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(data)

    def close(self) -> None:
        """Close the connection, so that the host sees the end at once."""
        with suppress(OSError):  # the host may have been first
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class PtyPort:
    """The master side of a pseudo-terminal; `path` is the device a host opens."""

    def __init__(self) -> None:
        try:
            import termios
            import tty
        except ImportError as error:  # Windows has none
            raise CannotConnectError("This system has no pseudo-terminals.", "Serve over TCP.") from error
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave, termios.TCSANOW)
        self.path = os.ttyname(self._slave)

    def wait(self, seconds: float) -> bool:
        """Wait for a byte."""
        return bool(select.select([self._master], [], [], max(0.0, seconds))[0])

    def read(self) -> bytes:
        """Return the bytes that are there."""
        return os.read(self._master, 4096)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        os.write(self._master, data)

    def close(self) -> None:
        """Close both sides; the device vanishes."""
        os.close(self._slave)
        os.close(self._master)
