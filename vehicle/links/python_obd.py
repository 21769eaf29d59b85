"""The driver for adapters that only python-OBD can drive: its line, our decoding."""

from __future__ import annotations

import dataclasses
import logging
import time
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from vehicle.elm327.outcomes import AdapterError, Reply, Timeout
from vehicle.elm327.protocols import PROTOCOLS, Family, target_of
from vehicle.elm327.replies import READING, parse_reply
from vehicle.errors import BadAddressError, CannotConnectError
from vehicle.links.conversation import Conversation, Patience
from vehicle.links.foreign_call import ForeignCall
from vehicle.links.link import PENDING_DEADLINE_S, LinkInfo
from vehicle.links.wire import WireLostError

LONGEST_REQUEST = 7
# It sleeps three times a second while it connects, and may try six baud rates.
CONNECT_S = 14.0
_HUNG_S = 2.0
_AGAIN_S = 0.05
_SUPPORTED = b"\x01\x00"
_EVERYBODY = {Family.CAN11: "7DF", Family.CAN29: "DB33F1"}
_OPTIONS = {"baud", "protocol", "low_power"}
_SOCKET_BAUD = 38400  # means nothing there, but keeps python-OBD from searching for one


@cache
def raw_adapter() -> Any:
    """Return python-OBD's adapter class, changed so that it hands out lines as they came.

    Its own reading of them merges what does not belong together and decodes refusals and stale answers as values.
    """
    from obd.elm327 import ELM327

    base: Any = ELM327

    class RawProtocol:
        """Stands where python-OBD parses lines into messages."""

        ecu_map: dict[int, int] = {}  # noqa: RUF012  # python-OBD only reads it

        def __call__(self, lines: list[str]) -> list[str]:
            return lines

    def named(number: str) -> Any:
        names = {"ELM_ID": number, "ELM_NAME": PROTOCOLS[number].name, "__init__": lambda self, lines: None}
        return type(f"RawProtocol{number}", (RawProtocol,), names)

    class RawAdapter(base):  # type: ignore[misc]  # python-OBD carries no types
        """python-OBD's ELM327 without its parser."""

        _SUPPORTED_PROTOCOLS = {number: named(number) for number in PROTOCOLS if number.isdigit()}  # noqa: RUF012
        _TRY_PROTOCOL_ORDER = [number for number in base._TRY_PROTOCOL_ORDER if number.isdigit()]  # noqa: RUF012

    return RawAdapter


