"""One live session as the search for anomalies sees it: what waits to be looked at, and what was found."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from tools.live_table import LiveTables
from vehicle.runs import Run

if TYPE_CHECKING:
    from analysis.streaming.anomalies import AnomalyWatch
    from vehicle.poller.batch import Gap

MOST_WAITING = 400_000
"""Readings of a session that may wait, about 6 MB; beyond it the oldest are left out and counted."""


class Watched:
    """Batches come in on one thread and are looked at on another; `looking` is held meanwhile."""

    def __init__(self, session_id: str, start_us: int) -> None:
        self.id = session_id
        self.vehicle: str | None = None
        self.is_learned = True
        self.is_over = False
        self.looked_us = start_us
        self.looking = Lock()
        self.tables = LiveTables()
        self._end_us = start_us
        self._readings = 0
        self._waiting: deque[tuple[int, Sequence[Run], Sequence[Gap]]] = deque()
        self._lock = Lock()

    @cached_property
    def watch(self) -> AnomalyWatch:
        """The checks, which are heavy to import; only the thread that looks asks for them."""
        from analysis.streaming.anomalies import AnomalyWatch

        return AnomalyWatch()

    @property
    def waiting_us(self) -> int:
        """How much of the session's own time was not looked at yet."""
        return self._end_us - self.looked_us

    def take(self, runs: Sequence[Run], gaps: Sequence[Gap], readings: int, end_us: int) -> int:
        """Keep a batch by reference; return how many older readings are left out for it."""
        skipped = 0
        with self._lock:
            self._waiting.append((readings, runs, gaps))
            self._readings += readings
            self._end_us = max(self._end_us, end_us)
            while self._readings - skipped > MOST_WAITING and len(self._waiting) > 1:
                skipped += self._waiting.popleft()[0]
            self._readings -= skipped
        return skipped

    def drain(self) -> tuple[list[Run], list[Gap], int]:
        """Return all that waits, and the time until which that goes."""
        with self._lock:
            waiting, self._readings, end_us = list(self._waiting), 0, self._end_us
            self._waiting.clear()
        runs = [run for _, several, _ in waiting for run in several]
        return runs, [gap for _, _, several in waiting for gap in several], end_us
