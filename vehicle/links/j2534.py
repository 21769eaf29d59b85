"""The driver for J2534 pass-through devices (Windows), through udsoncan."""

from __future__ import annotations

import dataclasses
import sys
import time
from typing import Any
from urllib.parse import parse_qsl

from vehicle.elm327.outcomes import AdapterError, NoData, Reply, Timeout
from vehicle.elm327.protocols import PROTOCOLS, Target, target_of
from vehicle.errors import BadAddressError, CannotConnectError
from vehicle.links.conversation import Conversation, Patience
from vehicle.links.foreign_call import ForeignCall
from vehicle.links.isotp_replies import Gathering
from vehicle.links.link import PENDING_DEADLINE_S, LinkInfo
from vehicle.links.unsupported import UnsupportedLinkError
from vehicle.links.wire import WireLostError

FORM = "j2534: or j2534:C:/path/to/driver.dll; after ? may follow ecu=7E8 (the one ECU that is asked)"
# Drivers list themselves here; most are 32-bit and stand in the 32-bit part.
_REGISTRY = (r"SOFTWARE\WOW6432Node\PassThruSupport.04.04", r"SOFTWARE\PassThruSupport.04.04")
CONNECT_S = 10.0
ANSWER_S = 0.2
_LONGEST = 4095
_WAIT_S = 0.1
_SUPPORTED = b"\x01\x00"


class J2534(Conversation):
    """A conversation with one ECU: udsoncan's connection sends to one identifier and listens to one."""

    def __init__(self, address: str, library: str, target: Target) -> None:
        self.info = LinkInfo(address)
        self._library = library
        self._target = target
        self._line: Any = None

    def connect(self) -> None:
        """Open device and channel through the maker's library, which may hang: it is given ten seconds."""
        from udsoncan import connections

        began = time.monotonic()
        make: Any = connections.J2534Connection
        library = self._library or installed_library()
        receive, transmit = int(self._target.receive, 16), int(self._target.transmit, 16)
        call = ForeignCall(lambda: make(windll=library, rxid=receive, txid=transmit).open(), "J2534 opens")
        if not call.wait(began + CONNECT_S, self.give_up):
            call.leave(lambda line: line.close())
            raise CannotConnectError(
                f"{library} did not open its device in {CONNECT_S:g} s.", "Plug it in again."
            )
        try:
            self._line = call.result()
        except Exception as error:  # a door: the library is anybody's
            raise CannotConnectError(
                f"{library} cannot be used: {error}.",
                "Check that the device is plugged in, not in use, and its library has as many bits as this Python.",
            ) from error
        name = f"J2534 {library}"
        self.info = dataclasses.replace(self.info, adapter=name, connect_s=time.monotonic() - began)

    def find_car(self, until_s: float) -> str:
        """Ask the ECU for its supported parameters."""
        reply = self.ask(_SUPPORTED, "", until_s, lambda _: None)
        if not (reply.answers or reply.refusals):
            return f"{self._target.receive} does not answer 0100: {reply.reason}"
        protocol = PROTOCOLS["7" if len(self._target.receive) == 8 else "6"]
        self.info = dataclasses.replace(self.info, protocol=protocol, ecus=(self._target.receive,))
        return ""

    def ask(self, payload: bytes, ecu: str, until_s: float, patience: Patience) -> Reply:
        """Ask the one ECU of this connection."""
        if ecu not in ("", self._target.receive):
            return Reply(payload, trouble=AdapterError(f"this link asks {self._target.receive} only"))
        if not 1 <= len(payload) <= _LONGEST:
            return Reply(payload, trouble=AdapterError(f"not 1 to {_LONGEST} bytes"))
        line = self._open_line()
        gathering = Gathering(payload, self._target.receive)
        sent = time.monotonic()
        try:
            line.empty_rxqueue()
            line.specific_send(payload, timeout=_WAIT_S)
            while not gathering.settled and not self.give_up():
                now = time.monotonic()
                end = until_s if gathering.pending else min(until_s, sent + ANSWER_S)
                if now >= end:
                    break
                self._receive(line, gathering, min(end - now, _WAIT_S))
                if gathering.pending and until_s < sent + PENDING_DEADLINE_S:
                    until_s = sent + PENDING_DEADLINE_S
                    patience(until_s)
        except (RuntimeError, OSError) as error:  # what udsoncan raises of the library's error codes
            raise WireLostError(f"The J2534 device was lost: {error}.", "Plug it in again.") from error
        now = time.monotonic()
        waited = now - sent
        return gathering.reply(Timeout(waited) if now >= until_s else NoData(), sent, now)

    def _receive(self, line: Any, gathering: Gathering, wait_s: float) -> None:
        from udsoncan.exceptions import TimeoutException

        if line.exit_requested:
            raise WireLostError("The J2534 device was lost: its reader ended.", "Plug it in again.")
        try:
            data = line.specific_wait_frame(timeout=wait_s)
        except TimeoutException:
            return
        if data is not None:
            gathering.take(self._target.receive, bytes(data))

    def _open_line(self) -> Any:
        if self._line is None:
            raise WireLostError("The J2534 device is not open.", "Wait for the link to connect.")
        return self._line

    def command(self, text: str, until_s: float) -> str | None:
        """Return None: a J2534 device takes no commands of text."""
        return None

    def recover(self) -> bool:
        """Forget what was under way."""
        self._open_line().empty_rxqueue()
        return True

    def set_up_again(self) -> None:
        """Nothing on a J2534 device needs setting up again."""

    def disconnect(self) -> None:
        """Close channel and device; the library may hang in that too."""
        line, self._line = self._line, None
        if line is not None:
            ForeignCall(line.close, "J2534 closes").wait(time.monotonic() + 1.0)


