"""From an adapter's address to an open link: a table of schemes whose drivers load only when used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from vehicle.errors import BadAddressError, CannotConnectError

if TYPE_CHECKING:
    from vehicle.links.conversation import Conversation
    from vehicle.links.link import Link, StateListener

OPEN_TIMEOUT_S = 15.0

# scheme -> (module, function that makes a conversation of an address, what the address looks like)
SCHEMES: Mapping[str, tuple[str, str, str]] = {
    "serial": ("vehicle.links.elm327", "elm327_at", "/dev/ttyUSB0 or COM3, with ?baud=38400&protocol=6"),
    "socket": ("vehicle.links.elm327", "elm327_at", "socket://192.168.0.10:35000"),
    "sim": ("vehicle.links.simulated", "simulated_car", "sim:petrol?fault=misfire"),
    "can": ("vehicle.links.can_bus", "can_bus", "can:socketcan:can0 or can:virtual:NAME"),
    "ble": ("vehicle.links.bluetooth", "bluetooth", "ble:NAME or ble:AA:BB:CC:DD:EE:FF"),
    "doip": ("vehicle.links.doip", "doip", "doip:192.168.0.10 or doip:HOST:PORT/TARGET"),
    "obd": ("vehicle.links.python_obd", "python_obd", "obd:/dev/ttyUSB0 (through python-OBD)"),
    "replay": ("vehicle.links.replay", "replay_at", "replay:SESSION (plays a recorded session back)"),
    "j2534": ("vehicle.links.j2534", "j2534", "j2534: or j2534:C:/path/to/driver.dll (Windows)"),
}
_SERIAL = re.compile(r"/dev/\S+|COM\d+(\?\S*)?|\\\\\.\\\S+|rfc2217://\S+", re.IGNORECASE)


def scheme_of(address: str) -> str:
    """Return the scheme of an address; raises BadAddressError naming the forms that are understood."""
    text = address.strip()
    if _SERIAL.fullmatch(text):
        return "serial"
    name = text.partition(":")[0].lower()
    if ":" in text and name in SCHEMES and name != "serial":
        return name
    forms = "; ".join(form for _, _, form in SCHEMES.values())
    raise BadAddressError(f"{address!r} is no adapter address.", f"Forms: {forms}.")


def conversation_at(address: str) -> Conversation:
    """Make the driver for an address, loading it now; raises BadAddressError and CannotConnectError."""
    module, function, _ = SCHEMES[scheme_of(address)]
    try:
        make: Callable[[str], Conversation] = getattr(import_module(module), function)
        return make(address.strip())  # the driver looks for its optional package here
    except ModuleNotFoundError as error:
        raise CannotConnectError(
            f"{address} needs the package {error.name}, which is not installed.",
            "Install the extra that brings it: obd-agent[can], obd-agent[ble] or obd-agent[obd].",
        ) from error


def open_link(
    address: str,
    *,
    timeout_s: float = OPEN_TIMEOUT_S,
    wait: bool = True,
    conversation: Conversation | None = None,
    on_state: StateListener | None = None,
) -> Link:
    """Open the adapter at `address` and return a link to it.

    With `wait`, returns when adapter (and car, if there is one) answer, and raises CannotConnectError where no
    adapter does within `timeout_s`; without, returns at once and keeps trying. Raises BadAddressError.
    A driver that needs more than an address, such as a recording to replay, is given as `conversation`.
    """
    from vehicle.links.link import LinkState
    from vehicle.links.owner import OwnedLink

    link = OwnedLink(address, conversation or conversation_at(address))
    if on_state is not None:
        link.watch(on_state)
    link.start()
    if not wait:
        return link
    settled = (LinkState.CONNECTED, LinkState.NO_CAR, LinkState.WAITING, LinkState.CLOSED)
    state = link.wait_until(*settled, timeout_s=timeout_s)
    if state in (LinkState.CONNECTED, LinkState.NO_CAR):
        return link
    reason = link.state_reason or f"no adapter answered within {timeout_s:g} s"
    link.close()
    raise CannotConnectError(f"{address}: {reason}", _advice(address))


def _advice(address: str) -> str:
    if address.startswith("socket:"):
        return "Check that this machine is in the adapter's network, and host and port."
    return "Check the plug, the baud rate and that no other program has the adapter open."
