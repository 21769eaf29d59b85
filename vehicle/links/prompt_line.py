"""Talking with an adapter that ends everything with a prompt: send, read to `>`, and get in step again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from vehicle.links.wire import Wire

PROMPT = b">"
LONGEST_REPLY = 65_536
# The longest stretch of waiting without looking whether the link is being closed.
_SLICE_S = 0.1
_QUIET_S = 0.03
_BLANK = b"\r\n\0 \t"

# Commands with answers that cannot be mistaken for each other: whichever answers proves that everything sent
# before it has been dealt with. They alternate, so that a late answer to an old one proves nothing.
_PROBES = (
    ("ATI", re.compile(r"(?:ELM|STN|OBD|v\d)", re.IGNORECASE)),
    ("ATRV", re.compile(r"^\s*\d+\.\d+V?\s*$", re.MULTILINE)),
    ("ATDPN", re.compile(r"^\s*A?[0-9A-C]\s*$", re.MULTILINE)),
)


class PromptLine:
    """The line to one adapter, used by one thread."""

    def __init__(self, wire: Wire, give_up: Callable[[], bool]) -> None:
        self.wire = wire
        self._give_up = give_up
        self._buffer = bytearray()
        self._probe = 0

    @property
    def partial(self) -> str:
        """What has come since the last prompt."""
        return self._buffer.decode("ascii", "replace")

    def stray(self) -> bool:
        """Throw away what came unasked since the last prompt; True where that was more than blanks."""
        found = bytes(self._buffer)
        self._buffer.clear()
        while True:
            chunk = self.wire.read(0.0)
            if not chunk:
                return bool(found.strip(_BLANK))
            found = (found + chunk)[-LONGEST_REPLY:]

    def send(self, command: str) -> None:
        """Send a command line; what came before it does not belong to its answer."""
        self._buffer.clear()
        self.wire.write(command.encode("ascii") + b"\r")

    def read(self, until_s: float) -> str | None:
        """Return the text before the next prompt; None where it does not come by `until_s`."""
        while True:
            end = self._buffer.find(PROMPT)
            if end >= 0:
                text = self._buffer[:end].decode("ascii", "replace")
                del self._buffer[: end + 1]
                return text
            left = until_s - time.monotonic()
            if left <= 0 or self._give_up() or len(self._buffer) > LONGEST_REPLY:
                return None
            self._buffer += self.wire.read(min(left, _SLICE_S))

    def talk(self, command: str, seconds: float) -> str | None:
        """Send a command and return its answer without the echo; None where none came in time."""
        self.send(command)
        text = self.read(time.monotonic() + seconds)
        return None if text is None else without_echo(text, command)

    def synchronise(self, seconds: float, *, interrupt: bool = True) -> bool:
        """Get in step: stop what the adapter does, throw its output away, and see a probe answered.

        With `interrupt` a bare CR goes first: it stops a busy ELM327, and makes an idle one repeat its last
        command, which is why it must not follow a command that changes anything.
        """
        end = time.monotonic() + seconds
        if interrupt:
            self._buffer.clear()
            self.wire.write(b"\r")
            self.read(min(end, time.monotonic() + seconds / 2))
        while time.monotonic() < end and not self._give_up():
            if self._try_probe(end):
                return True
        return False

    def _try_probe(self, end: float) -> bool:
        command, pattern = _PROBES[self._probe % len(_PROBES)]
        self._probe += 1
        self._wait_for_quiet(end)
        self.send(command)
        tries_end = min(end, time.monotonic() + 0.5)
        while (text := self.read(tries_end)) is not None:
            if pattern.search(without_echo(text, command)):
                return True
            if "?" in text:
                return False
        return False

    def _wait_for_quiet(self, end: float) -> None:
        while time.monotonic() < end and self.wire.read(_QUIET_S):
            if self._give_up():
                return


def without_echo(text: str, command: str) -> str:
    """Return the answer without the command an adapter with echo on repeats first."""
    stripped = text.replace("\0", "").lstrip("\r\n ")
    if stripped.upper().startswith(command.upper()):
        return stripped[len(command) :].strip("\r\n ")
    return stripped.strip("\r\n ")
