"""The vehicle protocols an ELM327 knows, and how each addresses ECUs."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Family(StrEnum):
    """How frames of a protocol look."""

    CAN11 = "can11"
    CAN29 = "can29"
    KLINE = "kline"
    J1850 = "j1850"

    @property
    def is_can(self) -> bool:
        """Whether ISO 15765 rules hold: ISO-TP frames, count bytes, several PIDs per request."""
        return self in (Family.CAN11, Family.CAN29)


class Protocol(NamedTuple):
    """One protocol; `minimum_gap_s` is how far apart requests must stay."""

    number: str
    name: str
    family: Family
    minimum_gap_s: float = 0.0


# Before 2002, J1850 cars must not be asked more often than every 100 ms (ELM327 data sheet).
PROTOCOLS = {
    protocol.number: protocol
    for protocol in (
        Protocol("1", "SAE J1850 PWM (41.6 kbit/s)", Family.J1850, 0.1),
        Protocol("2", "SAE J1850 VPW (10.4 kbit/s)", Family.J1850, 0.1),
        Protocol("3", "ISO 9141-2", Family.KLINE, 0.055),
        Protocol("4", "ISO 14230-4 KWP (5 baud init)", Family.KLINE, 0.055),
        Protocol("5", "ISO 14230-4 KWP (fast init)", Family.KLINE, 0.055),
        Protocol("6", "ISO 15765-4 CAN (11 bit, 500 kbit/s)", Family.CAN11),
        Protocol("7", "ISO 15765-4 CAN (29 bit, 500 kbit/s)", Family.CAN29),
        Protocol("8", "ISO 15765-4 CAN (11 bit, 250 kbit/s)", Family.CAN11),
        Protocol("9", "ISO 15765-4 CAN (29 bit, 250 kbit/s)", Family.CAN29),
        Protocol("B", "user CAN 1 (11 bit)", Family.CAN11),
        Protocol("C", "user CAN 2 (11 bit)", Family.CAN11),
    )
}


# What the look of a frame tells before the adapter has been asked for the number.
SEEN = {
    Family.CAN11: Protocol("", "ISO 15765-4 CAN (11 bit)", Family.CAN11),
    Family.CAN29: Protocol("", "ISO 15765-4 CAN (29 bit)", Family.CAN29),
    Family.KLINE: Protocol("", "ISO 9141-2 or ISO 14230-4", Family.KLINE, 0.055),
    Family.J1850: Protocol("", "SAE J1850", Family.J1850, 0.1),
}


class Target(NamedTuple):
    """Whom to ask: identifiers to send on and to listen for, in hexadecimal."""

    transmit: str
    receive: str

    @property
    def usual(self) -> bool:
        """Whether the adapter's own flow control fits (7E0-7E7, or physical 29-bit addresses)."""
        return self.transmit[:2] == "7E" or self.transmit[:4] == "18DA"


def target_of(ecu: str) -> Target | None:
    """Return how to ask the one ECU that answers as `ecu` (7E8, 18DAF110); `TX:RX` says both; None: everybody.

    11-bit answers come 8 above the request (ISO 15765-4); 29-bit ones swap source and target.
    """
    if not ecu:
        return None
    if ":" in ecu:
        transmit, _, receive = ecu.partition(":")
        return Target(transmit.upper(), receive.upper())
    if len(ecu) == 3:
        return Target(f"{int(ecu, 16) - 8:03X}", ecu.upper())
    if len(ecu) == 8:
        return Target(f"{ecu[:4]}{ecu[6:]}{ecu[4:6]}".upper(), ecu.upper())
    return None


def ecu_of_header(header: str) -> str:
    """Return which ECU answers a request sent with this header: 7E0 is answered by 7E8."""
    if ":" in header or not header:
        return header
    if len(header) == 3:
        return f"{int(header, 16) + 8:03X}"
    full = header if len(header) == 8 else f"18{header}"
    return f"{full[:4]}{full[6:]}{full[4:6]}"
