"""From what follows `can:` in an adapter's address to an open python-can bus."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from vehicle.errors import BadAddressError, CannotConnectError
from vehicle.links.unsupported import UnsupportedLinkError

if TYPE_CHECKING:
    import can

FORMS = (
    "can:socketcan:can0, can:virtual:NAME, can:udp_multicast:239.0.0.1:43113, or can:INTERFACE:CHANNEL of python-can; "
    "after ? may follow bits=11 or 29, bitrate=500000, padding=00 to FF or off, hops=1 (udp_multicast)"
)
# Interfaces whose bit rate is set elsewhere, or which have none.
_WITHOUT_BITRATE = ("socketcan", "virtual", "udp_multicast", "socketcand")
_USUAL_BITRATE = 500_000
_OPTIONS = {"bits", "bitrate", "padding", "hops"}
_GROUP = re.compile(r"\[(?P<six>[0-9A-Fa-f:]+)\](?::(?P<port6>\d+))?|(?P<four>[\d.]+)(?::(?P<port4>\d+))?")


@dataclass(frozen=True, slots=True)
class CanAddress:
    """An address taken apart; `bits` is 0 where both lengths of identifiers shall be tried."""

    text: str
    interface: str
    channel: str
    bits: int = 0
    bitrate: int = 0
    padding: int | None = 0
    settings: dict[str, Any] = field(default_factory=dict)


def read_can_address(address: str) -> CanAddress:
    """Take `can:INTERFACE:CHANNEL?key=value` apart; raises BadAddressError naming what is allowed."""
    body, _, query = address.partition("?")
    interface, _, channel = body.partition(":")[2].partition(":")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if not interface or not channel or set(options) - _OPTIONS:
        raise _bad(address)
    settings: dict[str, int] = {}
    if interface == "udp_multicast":
        channel, settings = _group(address, channel, options)
    elif "hops" in options:
        raise _bad(address)
    bitrate = _number(address, options.get("bitrate", "0"), 10, 8_000_000)
    if interface not in _WITHOUT_BITRATE:
        bitrate = bitrate or _USUAL_BITRATE
        settings["bitrate"] = bitrate
    bits = _number(address, options.get("bits", "0"), 10, 29)
    if bits not in (0, 11, 29):
        raise _bad(address)
    padding = options.get("padding", "00")
    return CanAddress(
        address,
        interface,
        channel,
        bits,
        bitrate,
        None if padding == "off" else _number(address, padding, 16, 0xFF),
        settings,
    )


def _group(address: str, channel: str, options: dict[str, str]) -> tuple[str, dict[str, int]]:
    found = _GROUP.fullmatch(channel)
    if found is None:
        raise _bad(address)
    settings = {"hop_limit": _number(address, options.get("hops", "1"), 10, 255)}
    port = found["port6"] or found["port4"]
    if port:
        settings["port"] = _number(address, port, 10, 65_535)
    return found["six"] or found["four"], settings


def _number(address: str, text: str, base: int, largest: int) -> int:
    try:
        value = int(text, base)
    except ValueError:
        raise _bad(address) from None
    if not 0 <= value <= largest:
        raise _bad(address)
    return value


def _bad(address: str) -> BadAddressError:
    return BadAddressError(f"{address!r} is no CAN address.", f"Forms: {FORMS}.")


def check_possible(address: CanAddress) -> None:
    """Raise BadAddressError for an interface python-can lacks, UnsupportedLinkError where it cannot work here."""
    import can

    if address.interface not in can.VALID_INTERFACES:
        known = ", ".join(sorted(can.VALID_INTERFACES))
        raise BadAddressError(f"python-can has no interface {address.interface!r}.", f"It has: {known}.")
    if address.interface == "socketcan":
        _check_socketcan()


def _check_socketcan() -> None:
    try:
        socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW).close()
    except (AttributeError, OSError) as error:
        raise UnsupportedLinkError(
            f"SocketCAN does not work on this machine: {error}.",
            "It needs Linux with the can and can_raw modules; other interfaces of python-can work elsewhere.",
        ) from error


def open_bus(address: CanAddress, filters: list[dict[str, int | bool]]) -> can.BusABC:
    """Open the bus, letting only what `filters` name through; raises CannotConnectError."""
    import can

    try:
        return can.Bus(
            channel=address.channel,
            interface=address.interface,
            can_filters=filters,
            ignore_config=True,
            **address.settings,
        )
    except (can.CanError, OSError, ImportError, ValueError, RuntimeError) as error:
        raise CannotConnectError(
            f"The CAN interface {address.channel} cannot be opened: {str(error).rstrip('.')}.",
            "Check that the interface is there, up and not in use.",
        ) from error
