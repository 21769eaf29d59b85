"""Open links of one process: a capture and a reading of the same adapter share one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock, Timer
from typing import TYPE_CHECKING

from tools.addresses import is_replay

if TYPE_CHECKING:
    from storage.store import Store
    from vehicle.links import Link

IDLE_S = 60.0


class Links:
    """Links by address; one that nobody uses any more is closed a minute later, a replay at once.

    `store` gives the recordings that are played back.
    """

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._lock = RLock()
        self._links: dict[str, Link] = {}
        self._users: dict[str, int] = {}
        self._timers: dict[str, Timer] = {}

    @contextmanager
    def borrow(self, address: str) -> Iterator[Link]:
        """Give an open link to the adapter, opening it if need be.

        Raises:
            CannotConnectError: nothing answers there; BadAddressError: the address is not understood;
            NotFoundError, ToolError: the session to be played back is not there, or cannot be.
        """
        link = self._take(address)
        try:
            yield link
        finally:
            self._release(address)

    def _take(self, address: str) -> Link:
        from vehicle.links import LinkState

        with self._lock:
            timer = self._timers.pop(address, None)
            if timer is not None:
                timer.cancel()
            link = self._links.get(address)
            if link is None or link.state is LinkState.CLOSED:
                link = self._links[address] = self._open(address)
            self._users[address] = self._users.get(address, 0) + 1
            return link

    def _open(self, address: str) -> Link:
        from vehicle.links import open_link, scheme_of

        if scheme_of(address) != "replay":
            return open_link(address)
        from tools.replays import replay

        return open_link(address, conversation=replay(self._store(), address))

    def _release(self, address: str) -> None:
        with self._lock:
            self._users[address] -= 1
            if self._users[address] == 0 and is_replay(address):
                self._close_idle(address)  # the next one who asks gets it from its beginning
            elif self._users[address] == 0:
                timer = self._timers[address] = Timer(IDLE_S, self._close_idle, [address])
                timer.daemon = True
                timer.start()

    def _close_idle(self, address: str) -> None:
        with self._lock:
            if self._users.get(address, 0) == 0 and address in self._links:
                self._links.pop(address).close()

    def close(self) -> None:
        """Close every link."""
        with self._lock:
            for timer in self._timers.values():
                timer.cancel()
            for link in self._links.values():
                link.close()
            self._links, self._timers = {}, {}
