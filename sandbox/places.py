"""How many runs at once: as many as there are cores, a short queue behind them, and then "busy"."""

import contextlib
import threading
import time
from collections.abc import Iterator

from sandbox.errors import BusyError

_TICK_S = 0.05


class Places:
    """Counts runs that run and runs that wait."""

    def __init__(self, places: int, queue: int) -> None:
        self.places = places
        self.queue = queue
        self.running = 0
        self.waiting = 0
        self._free = threading.Condition()

    @contextlib.contextmanager
    def take(self, cancelled: threading.Event | None, patience_s: float = 600.0) -> Iterator[bool]:
        """Wait for a place and hold it; yields False when `cancelled` was set before there was one.

        Raises BusyError when the queue is full, or nothing became free for `patience_s`.
        """
        got = self._enter(cancelled, time.monotonic() + patience_s)
        try:
            yield got
        finally:
            if got:
                with self._free:
                    self.running -= 1
                    self._free.notify()

    def _enter(self, cancelled: threading.Event | None, deadline: float) -> bool:
        with self._free:
            if cancelled is not None and cancelled.is_set():
                return False
            if self.running >= self.places and self.waiting >= self.queue:
                raise self._busy()
            self.waiting += 1
            try:
                while self.running >= self.places:
                    if cancelled is not None and cancelled.is_set():
                        return False
                    if time.monotonic() > deadline:
                        raise self._busy()
                    self._free.wait(_TICK_S)
                self.running += 1
                return True
            finally:
                self.waiting -= 1

    def _busy(self) -> BusyError:
        return BusyError(
            f"{self.running} runs are running and {self.waiting} are waiting",
            f"At most {self.places} run and {self.queue} wait at a time: try again in a few seconds.",
        )
