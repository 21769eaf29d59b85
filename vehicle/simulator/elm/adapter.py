"""An ELM327 as seen from its serial line: commands in, bytes out, with the waits between them."""

import re
from collections.abc import Callable, Iterator, Sequence

from vehicle.simulator.ecus.bus import Bus
from vehicle.simulator.elm.at_commands import Elm, run_at
from vehicle.simulator.elm.events import Baud, Drop, Event, Send, WaitForByte
from vehicle.simulator.elm.request import Requester
from vehicle.simulator.elm.settings import Settings
from vehicle.simulator.elm.stn_commands import IDENTITY, read_stpx, run_st

_HEX = re.compile(r"[0-9A-F]{1,16}")
_MONITOR = re.compile(r"ATM(?:A|[RT][0-9A-F]{2})|STMA?")
_BAUD = re.compile(r"ATBRD([0-9A-F]{2})|ST(S?)BR(\d+)")
# what the firmware that clones carry knows; the rest of the list came with later genuine versions
_CLONE_KNOWS = re.compile(
    r"AT(?:Z|WS|D|I|@1|[ELSHMR][01]|[ST]PA?[0-9A-C]|DPN?|PC|SH.*|CP..|CRA.*|CF.*|CM.*|AT[012]|ST..|RV|CA?F[01]|CFC[01]|AL)"
)
_CLOCK_HZ = 4_000_000
_LONGEST = 7  # bytes of a request that fit a single frame


class Adapter:
    """One adapter on one line; `run` gives the events of a command, `exchange` only the bytes."""

    def __init__(self, bus: Bus, catch_up: Callable[[], None]) -> None:
        self._bus = bus
        self._catch_up = catch_up
        self._options = bus.model.options
        self.misbehaviour = bus.misbehaviour
        self.settings = Settings()
        self._baud = self._options.baud
        self._elm = Elm(self.settings, bus, self._options.banner)
        self._requester = Requester(bus, self.settings)
        self._last = ""

    def echo(self, typed: bytes) -> bytes:
        """Return what is echoed for bytes typed by the host."""
        if not self.settings.echo or self.misbehaviour.active("freeze"):
            return b""
        return typed.replace(b"\r", b"\r\n") if self.settings.linefeeds else typed

    def run(self, typed: str) -> Iterator[Event]:
        """Work on one command line (without its CR) and give what happens, ending with the prompt."""
        command = "".join(letter for letter in typed if letter > " ").upper() or self._last
        self._last = command
        self._catch_up()
        self.misbehaviour.next_command()
        if self.misbehaviour.take("freeze"):
            return
        if self.misbehaviour.take("drop"):
            yield Drop()
            return
        if self.settings.asleep or self.misbehaviour.take("reset"):
            yield self._print(run_at(self._elm, "WS"))
        else:
            yield from self._answer(command)
        if not self.misbehaviour.take("lost_prompt"):
            yield Send((self._end_of_line() + ">").encode())

    def stopped(self) -> bytes:
        """Return what is printed when the host types into a running command."""
        return f"STOPPED{self._end_of_line() * 2}>".encode()

    def exchange(self, data: bytes) -> bytes:
        """Return everything the adapter sends for the bytes typed, without its delays."""
        sent = bytearray()
        for line in data.split(b"\r")[:-1]:
            sent += self.echo(line + b"\r")
            for event in self.run(line.decode("latin-1")):
                if isinstance(event, Send):
                    sent += event.data
                elif isinstance(event, WaitForByte):
                    sent += event.otherwise
                elif isinstance(event, Drop):
                    return bytes(sent)
        return bytes(sent)

    def _answer(self, command: str) -> Iterator[Event]:
        if self._options.clone and command.startswith(("AT", "ST")) and not _CLONE_KNOWS.fullmatch(command):
            yield self._print(("?",))
        elif _MONITOR.fullmatch(command):
            # behind a gateway the diagnostic bus carries nothing but replies
            yield WaitForByte(float("inf"), f"STOPPED{self._end_of_line()}".encode(), b"")
        elif (baud := _BAUD.fullmatch(command)) and (command.startswith("AT") or self._options.stn):
            yield from self._change_baud(baud)
        elif command == "ATLP":
            yield self._print(("OK",))
            self.settings.asleep = True
        elif command.startswith("AT"):
            yield self._print(run_at(self._elm, command[2:]))
        elif command.startswith("STPX") and self._options.stn:
            yield from self._request_by_parts(command)
        elif command.startswith("ST") and self._options.stn:
            yield self._print(run_st(self.settings, self._bus, command))
        elif _HEX.fullmatch(command):
            yield from self._request(command)
        else:
            yield self._print(("?",))

    def _request(self, digits: str) -> Iterator[Event]:
        """Send a request to the car: an odd last digit is the number of frames to wait for."""
        odd = len(digits) % 2
        payload = bytes.fromhex(digits[: len(digits) - odd])
        if not payload or len(payload) > _LONGEST:
            yield self._print(("?",))
        elif self._options.clone and payload[0] == 0x01 and len(payload) > 2:
            yield from self._choke()
        else:
            yield from self._requester.send(payload, int(digits[-1], 16) if odd else 0)

    def _choke(self) -> Iterator[Event]:
        """Fail on several PIDs at once, as clone firmware does: with `?`, or by hanging until a byte comes."""
        if self._options.clone == "hang":
            yield WaitForByte(float("inf"), f"STOPPED{self._end_of_line()}".encode(), b"")
        else:
            yield self._print(("?",))

    def _request_by_parts(self, command: str) -> Iterator[Event]:
        parts = read_stpx(command)
        if parts is None:
            yield self._print(("?",))
            return
        header, data, expected = parts
        yield from self._requester.send(bytes.fromhex(data), expected, header)

    def _change_baud(self, match: re.Match[str]) -> Iterator[Event]:
        """Change the rate, name itself at the new one, and go back unless the host answers with a CR."""
        rate = _CLOCK_HZ // max(int(match[1], 16), 1) if match[1] else int(match[3])
        yield self._print(("OK",))
        if match[2]:
            yield Baud(rate)
            return
        before, self._baud = self._baud, rate
        yield Baud(rate)
        yield self._print((self._options.banner if match[1] else IDENTITY["STI"],))
        yield WaitForByte(self.settings.baud_timeout_s, f"OK{self._end_of_line()}".encode(), b"", before)

    def _end_of_line(self) -> str:
        return "\r\n" if self.settings.linefeeds else "\r"

    def _print(self, lines: Sequence[str]) -> Send:
        return Send("".join(line + self._end_of_line() for line in lines).encode())
