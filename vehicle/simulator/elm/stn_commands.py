"""The ST commands of an STN11xx/STN22xx chip: identity, timing, protocol by number, request by parts."""

import re
from collections.abc import Sequence

from vehicle.simulator.ecus.bus import Bus
from vehicle.simulator.elm.settings import Settings

IDENTITY = {
    "STI": "STN1110 v4.2.0",
    "STIX": "STN1110 v4.2.0 [2016.09.15]",
    "STDI": "OBDLink SX r4.2",
    "STMFR": "OBD Solutions LLC",
    "STSN": "110000000001",
    "STDICPO": "1",
}
_PROTOCOLS = {
    "33": "6",
    "34": "7",
    "53": "8",
    "54": "9",
    "21": "3",
    "24": "5",
    "22": "4",
    "12": "2",
    "11": "1",
}
_ACCEPTED = re.compile(
    r"ST(?:PTO|PTOT|PTRQ|BRT|CSEGR|CSEGT|CFCP|CMM|UFC|PBR|SLU|FAP|FBP|FPC|FAC|FBC)[0-9A-FX,]*"
)
_PARTS = re.compile(r"(?P<key>[HDRTLX]):?(?P<value>[0-9A-F]*)")


def run_st(settings: Settings, bus: Bus, command: str) -> Sequence[str]:
    """Run one ST command (upper case, no spaces); return its lines, `?` where it is not known."""
    if command in IDENTITY:
        return (IDENTITY[command],)
    if command == "STVR":
        return (f"{bus.model.state.volts:.2f}",)
    if match := re.fullmatch(r"STP(\d\d)", command):
        return _set_protocol(settings, match[1])
    if command == "STPR":
        numbers = {ours: theirs for theirs, ours in _PROTOCOLS.items()}
        return (numbers.get(settings.protocol, "0"),)
    return ("OK",) if _ACCEPTED.fullmatch(command) else ("?",)


def _set_protocol(settings: Settings, number: str) -> Sequence[str]:
    if number not in _PROTOCOLS:
        return ("?",)
    settings.protocol, settings.automatic, settings.connected = _PROTOCOLS[number], False, False
    return ("OK",)


def read_stpx(command: str) -> tuple[str, str, int] | None:
    """Return header, data (hex digits) and reply count of `STPX H:7E0, D:010C, R:1`; None where it is wrong."""
    parts: dict[str, str] = {}
    for text in command.removeprefix("STPX").split(","):
        match = _PARTS.fullmatch(text)
        if match is None:
            return None
        parts[match["key"]] = match["value"]
    if not parts.get("D") or len(parts["D"]) % 2 or len(parts.get("H", "7DF")) not in (0, 3, 6, 8):
        return None
    return parts.get("H", ""), parts["D"], int(parts.get("R") or "0", 16)
