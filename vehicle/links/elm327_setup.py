"""Bringing an ELM327 or STN adapter into the state a capture needs, quickly, and its baud rate up."""

from __future__ import annotations

import re
import time
from typing import NamedTuple

from vehicle.errors import CannotConnectError
from vehicle.links.prompt_line import PromptLine, without_echo
from vehicle.links.wire import Wire, WireLostError

# Factory settings and what users and makers commonly set, likeliest first.
BAUDS = (38400, 115200, 9600, 500000, 230400, 57600, 2000000, 1000000, 19200)
FAST_BAUDS = (2000000, 1000000, 500000, 115200)
HELLO_S = 0.5
COMMAND_S = 1.0
_IDENTITY = re.compile(r"(?:ELM\s?327|STN\d{3,4}|OBD|vLinker|VGATE|ICAR|KONNWEI|CBT)[^\r\n]*", re.IGNORECASE)
# Defaults first, so that nothing of an earlier user is left; then quiet, headers on, quicker adaptive timing.
SETTINGS = ("ATD", "ATE0", "ATL0", "ATS0", "ATH1", "ATAT2")
NEEDED = ("ATE0", "ATH1")


class Identity(NamedTuple):
    """Who the adapter says it is; `stn` is empty where it does not know ST commands."""

    adapter: str
    stn: str


def identify(line: PromptLine) -> str:
    """Return what ATI says; raises CannotConnectError where nothing with a prompt answers.

    The first try may meet an adapter in the middle of something, which it stops and spoils.
    """
    heard = ""
    for _ in range(3):
        line.stray()
        answer = line.talk("ATI", HELLO_S)
        heard = answer if answer is not None else line.partial or heard
        if answer and (found := _IDENTITY.search(answer)):
            return found[0].strip()
    raise CannotConnectError(
        f"What answers at {line.wire.url} is no ELM327 or STN adapter: {heard[:60]!r}.",
        "Check the address and, on a serial port, the baud rate.",
    )


def find_baud(wire: Wire, line: PromptLine, first: int) -> str:
    """Try baud rates until the adapter answers ATI; returns its identity, raises CannotConnectError."""
    tried = [first, *(baud for baud in BAUDS if baud != first)]
    problem: CannotConnectError | None = None
    for baud in tried:
        try:
            wire.change_baud(baud)
            return _hello(line)
        except WireLostError:
            raise
        except CannotConnectError as error:
            problem = problem or error
    raise CannotConnectError(
        f"Nothing at {wire.url} answers like an ELM327 at {', '.join(map(str, tried))} baud.",
        "Check that this is the adapter's port and that it has power.",
    ) from problem


def _hello(line: PromptLine) -> str:
    """One quick try: at a wrong baud rate no prompt comes, and waiting longer does not help."""
    line.stray()
    if line.talk("ATI", 0.3) is None:
        raise CannotConnectError(f"No prompt from {line.wire.url} at {line.wire.baud} baud.", "")
    return identify(line)


def apply_settings(line: PromptLine) -> None:
    """Send the settings of a capture; a setting a clone does not know is skipped unless it is needed."""
    for command in SETTINGS:
        answer = line.talk(command, COMMAND_S)
        if answer is None:
            raise CannotConnectError(
                f"The adapter did not answer {command}.", "Unplug it and plug it in again."
            )
        if "?" in answer and command in NEEDED:
            raise CannotConnectError(
                f"The adapter refuses {command}: it is no working ELM327.", "Try another adapter."
            )


def stn_identity(line: PromptLine) -> str:
    """Return what STI says, empty where the adapter knows no ST commands."""
    answer = line.talk("STI", COMMAND_S)
    return answer if answer and answer.upper().startswith("STN") else ""


def raise_baud(line: PromptLine, wanted: tuple[int, ...] = FAST_BAUDS) -> int:
    """Raise an STN adapter's baud rate (STBR) and return the rate in use afterwards.

    Where the new rate does not work the adapter falls back by itself within its timeout (75 ms), and so do we.
    """
    wire = line.wire
    before = wire.baud or 0
    for baud in wanted:
        if baud <= before:
            break
        if _try_baud(line, baud):
            return baud
        wire.change_baud(before)
        time.sleep(0.15)
        if not line.synchronise(1.0):
            raise CannotConnectError(f"The adapter at {wire.url} was lost while raising the baud rate.", "")
    return before


def _try_baud(line: PromptLine, baud: int) -> bool:
    line.send(f"STBR {baud}")
    deadline = time.monotonic() + HELLO_S
    if "OK" not in _until(line, "OK", deadline):
        return False
    line.wire.change_baud(baud)
    if "STN" not in _until(line, "STN", time.monotonic() + 0.2).upper():
        return False
    confirmed = line.talk("", HELLO_S)
    return confirmed is not None and "OK" in confirmed.upper() and bool(line.talk("STI", HELLO_S))


def _until(line: PromptLine, text: str, deadline: float) -> str:
    """Read until `text` and the end of its line have come; this exchange has no prompt in between."""
    seen = ""
    while time.monotonic() < deadline:
        seen += line.wire.read(0.02).decode("ascii", "replace")
        if text in seen and seen.rstrip(" ")[-1:] in "\r\n>":
            break
    return without_echo(seen, "")
