"""The driver for Bluetooth LE adapters: ELM327 bytes over GATT, through bleak."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

from vehicle.errors import BadAddressError
from vehicle.links import elm327_setup as setup
from vehicle.links.ble_wire import BleWire
from vehicle.links.elm327 import Elm327
from vehicle.links.link import LinkInfo
from vehicle.links.prompt_line import PromptLine
from vehicle.links.unsupported import UnsupportedLinkError

_D_BUS = ("/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket")


class BluetoothElm327(Elm327):
    """An ELM327 conversation whose bytes go over Bluetooth LE."""

    def __init__(self, address: str, name: str) -> None:
        super().__init__(address, address)
        self._name = name

    def connect(self) -> None:
        """Find the device, open its line, identify the adapter and prepare it."""
        began = time.monotonic()
        wire = self._wire = BleWire(self.info.address, self._name)
        line = self._line = PromptLine(wire, lambda: self.give_up())
        adapter = setup.identify(line)
        self._apply_settings()
        stn = setup.stn_identity(line)
        self.info = LinkInfo(
            self.info.address, adapter, stn, ecus=self.info.ecus, connect_s=time.monotonic() - began
        )


def bluetooth(address: str) -> BluetoothElm327:
    """Make the driver for `ble:NAME`; raises BadAddressError, and UnsupportedLinkError without a Bluetooth stack."""
    import bleak  # noqa: F401  # a missing extra shall be told at once

    name = address.partition(":")[2].strip()
    if not name or not re.fullmatch(r"[^\x00-\x1f]{1,248}", name):
        raise BadAddressError(f"{address!r} names no device.", "Give ble:NAME or ble:AA:BB:CC:DD:EE:FF.")
    if sys.platform == "linux" and not _has_d_bus():
        raise UnsupportedLinkError(
            "Bluetooth LE does not work on this machine: there is no D-Bus system bus.",
            "On Linux it needs BlueZ and D-Bus; in a container, share /run/dbus with it.",
        )
    return BluetoothElm327(address, name)


def _has_d_bus() -> bool:
    return bool(os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")) or any(Path(path).exists() for path in _D_BUS)
