"""The byte line to an adapter: `socket://host:port` on a plain socket, everything else on pyserial."""

from __future__ import annotations

import contextlib
import os
import select
import socket
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vehicle.errors import BadAddressError, CannotConnectError

if TYPE_CHECKING:
    import serial

WRITE_TIMEOUT_S = 1.0
CONNECT_TIMEOUT_S = 3.0
_CHUNK = 4096


class WireLostError(CannotConnectError):
    """The line to the adapter is gone."""


class Wire(ABC):
    """An open byte line; used by one thread only."""

    url: str
    # Bits per second; None where the line has no such thing.
    baud: int | None = None

    @abstractmethod
    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting at most `timeout_s` for the first byte; empty where nothing came."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send bytes; raises WireLostError where the line is gone or takes nothing for a second."""

    @abstractmethod
    def close(self) -> None:
        """Close the line; it may be gone already."""

    def change_baud(self, baud: int) -> None:
        """Change the rate of our side."""
        raise WireLostError(f"{self.url} has no baud rate to set to {baud}.")

    def lost(self, error: object) -> WireLostError:
        """Make the error that says that this line is gone."""
        return WireLostError(f"{self.url} was lost: {error}.", "Check plug and power.")


class SocketWire(Wire):
    """A TCP connection, such as a Wi-Fi adapter's.

    pyserial's socket:// would do, but it sleeps 0.3 s at every close and leaks the socket of a lost connection.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._socket = socket.create_connection(socket_address(url), timeout=CONNECT_TIMEOUT_S)
        except OSError as error:
            raise CannotConnectError(
                f"{url} cannot be reached: {error}.", "Check network, host and port."
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(WRITE_TIMEOUT_S)
        self._waiting = _Waiting(self._socket.fileno())

    def read(self, timeout_s: float) -> bytes:
        """Return what has come."""
        try:
            if not self._waiting.for_data(timeout_s):
                return b""
            data = self._socket.recv(_CHUNK)
        except OSError as error:
            raise self.lost(error) from error
        if not data:
            raise self.lost("the other side closed it")
        return data

    def write(self, data: bytes) -> None:
        """Send bytes."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self.lost(error) from error

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


class SerialWire(Wire):
    """A serial port, a pseudo-terminal, or whatever URL pyserial opens."""

    def __init__(self, url: str, baud: int) -> None:
        self.url = url
        self.baud = baud
        self._port = _open(url, baud)
        self._descriptor = _descriptor(self._port)
        self._waiting = _Waiting(self._descriptor) if self._descriptor is not None else None

    def change_baud(self, baud: int) -> None:
        """Change the rate of the port."""
        try:
            self._port.baudrate = baud
        except (OSError, ValueError) as error:
            raise WireLostError(f"{self.url} does not take {baud} baud: {error}.") from error
        self.baud = baud

    def read(self, timeout_s: float) -> bytes:
        """Return what has come."""
        try:
            if self._waiting is None or self._descriptor is None:
                return self._read_slowly(timeout_s)
            if not self._waiting.for_data(timeout_s):
                return b""
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return b""
        except (OSError, TypeError) as error:  # pyserial raises TypeError on a port that was closed meanwhile
            raise self.lost(error) from error
        if not data:
            raise self.lost("the device is gone")
        return data

    def _read_slowly(self, timeout_s: float) -> bytes:
        """Read where there is no file descriptor (Windows)."""
        self._port.timeout = max(0.0, timeout_s)
        first: bytes = self._port.read(1)
        if not first:
            return b""
        self._port.timeout = 0
        return first + bytes(self._port.read(_CHUNK))

    def write(self, data: bytes) -> None:
        """Send bytes."""
        try:
            self._port.write(data)
        except (OSError, TypeError) as error:  # SerialException is an OSError
            raise self.lost(error) from error

    def close(self) -> None:
        """Close the port."""
        with contextlib.suppress(OSError):
            self._port.close()


class _Waiting:
    """Waiting for a descriptor to have data; poll where there is one, as select stops at descriptor 1023."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            self._poll.register(descriptor, select.POLLIN)

    def for_data(self, timeout_s: float) -> bool:
        timeout_s = max(0.0, timeout_s)
        if self._poll is not None:
            return bool(self._poll.poll(timeout_s * 1000))
        return bool(select.select([self._descriptor], [], [], timeout_s)[0])


def socket_address(url: str) -> tuple[str, int]:
    """Return host and port of a socket:// URL; raises BadAddressError."""
    parts = urlsplit(url)
    try:
        address = (parts.hostname or "", parts.port or 0)
    except ValueError as error:
        raise BadAddressError(f"{url}: {error}.", "Give socket://HOST:PORT.") from error
    if not all(address):
        raise BadAddressError(f"{url} lacks host or port.", "Give socket://HOST:PORT.")
    return address


def open_wire(url: str, baud: int) -> Wire:
    """Open the line a URL or device path names; raises CannotConnectError and BadAddressError."""
    return SocketWire(url) if url.startswith("socket://") else SerialWire(url, baud)


def _open(url: str, baud: int) -> serial.Serial:
    import serial

    try:
        return serial.serial_for_url(url, baudrate=baud, timeout=0, write_timeout=WRITE_TIMEOUT_S)
    except (OSError, ValueError) as error:
        raise CannotConnectError(
            f"{url} cannot be opened: {error}.", "Check the address, the plug, and who else has it open."
        ) from error


def _descriptor(port: serial.Serial) -> int | None:
    if os.name == "nt":
        return None
    try:
        return port.fileno()
    except (AttributeError, OSError):
        return None
