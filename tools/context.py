"""What a tool may touch: the workshop that all tools of a process share, and this one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, RLock
from typing import TYPE_CHECKING, Any, Protocol

from tools.errors import ToolError
from tools.links import Links

if TYPE_CHECKING:
    from sandbox.runner import Sandbox
    from storage.store import Store
    from tools.recorder import Recorders
    from tools.trouble_codes import TroubleCodesNow

Progress = Callable[[float, float | None, str], None]


def no_progress(done: float, total: float | None, message: str) -> None:
    """Ignore progress: nobody asked for it."""


class LiveSide(Protocol):
    """What tools tell the live side of a server; a process that serves no live events has none."""

    def watch(
        self, tool: str, arguments: Mapping[str, Any], progress: Progress
    ) -> AbstractContextManager[Progress]:
        """Return a block to run a call in; it gives what the call reports its progress to."""

    def codes_read(self, session_id: str, now: TroubleCodesNow, before: TroubleCodesNow | None) -> None:
        """Hear what codes were read for a session, and what was read before of the same car; never fails."""

    def tidy(self, closed: Sequence[str]) -> int:
        """End the live side of sessions that are over, those just closed included; forget old events, count them."""


class Workshop:
    """What all tools of one process share. Rooms are opened on first use: they are heavy to import."""

    def __init__(
        self, home: Path, database_url: str, adapter: str | None = None, *, reduced_sandbox: bool = False
    ) -> None:
        self.home = home
        self.database_url = database_url
        self.adapter = adapter
        self.search_url: str | None = None
        self.idle_session_s = 1800.0
        self.live: LiveSide | None = None
        self.links = Links(lambda: self.store)
        self._reduced_sandbox = reduced_sandbox
        self._lock = RLock()
        self._store: Store | None = None
        self._recorders: Recorders | None = None
        self._sandbox: Sandbox | None = None

    @property
    def store(self) -> Store:
        """What is remembered; opened, and migrated if need be, on first use."""
        with self._lock:
            if self._store is None:
                from storage.store import open_store

                self.home.mkdir(parents=True, exist_ok=True)
                self._store = open_store(self.database_url)
            return self._store

    @property
    def recorders(self) -> Recorders:
        """The captures that run in this process."""
        with self._lock:
            if self._recorders is None:
                from tools.recorder import Recorders

                self._recorders = Recorders(self.store)
            return self._recorders

    @property
    def sandbox(self) -> Sandbox:
        """Where code that we do not trust runs; its processes start with the first run."""
        with self._lock:
            if self._sandbox is None:
                from sandbox.runner import Sandbox

                self._sandbox = Sandbox(self.home, self._reduced_sandbox)
            return self._sandbox

    def running_captures(self) -> list[str]:
        """Return the sessions that this process is recording into."""
        return [] if self._recorders is None else self._recorders.running()

    def close(self) -> None:
        """Stop captures (their sessions are finished, not lost) and close the store."""
        # Without the lock: captures read codes and tell alerts to their end, and need the store for it.
        if self._recorders is not None:
            self._recorders.close()
        self.links.close()
        with self._lock:
            if self._sandbox is not None:
                self._sandbox.close()
            if self._store is not None:
                self._store.close()
            self._recorders = self._sandbox = self._store = None


@dataclass(frozen=True)
class ToolContext:
    """One call of a tool: the shared workshop, who asks, where progress goes, whether it was cancelled."""

    workshop: Workshop
    requester: str = "local"
    progress: Progress = no_progress
    cancelled: Event = field(default_factory=Event)

    @property
    def store(self) -> Store:
        """What is remembered."""
        return self.workshop.store

    def adapter_of(self, adapter: str | None) -> str:
        """Return the address of the adapter named, or of the default one.

        Raises:
            ToolError: neither is there.
        """
        address = adapter or self.workshop.adapter
        if address is None:
            raise ToolError(
                "bad_arguments", "No adapter was named.", "Give `adapter`, or set OBD_AGENT_ADAPTER."
            )
        return address.strip()