class _LastWords(logging.Handler):
    """Keeps the last error python-OBD logged: it tells its caller nothing."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


class PythonObd(Conversation):
    """A conversation through python-OBD; every call into it is bounded, and left behind where it hangs."""

    def __init__(self, address: str, port: str, baud: int | None, protocol: str, low_power: bool) -> None:
        self.info = LinkInfo(address)
        self._port = port
        self._baud = baud
        self._protocol = protocol
        self._low_power = low_power
        self._adapter: Any = None
        self._call: ForeignCall[Any] | None = None
        self._aimed = ""

    @property
    def family(self) -> Family | None:
        """How frames look, once the protocol is known."""
        return self.info.protocol.family if self.info.protocol else None

    def connect(self) -> None:
        """Let python-OBD open the port and look for adapter and car."""
        began = time.monotonic()
        words, log = _LastWords(), logging.getLogger("obd")
        make = raw_adapter()
        log.handlers.clear()  # importing it puts one there that writes to standard error
        log.addHandler(words)
        try:
            call = ForeignCall(
                lambda: make(self._port, self._baud, self._protocol or None, 0.5, False, self._low_power),
                "python-OBD connects",
            )
            if not call.wait(began + CONNECT_S, self.give_up):
                call.leave(lambda adapter: adapter.close())
                raise CannotConnectError(
                    f"python-OBD did not get through to {self._port} in {CONNECT_S:g} s."
                )
            self._adapter = self._checked(call)
        finally:
            log.removeHandler(words)
        if self._adapter.status() == "Not Connected":
            raise CannotConnectError(
                f"python-OBD cannot connect to {self._port}: {words.text or 'it gave no reason'}.",
                "Check plug, address and baud rate.",
            )
        self._aimed = "unknown"
        self.info = dataclasses.replace(
            self.info, adapter="through python-OBD", baud=self._baud, connect_s=time.monotonic() - began
        )

    def find_car(self, until_s: float) -> str:
        """Ask for the supported parameters; python-OBD says that a car is there even where none is."""
        self.info = dataclasses.replace(self.info, ecus=(), protocol=None)
        for again in (False, True):
            if (
                again
                and self._run(lambda: self._adapter.set_protocol(self._protocol or None), until_s) is None
            ):
                return "python-OBD still searches for a protocol"
            known = PROTOCOLS.get(str(self._adapter.protocol_id()))
            self.info = dataclasses.replace(self.info, protocol=known)
            if known is None:
                continue
            reply = self.ask(_SUPPORTED, "", until_s, lambda _: None)
            ecus = tuple(dict.fromkeys(answer.ecu for answer in reply.answers))
            if ecus:
                self.batch_limit = 6 if known.family.is_can else 1
                self.info = dataclasses.replace(self.info, ecus=ecus)
                return ""
        return "no car answers through python-OBD"

    def ask(self, payload: bytes, ecu: str, until_s: float, patience: Patience) -> Reply:
        """Ask, and judge the lines that came ourselves."""
        if not 1 <= len(payload) <= LONGEST_REQUEST:
            return Reply(payload, trouble=AdapterError(f"python-OBD sends 1 to {LONGEST_REQUEST} bytes"))
        sent = time.monotonic()
        problem = self._aim(ecu, until_s)
        if problem != "":
            trouble = Timeout(time.monotonic() - sent) if problem is None else AdapterError(problem)
            return Reply(payload, trouble=trouble, sent_s=sent, received_s=time.monotonic())
        reply = self._exchange(payload, ecu, until_s)
        if reply.pending and payload[0] in READING:
            until_s = max(until_s, sent + PENDING_DEADLINE_S)
            patience(until_s)
            while reply.pending and time.monotonic() + _AGAIN_S < until_s and not self.give_up():
                time.sleep(_AGAIN_S)
                reply = self._exchange(payload, ecu, until_s)
        return reply

    def _exchange(self, payload: bytes, ecu: str, until_s: float) -> Reply:
        sent, command = time.monotonic(), payload.hex().upper()
        lines = self._send(command, until_s)
        now = time.monotonic()
        if lines is None:
            return Reply(payload, trouble=Timeout(now - sent), sent_s=sent, received_s=now)
        target = target_of(ecu) if self.family and self.family.is_can else None
        receive = target.receive if target else ""
        reply = parse_reply("\r".join(lines), payload, self.family, command, receive)
        return dataclasses.replace(reply, sent_s=sent, received_s=now)

    def _aim(self, ecu: str, until_s: float) -> str | None:
        """Address one ECU or all of them; returns why that cannot be, or None where the time is up.

        Said every time it changes, also back to all: left to itself python-OBD stays with one ECU for good.
        """
        if self.family not in _EVERYBODY:
            return ""
        try:
            target = target_of(ecu)
        except ValueError:
            return f"{ecu!r} names no ECU"
        if ecu and (target is None or not target.usual):
            return f"{ecu} cannot be asked through python-OBD"
        header = target.transmit[-6:] if target else _EVERYBODY[self.family]
        if header == self._aimed:
            return ""
        self._aimed = "unknown"
        lines = self._send(f"ATSH{header}", until_s)
        if lines is None:
            return None
        if "OK" not in lines:
            return f"the adapter does not take the header {header}"
        self._aimed = header
        return ""

    def _send(self, command: str, until_s: float) -> list[str] | None:
        lines: list[str] | None = self._run(
            lambda: _texts(self._adapter.send_and_parse(command.encode("ascii"))), until_s
        )
        return lines

    def _run(self, function: Any, until_s: float) -> Any:
        """Run one call, after the last one has ended; None where the time is up first."""
        if self._adapter is None:
            raise WireLostError(f"{self._port} is not open.", "Wait for the link to connect.")
        if self._call is not None and not self._call.wait(until_s, self.give_up):
            return None
        self._call = ForeignCall(function, "python-OBD")
        if not self._call.wait(until_s, self.give_up):
            return None
        call, self._call = self._call, None
        result = self._checked(call)
        if self._adapter.status() == "Not Connected":
            raise WireLostError(f"python-OBD lost {self._port}.", "Check plug and power.")
        return result

    def _checked(self, call: ForeignCall[Any]) -> Any:
        try:
            return call.result()
        except Exception as error:  # a door: python-OBD lets AttributeErrors and pyserial's errors through
            raise WireLostError(
                f"python-OBD failed on {self._port}: {error!r}.", "Check plug and power."
            ) from error

    def command(self, text: str, until_s: float) -> str | None:
        """Send the adapter a command and return what it printed."""
        lines = self._send(text, until_s)
        self._aimed = "unknown"
        return None if lines is None else "\r".join(lines)

    def recover(self) -> bool:
        """Wait for a call that overran its time; False where it hangs (python-OBD may read for two minutes)."""
        if self._call is not None and not self._call.wait(time.monotonic() + _HUNG_S, self.give_up):
            return False
        call, self._call = self._call, None
        if call is not None:
            self._checked(call)
        return True

    def set_up_again(self) -> None:
        """Start anew: python-OBD prepares an adapter only while it connects."""
        raise WireLostError("The adapter restarted.", "Wait for the link to connect.")

    def disconnect(self) -> None:
        """Close the port; python-OBD may hang in that too."""
        adapter, self._adapter, self._call = self._adapter, None, None
        if adapter is not None:
            ForeignCall(adapter.close, "python-OBD closes").wait(time.monotonic() + _HUNG_S / 4)


def _texts(found: Any) -> list[str]:
    """Return lines, also where no protocol is known yet and python-OBD wraps each in a message."""
    return [item if isinstance(item, str) else str(item.raw()) for item in found or ()]


def python_obd(address: str) -> PythonObd:
    """Make the driver for `obd:PORT`; `?baud=38400&protocol=6&low_power=1` may follow. Raises BadAddressError."""
    import obd  # noqa: F401  # a missing extra shall be told at once

    port, _, query = address.partition(":")[2].partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    protocol, baud = options.get("protocol", "").upper(), options.get("baud", "")
    known = {number for number in PROTOCOLS if number.isdigit()}
    right = (
        port
        and not set(options) - _OPTIONS
        and (not baud or baud.isdigit())
        and (not protocol or protocol in known)
    )
    if not right or options.get("low_power", "0") not in ("0", "1"):
        raise BadAddressError(
            f"{address!r} is no address for python-OBD.",
            "Give obd:/dev/ttyUSB0 or obd:socket://HOST:PORT; after ? may follow baud=38400, protocol=1 to 9 and "
            "low_power=1. Its search for a port is not used: it stops at the first one, even a dead one.",
        )
    rate = int(baud) if baud else _SOCKET_BAUD if port.startswith("socket:") else None
    return PythonObd(address, port, rate, protocol, options.get("low_power") == "1")
