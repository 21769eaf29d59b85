"""Clears up after runs in a thread of its own, so that nobody waits for it."""

import logging
import queue
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Janitor:
    """Does small jobs one after the other, in the order they came."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="sandbox-janitor", daemon=True)
        self._thread.start()

    def leave(self, job: Callable[[], None]) -> None:
        """Have `job` done soon."""
        self._jobs.put(job)

    def wait(self) -> None:
        """Wait until everything left so far is done."""
        done = threading.Event()
        self.leave(done.set)
        done.wait(30)

    def close(self) -> None:
        """Finish what there is and end."""
        self._jobs.put(None)
        self._thread.join(30)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:  # one run that cannot be cleared away must not leave all later ones lying
                log.exception("a run could not be cleared away")