def installed_library() -> str:
    """Return the library of the only J2534 device installed; raises CannotConnectError naming them otherwise."""
    found = _installed()
    if len(found) != 1:
        names = "; ".join(found) or "none"
        raise CannotConnectError(
            f"J2534 libraries installed: {names}.", "Name one: j2534:C:/path/to/driver.dll."
        )
    return found[0]


def _installed() -> list[str]:
    if sys.platform != "win32":
        return []
    import winreg

    found: list[str] = []
    for place in _REGISTRY:
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as devices:
                for number in range(winreg.QueryInfoKey(devices)[0]):
                    with winreg.OpenKey(devices, winreg.EnumKey(devices, number)) as device:
                        found.append(str(winreg.QueryValueEx(device, "FunctionLibrary")[0]))
        except OSError:
            continue
    return list(dict.fromkeys(found))


def j2534(address: str) -> J2534:
    """Make the driver for `j2534:LIBRARY`; raises BadAddressError, and UnsupportedLinkError where it cannot run."""
    import udsoncan  # noqa: F401  # a missing extra shall be told at once

    library, _, query = address.partition(":")[2].partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if options.get("protocol", "can") != "can":
        raise UnsupportedLinkError(
            "J2534 is used for CAN only.",
            "For K-line and J1850 cars use an ELM327 or STN adapter, which does their timing itself.",
        )
    try:
        target = target_of(options.get("ecu", "7E8"))
    except ValueError:
        target = None
    if set(options) - {"ecu", "protocol"} or target is None:
        raise BadAddressError(f"{address!r} is no J2534 address.", f"Forms: {FORM}.")
    if not is_windows():
        raise UnsupportedLinkError(
            "J2534 devices come with Windows libraries and work there only.",
            "Here, use an ELM327 or STN adapter, a CAN interface (can:...) or DoIP (doip:...).",
        )
    return J2534(address, library, target)


def is_windows() -> bool:
    """Whether this is Windows."""
    return sys.platform == "win32"
