"""The TCP line to a DoIP gateway: messages of doipclient, on a socket whose deadlines are ours.

doipclient's own client connects without a time limit and reads for two seconds whatever it is told.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from typing import Any

from vehicle.errors import CannotConnectError
from vehicle.links.wire import CONNECT_TIMEOUT_S, WRITE_TIMEOUT_S, WireLostError

PORT = 13400
# A_DOIP_CTRL of ISO 13400-2: how long an answer to what is no diagnostic message may take.
CONTROL_S = 2.0
_LONGEST = 1 << 20
_CHUNK = 65_536
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)


def formats() -> Any:
    """Return doipclient's messages, which carry no types."""
    from doipclient import messages

    return messages


def _parser() -> Any:
    from doipclient import client

    make: Any = client.Parser
    return make()


def _next_message(parser: Any, data: bytes) -> Any:
    """Feed the parser and return its next message; one too short for its kind is an unknown one."""
    try:
        return parser.read_message(data)
    except struct.error:
        return formats().ReservedMessage(parser.payload_type, bytes(parser.payload))


class DoipLine:
    """One TCP connection to a gateway, used by one thread."""

    def __init__(self, host: str, port: int, source: int, version: int) -> None:
        self.name = f"{host}:{port}"
        self._source = source
        self._version = version
        self._parser = _parser()
        try:
            self._socket = socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S)
        except OSError as error:
            raise CannotConnectError(
                f"No DoIP gateway at {self.name}: {error}.",
                "Check the cable, that the ignition is on, and that the gateway's activation line is wired.",
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(WRITE_TIMEOUT_S)

    def activate(self, activation: int) -> None:
        """Ask the gateway to route our messages; raises CannotConnectError with its reason."""
        self.send(formats().RoutingActivationRequest(self._source, activation))
        until_s = time.monotonic() + CONTROL_S
        while (message := self.receive(until_s)) is not None:
            if isinstance(message, formats().RoutingActivationResponse):
                return self._judge(message)
        raise CannotConnectError(f"{self.name} does not answer the routing activation.", "Try again.")

    def _judge(self, response: Any) -> None:
        try:
            code = response.response_code
        except ValueError:
            raise CannotConnectError(f"{self.name} refused routing, by a code of its maker's own.") from None
        if code == code.Success:
            return
        raise CannotConnectError(
            f"{self.name} refused routing: {code.name} ({code.value:02X}).",
            "Another tester may be connected; ?source= and ?activation= change what is asked for.",
        )

    def send(self, message: Any) -> None:
        """Send a message; raises WireLostError."""
        payload = message.pack()
        header = bytes([self._version, 0xFF ^ self._version])
        header += formats().payload_message_to_type[type(message)].to_bytes(2, "big") + len(payload).to_bytes(
            4, "big"
        )
        try:
            self._socket.sendall(header + payload)
        except OSError as error:
            raise self._lost(error) from error

    def receive(self, until_s: float) -> Any:
        """Return the next message, None where none is whole by `until_s`; alive checks are answered here."""
        data = b""
        while True:
            message = _next_message(self._parser, data)
            if isinstance(message, formats().AliveCheckRequest):
                self.send(formats().AliveCheckResponse(self._source))
                data = b""
                continue
            if message is not None:
                return message
            if (self._parser.payload_size or 0) > _LONGEST:
                raise self._lost(f"it announced a message of {self._parser.payload_size} bytes")
            found = self._read(until_s)
            if found is None:
                return None
            data = found

    def _read(self, until_s: float) -> bytes | None:
        try:
            if not select.select([self._socket], [], [], max(0.0, until_s - time.monotonic()))[0]:
                return None
            data = self._socket.recv(_CHUNK)
            # Gateways send acknowledgement and answer apart; a TCP that waits for ours in between costs 40 ms.
            if _QUICK_ACK is not None:
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        except (OSError, ValueError) as error:
            raise self._lost(error) from error
        if not data:
            raise self._lost("the gateway closed it")
        return data

    def _lost(self, reason: object) -> WireLostError:
        return WireLostError(
            f"The connection to {self.name} was lost: {reason}.", "Check cable and ignition."
        )

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._socket.close()


def find_target(host: str, port: int, version: int) -> int:
    """Ask a gateway over UDP for its logical address; raises CannotConnectError."""
    request = bytes([version, 0xFF ^ version, 0x00, 0x01, 0, 0, 0, 0])
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as line:
            line.connect(address)  # only the gateway's own datagrams are taken
            line.settimeout(CONTROL_S)
            line.send(request)
            answer = _next_message(_parser(), line.recv(_CHUNK))
    except OSError as error:
        raise CannotConnectError(
            f"{host}:{port} does not say who it is: {error}.",
            "Name the logical address of an ECU: doip:HOST/1010.",
        ) from error
    if not isinstance(answer, formats().VehicleIdentificationResponse):
        raise CannotConnectError(f"{host}:{port} answered with what is no identification.")
    return int(answer.logical_address)
