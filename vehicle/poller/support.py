"""Which parameters each ECU says it has: the bitmaps of service 01."""

from __future__ import annotations

from collections.abc import Mapping

from vehicle.errors import NoAnswerError
from vehicle.links.link import Link, Priority

RANGE = 0x20
BITMAPS = frozenset(range(0x00, 0x100, RANGE))


def pids_of(start: int, bitmap: bytes) -> frozenset[int]:
    """Return the parameters a bitmap of four bytes marks, the first bit standing for `start` + 1."""
    bits = int.from_bytes(bitmap, "big")
    return frozenset(start + 1 + place for place in range(RANGE) if bits >> (RANGE - 1 - place) & 1)


def read_support(link: Link, *, priority: int = Priority.CAPTURE) -> Mapping[str, frozenset[int]]:
    """Ask all ECUs which parameters of service 01 they have; by ECU, without the bitmaps themselves.

    Raises the error of the first request where nothing answers it.
    """
    found: dict[str, set[int]] = {}
    for start in sorted(BITMAPS):
        if start and not any(start in pids for pids in found.values()):
            break
        reply = link.request(bytes([0x01, start]), priority=priority)
        for ecu, data in reply.checked() if not start else reply.answers:
            if len(data) == 6:
                found.setdefault(ecu, set()).update(pids_of(start, data[2:]))
    if not found:
        raise NoAnswerError(
            "No ECU gave a usable list of its parameters.", "Switch the ignition on and try again."
        )
    return {ecu: frozenset(pids - BITMAPS) for ecu, pids in found.items()}
