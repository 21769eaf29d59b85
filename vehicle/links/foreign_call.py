"""A call into a library that may hang: it runs in a thread of its own and is left behind where it takes too long."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
_SLICE_S = 0.1


class ForeignCall(Generic[T]):
    """One call under way, or done."""

    def __init__(self, function: Callable[[], T], name: str) -> None:
        self._function = function
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._late: Callable[[T], object] | None = None
        self._result: list[T] = []
        self._error: Exception | None = None
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def wait(self, until_s: float, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait until it is done; False where it is not by `until_s` (monotonic), or where `give_up` says so."""
        while not self._done.is_set() and not give_up():
            left = until_s - time.monotonic()
            if left <= 0:
                break
            self._done.wait(min(left, _SLICE_S))
        return self._done.is_set()

    def result(self) -> T:
        """Return what a call that is done returned, or raise what it raised."""
        if self._error is not None:
            raise self._error
        return self._result[0]

    def leave(self, late: Callable[[T], object]) -> None:
        """Wait no more; `late` is called with the result if there ever is one, to let go of it."""
        with self._lock:
            if not self._done.is_set():
                self._late = late
                return
        if self._result:
            _quietly(late, self._result[0])

    def _run(self) -> None:
        try:
            result = self._function()
        except Exception as error:  # the door to foreign code: whatever it raises is told to who asked
            self._error = error
        else:
            self._result.append(result)
        with self._lock:
            self._done.set()
            late = self._late
        if late is not None and self._result:
            _quietly(late, self._result[0])


def _quietly(late: Callable[[T], object], result: T) -> None:
    with contextlib.suppress(Exception):  # nobody is left to be told
        late(result)
