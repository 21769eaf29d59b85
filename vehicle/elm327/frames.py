"""From one line of a reply to the frame it shows: header off, checksum checked, source named."""

from __future__ import annotations

from typing import NamedTuple

from vehicle.elm327.protocols import Family

_LONGEST_KWP = 4 + 255 + 1


class Frame(NamedTuple):
    """What one ECU put on the bus; for CAN `data` begins with the ISO-TP control byte."""

    ecu: str
    data: bytes
    family: Family


class FrameError(ValueError):
    """A line of hexadecimal digits that is no frame of the protocol in use."""


def parse_frame(text: str, family: Family | None) -> Frame:
    """Read a line such as `7E804410C1AF8` or `486B10410C1AF8C5`; None as family: any whose checks hold.

    Raises FrameError saying what does not fit.
    """
    if family is Family.CAN11 or (family is None and len(text) % 2):
        return _can11(text)
    if family is Family.CAN29 or (family is None and text[:4] in ("18DA", "18DB")):
        return _can29(text)
    return _legacy(text, family)


def _can11(text: str) -> Frame:
    if len(text) % 2 == 0 or not 5 <= len(text) <= 19:
        raise FrameError(f"{len(text)} digits are no 11-bit CAN frame")
    return Frame(text[:3], bytes.fromhex(text[3:]), Family.CAN11)


def _can29(text: str) -> Frame:
    if len(text) % 2 or not 10 <= len(text) <= 24:
        raise FrameError(f"{len(text)} digits are no 29-bit CAN frame")
    if text[0] not in "01" or text[:4] == "0000":
        raise FrameError(f"{text[:8]} is no 29-bit identifier")
    return Frame(text[:8], bytes.fromhex(text[8:]), Family.CAN29)


def _legacy(text: str, family: Family | None) -> Frame:
    if len(text) % 2 or not 10 <= len(text) <= 2 * _LONGEST_KWP:
        raise FrameError(f"{len(text)} digits are no J1850, ISO 9141 or KWP frame")
    whole = bytes.fromhex(text)
    sums = {Family.KLINE: sum(whole[:-1]) & 0xFF, Family.J1850: crc8(whole[:-1])}
    fitting = [kind for kind, value in sums.items() if family in (None, kind) and value == whole[-1]]
    if not fitting:
        raise FrameError(f"checksum {whole[-1]:02X} is wrong")
    start = _kwp_start(whole)
    return Frame(f"{whole[2]:02X}", whole[start:-1], fitting[0])


def _kwp_start(whole: bytes) -> int:
    """Return where the data begin: KWP formats 80 and C0 put a length byte first (ISO 14230-2)."""
    if not whole[0] & 0x80:
        return 3
    start, stated = (3, whole[0] & 0x3F) if whole[0] & 0x3F else (4, whole[3])
    if stated != len(whole) - start - 1:
        raise FrameError(f"the frame says {stated} data bytes, there are {len(whole) - start - 1}")
    return start


def crc8(data: bytes) -> int:
    """Return the SAE J1850 checksum: polynomial 1D, begins with FF, inverted."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D) & 0xFF if crc & 0x80 else crc << 1
    return crc ^ 0xFF
