"""What can go wrong between car, adapter and host, switched on and off while the car is served.

Spelled `KIND[:VALUE][@FROM][*TIMES]`, several separated by commas: `slow:1.5`, `no_data*3`, `drop@20`.
VALUE is seconds (slow, pending) or a reason byte (refuse); FROM is the first command it strikes; TIMES how often.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from threading import Lock

from vehicle.errors import BadAddressError

# kind: (default value, strikes only once unless told otherwise)
KINDS: Mapping[str, tuple[float, bool]] = {
    "slow": (2.0, False),  # answers after VALUE seconds
    "garbled": (0.0, False),  # characters of each line are wrong
    "refuse": (0x22, False),  # every unit answers 7F with reason VALUE
    "no_data": (0.0, False),
    "can_error": (0.0, False),
    "bus_busy": (0.0, False),
    "buffer_full": (0.0, False),  # half the lines, then BUFFER FULL
    "unable_to_connect": (0.0, False),
    "stopped": (0.0, False),  # as if noise on the line had interrupted it
    "question": (0.0, False),  # ? to every request
    "half_frame": (0.0, False),  # the last line ends in its middle
    "lost_frame": (0.0, False),  # a line of the reply is missing
    "wrong_pid": (0.0, False),  # the reply echoes the next PID
    "stale_reply": (0.0, False),  # the reply to the request before this one
    "lost_prompt": (0.0, False),
    "interleaved": (0.0, False),  # frames of a second unit between those of the first
    "pending": (0.2, False),  # 7F xx 78, and the reply VALUE seconds later
    "freeze": (0.0, False),  # takes bytes and answers nothing, not even an echo
    "drop": (0.0, True),  # the line closes in place of an answer
    "down": (0.0, False),  # lines close and new ones close at once, until cleared
    "ignition_off": (0.0, False),  # the bus is asleep
    "reset": (0.0, True),  # the adapter starts anew in place of an answer
}
_SPELLING = re.compile(r"(?P<kind>\w+?)(?::(?P<value>[0-9.]+))?(?:@(?P<first>\d+))?(?:\*(?P<times>\d+))?")


@dataclass(slots=True)
class Trick:
    """One misbehaviour in force: it strikes from command number `first` on, `left` times (None: for ever)."""

    kind: str
    value: float
    first: int = 0
    left: int | None = None


class Misbehaviour:
    """The handle by which a test, or the address, makes a car misbehave."""

    def __init__(self, spelled: str = "") -> None:
        self._lock = Lock()
        self._commands = 0
        self._tricks = {trick.kind: trick for trick in read_tricks(spelled)}

    def set(self, kind: str, value: float | None = None, *, after: int = 0, times: int | None = None) -> None:
        """Switch a misbehaviour on: at once, or after the next `after` commands; for `times` commands."""
        default, once = _kind(kind)
        left = 1 if times is None and once else times
        with self._lock:
            first = self._commands + after + 1 if after else 0
            self._tricks[kind] = Trick(kind, default if value is None else value, first, left)

    def clear(self, kind: str = "") -> None:
        """Switch one misbehaviour off, or all of them."""
        with self._lock:
            if kind:
                self._tricks.pop(kind, None)
            else:
                self._tricks.clear()

    def next_command(self) -> None:
        """Count a command."""
        with self._lock:
            self._commands += 1

    def active(self, kind: str) -> bool:
        """Say whether a misbehaviour is in force, without using it up."""
        trick = self._tricks.get(kind)
        return trick is not None and self._commands >= trick.first

    def take(self, kind: str) -> Trick | None:
        """Return the misbehaviour if it strikes now, and use up one of its times."""
        if not self._tricks:
            return None
        with self._lock:
            trick = self._tricks.get(kind)
            if trick is None or self._commands < trick.first:
                return None
            if trick.left is not None:
                trick.left -= 1
                if trick.left <= 0:
                    del self._tricks[kind]
            return trick


def read_tricks(spelled: str) -> list[Trick]:
    """Read misbehaviours as an address spells them; raise BadAddressError."""
    tricks = []
    for part in spelled.split(",") if spelled else ():
        match = _SPELLING.fullmatch(part.strip())
        if match is None:
            raise BadAddressError(
                f"misbehave={part} is not understood.", "Spell it KIND[:VALUE][@FROM][*TIMES]."
            )
        default, once = _kind(match["kind"])
        times = int(match["times"]) if match["times"] else 1 if once else None
        value = float(match["value"]) if match["value"] else default
        tricks.append(Trick(match["kind"], value, int(match["first"] or 0), times))
    return tricks


def _kind(kind: str) -> tuple[float, bool]:
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, n=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        raise BadAddressError(f"misbehave={kind} is not known.{guess}", f"Allowed: {', '.join(KINDS)}.")
    return KINDS[kind]
