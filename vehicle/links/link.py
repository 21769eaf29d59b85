"""What every way to a car offers: requests with deadlines and priorities, a visible state, and an end."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import TracebackType
from typing import Self

from vehicle.elm327.outcomes import Reply, Timeout
from vehicle.elm327.protocols import Protocol

DEADLINE_S = 2.0
PENDING_DEADLINE_S = 5.0
# The owner answers at the deadline; the caller leaves a moment later at the latest.
GRACE_S = 0.1


class LinkState(StrEnum):
    """Where a link stands; `no_car`: the adapter answers, the car does not."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    NO_CAR = "no_car"
    LOST = "lost"
    WAITING = "waiting"
    CLOSED = "closed"


class Priority(IntEnum):
    """Who goes first when several ask; lower goes first."""

    PERSON = 0
    CAPTURE = 5
    BACKGROUND = 9


@dataclass(frozen=True, slots=True)
class LinkInfo:
    """What is known about adapter and car; empty where it has not been found out."""

    address: str
    adapter: str = ""
    stn: str = ""
    protocol: Protocol | None = None
    ecus: tuple[str, ...] = ()
    baud: int | None = None
    connect_s: float | None = None

    @property
    def is_can(self) -> bool:
        """Whether the car speaks ISO 15765."""
        return self.protocol is not None and self.protocol.family.is_can


StateListener = Callable[[LinkState, str], None]


class Ticket:
    """One request on its way: whoever holds it may wait, never past its deadline."""

    __slots__ = ("_done", "_reply", "command", "ecu", "expires_s", "made_s", "payload")

    def __init__(self, payload: bytes, ecu: str, deadline_s: float, command: str = "") -> None:
        self.payload = payload
        self.ecu = ecu
        self.command = command
        self.made_s = time.monotonic()
        self.expires_s = self.made_s + deadline_s
        self._done = threading.Event()
        self._reply: Reply | None = None

    @property
    def done(self) -> bool:
        """Whether the reply is there."""
        return self._done.is_set()

    def expired(self) -> bool:
        """Whether nobody waits any more."""
        return time.monotonic() >= self.expires_s

    def be_patient(self, until_s: float) -> None:
        """Move the deadline, because an ECU asked for time."""
        self.expires_s = max(self.expires_s, until_s)

    def finish(self, reply: Reply) -> None:
        """Hand over the reply."""
        self._reply = reply
        self._done.set()

    def result(self) -> Reply:
        """Wait for the reply; a Timeout outcome where the deadline passes first."""
        while not self._done.is_set():
            left = self.expires_s + GRACE_S - time.monotonic()
            if left <= 0:
                break
            self._done.wait(left)
        return self._reply or self.timed_out()

    def timed_out(self) -> Reply:
        """Return the outcome of waiting in vain."""
        now = time.monotonic()
        return Reply(self.payload, trouble=Timeout(now - self.made_s), sent_s=self.made_s, received_s=now)


class Link(ABC):
    """A way to a car. Any thread may use it; requests of all threads go through one owner."""

    address: str
    batch_limit: int = 6
    # How often the link came back after it was lost.
    reconnects: int = 0

    @property
    def replayed(self) -> bool:
        """Whether a recording is at the other end: what it does not tell now it may tell later."""
        return self.address.startswith("replay:")

    @property
    def withheld(self) -> Mapping[str, str]:
        """Signals that this way cannot tell, or whose bytes are not to be believed here, with the reason."""
        return {}

    @property
    @abstractmethod
    def state(self) -> LinkState:
        """Where the link stands now."""

    @property
    @abstractmethod
    def state_reason(self) -> str:
        """Why it stands there, in words; empty where all is well."""

    @property
    @abstractmethod
    def info(self) -> LinkInfo:
        """What is known about adapter and car."""

    @abstractmethod
    def submit(
        self,
        payload: bytes,
        ecu: str = "",
        *,
        deadline_s: float = DEADLINE_S,
        priority: int = Priority.CAPTURE,
    ) -> Ticket:
        """Queue a request and return at once; `ecu` names the one that shall answer, empty: all of them."""

    @abstractmethod
    def submit_command(self, text: str, *, deadline_s: float = DEADLINE_S) -> Ticket:
        """Queue a command for the adapter itself, such as ATRV; its text comes back as `raw`."""

    @abstractmethod
    def watch(self, listener: StateListener) -> Callable[[], None]:
        """Call `listener(state, reason)` at every change of state; returns how to stop that."""

    @abstractmethod
    def close(self) -> None:
        """End the link; waiting requests get a Disconnected outcome."""

    def request(
        self,
        payload: bytes,
        ecu: str = "",
        *,
        deadline_s: float = DEADLINE_S,
        priority: int = Priority.PERSON,
    ) -> Reply:
        """Ask and wait; never longer than `deadline_s`, or 5 s in all where an ECU asked for patience."""
        return self.submit(payload, ecu, deadline_s=deadline_s, priority=priority).result()

    def command(self, text: str, *, deadline_s: float = DEADLINE_S) -> str | None:
        """Send the adapter a command and return what it printed; None where nothing came."""
        reply = self.submit_command(text, deadline_s=deadline_s).result()
        return None if reply.trouble else reply.raw

    def wait_until(self, *states: LinkState, timeout_s: float) -> LinkState:
        """Wait until the link stands in one of `states`, at most `timeout_s`; returns where it stands."""
        reached = threading.Event()
        stop = self.watch(lambda state, _: reached.set() if state in states else None)
        try:
            if self.state not in states:
                reached.wait(timeout_s)
        finally:
            stop()
        return self.state

    def __enter__(self) -> Self:
        """Give the link to a `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the link."""
        self.close()
