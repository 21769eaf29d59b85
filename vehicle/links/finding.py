"""Adapters that can be seen from here: serial ports, with what the system says they are."""

from __future__ import annotations

import re
from typing import NamedTuple

# Makers of OBD adapters, and of the USB and Bluetooth chips inside most of them.
_LIKELY = re.compile(
    r"obd|elm|stn|vlink|vgate|scan|ch340|cp210|ft232|ftdi|pl2303|rfcomm|usb.?serial", re.IGNORECASE
)


class FoundPort(NamedTuple):
    """A serial port; `likely` where its description sounds like an adapter or a chip used in them."""

    address: str
    description: str
    likely: bool


def find_ports() -> list[FoundPort]:
    """Return the serial ports of this machine, likely adapters first; nothing is opened or sent."""
    from serial.tools.list_ports import comports

    found = []
    for port in comports():
        known = [
            str(part)
            for part in (port.description, port.manufacturer, port.product)
            if part and part != "n/a"
        ]
        description = ", ".join(dict.fromkeys(known))
        found.append(
            FoundPort(port.device, description, bool(_LIKELY.search(f"{port.device} {description}")))
        )
    return sorted(found, key=lambda one: (not one.likely, one.address))
