"""An ELM327 as seen from its serial line: commands in, bytes out, with the waits between them."""

import re
from collections.abc import Callable, Generator, Iterator, Sequence

from vehicle.simulator.at_commands import Elm, run_at
from vehicle.simulator.bus import CAN_BITS, Bus, Reply
from vehicle.simulator.events import Drop, Event, Send, Wait
from vehicle.simulator.frames import Display, can_lines, legacy_lines
from vehicle.simulator.settings import Settings

_HEX = re.compile(r"[0-9A-F]{1,16}")


class Adapter:
    """One adapter on one line; `run` gives the events of a command, `exchange` only the bytes."""

    def __init__(self, bus: Bus, catch_up: Callable[[], None]) -> None:
        options = bus.model.options
        self._bus = bus
        self._catch_up = catch_up
        self._options = options
        self.settings = Settings()
        self._elm = Elm(self.settings, bus, f"ELM327 v{options.version}")
        self._padding = None if options.padding == "off" else int(options.padding, 16)
        self._last = ""

    def echo(self, typed: bytes) -> bytes:
        """Return what is echoed for bytes typed by the host."""
        if not self.settings.echo:
            return b""
        return typed.replace(b"\r", b"\r\n") if self.settings.linefeeds else typed

    def run(self, typed: str) -> Iterator[Event]:
        """Work on one command line (without its CR) and give what happens, ending with the prompt."""
        command = "".join(letter for letter in typed if letter > " ").upper()
        command = command or self._last
        self._last = command
        self._catch_up()
        if command.startswith("AT"):
            yield self._print(run_at(self._elm, command[2:]))
        elif _HEX.fullmatch(command):
            yield from self._request(command)
        else:
            yield self._print(("?",))
        yield self.prompt()

    def prompt(self) -> Send:
        """Return the end of every answer."""
        return Send((self._end_of_line() + ">").encode())

    def stopped(self) -> bytes:
        """Return what is printed when the host types into a running command."""
        return f"STOPPED{self._end_of_line() * 2}>".encode()

    def exchange(self, data: bytes) -> bytes:
        """Return everything the adapter sends for the bytes typed, without its delays."""
        sent = bytearray()
        for line in data.split(b"\r")[:-1]:
            sent += self.echo(line + b"\r")
            for event in self.run(line.decode("ascii", "replace")):
                if isinstance(event, Send):
                    sent += event.data
                elif isinstance(event, Drop):
                    return bytes(sent)
        return bytes(sent)

    def _end_of_line(self) -> str:
        return "\r\n" if self.settings.linefeeds else "\r"

    def _print(self, lines: Sequence[str]) -> Send:
        return Send("".join(line + self._end_of_line() for line in lines).encode())

    def _request(self, digits: str) -> Iterator[Event]:
        """Send a request to the car: an odd last digit is the number of frames to wait for."""
        expected = int(digits[-1], 16) if len(digits) % 2 else 0
        payload = bytes.fromhex(digits[: len(digits) - len(digits) % 2])
        if not payload or len(payload) > 7:
            yield self._print(("?",))
            return
        problem = yield from self._connect()
        if problem:
            yield self._print((problem,))
            return
        yield Wait(self._options.ecu_ms / 1000.0)
        lines = self._lines(self._bus.ask(payload, self._address()))
        yield from self._listen(lines, expected)

    def _listen(self, lines: list[str], expected: int) -> Iterator[Event]:
        wait_s = self.settings.post_wait_s(self._options.wait_ms)
        if not lines:
            yield Wait(self.settings.timeout_steps * 0.004096 if wait_s else 0.0)
            yield self._print(("NO DATA",))
            return
        shown = lines[:expected] if expected else lines
        for line in shown:
            yield self._print((line,))
        if not expected or len(lines) < expected:
            yield Wait(wait_s)

    def _connect(self) -> Generator[Event, None, str]:
        """Open the protocol where it is not open; return the text of the failure, empty for success."""
        s = self.settings
        if s.connected:
            return ""
        if s.automatic:
            yield self._print(("SEARCHING...",))
            yield Wait(0.0)
            s.protocol = self._bus.protocol
        elif s.protocol in "345":
            yield Send(b"BUS INIT: ")
        if s.protocol != self._bus.protocol:
            return "CAN ERROR" if s.protocol in CAN_BITS else "...ERROR" if s.protocol in "345" else "NO DATA"
        if not s.automatic and s.protocol in "345":
            yield self._print(("OK",))
        s.connected = True
        return ""

    def _address(self) -> int | None:
        """Return the address of the one unit the header names; None for a broadcast."""
        header = self.settings.header
        bits = CAN_BITS.get(self._bus.protocol)
        if bits == 11 and len(header) == 3 and header != "7DF":
            return int(header, 16)
        if bits == 29 and header[-6:-4] == "DA":
            return int(header[-4:-2], 16)
        return None

    def _lines(self, replies: list[Reply]) -> list[str]:
        s = self.settings
        display = Display(s.headers, s.spaces, s.formatting, s.length, self._padding)
        bits = CAN_BITS.get(self._bus.protocol)
        lines: list[str] = []
        for ecu, payload in replies:
            if bits:
                lines += can_lines(ecu, payload, bits, display)
            else:
                lines += legacy_lines(ecu, payload, self._bus.protocol, display)
        return lines
