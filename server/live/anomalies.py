"""Looks for anomalies in live sessions on a thread of its own, within a stated share of one core."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from server.live.baselines import Baselines
from server.live.watched import Watched
from storage.errors import NotFoundError
from tools.context import Workshop
from vehicle.runs import Run

if TYPE_CHECKING:
    from analysis.streaming.changes import Change
    from vehicle.poller.batch import Gap

log = logging.getLogger(__name__)

LOOK_S = 10.0
"""Seconds of a session's own time between two looks at it, at least; more of them where the share does not suffice."""
_LOOK_US = int(LOOK_S * 1e6)
_LATE_US = 2 * _LOOK_US


class Anomalies:
    """The anomalies of all live sessions; `tell` hears each alert that is raised or cleared."""

    def __init__(self, workshop: Workshop, tell: Callable[[str, Change], None], share: float) -> None:
        self.looks = 0
        self.late = 0
        self.skipped = 0
        self.cpu_s = 0.0
        self._tell = tell
        self._share = share
        self._baselines = Baselines(workshop)
        self._sessions: dict[str, Watched] = {}
        self._lock = Lock()
        self._due = Event()
        self._closed = Event()
        self._learn_at = 0.0
        self._thread: Thread | None = None

    def take(
        self,
        session_id: str,
        vehicle: str | None,
        runs: Sequence[Run],
        gaps: Sequence[Gap],
        readings: int,
        end_us: int,
    ) -> None:
        """Keep a batch for the next look; costs the caller next to nothing. One thread per session at a time."""
        if not self._share:
            return
        watched = self._sessions.get(session_id)
        if watched is None:
            start_us = min((int(run.times_us[0]) for run in runs), default=end_us)
            watched = self._sessions[session_id] = Watched(session_id, start_us)
        if vehicle != watched.vehicle:
            watched.vehicle, watched.is_learned = vehicle, False
        self.skipped += watched.take(runs, gaps, readings, end_us)
        if watched.waiting_us >= _LOOK_US and not self._due.is_set():
            self._due.set()
            self._start()

    @property
    def waiting_s(self) -> float:
        """The most seconds of a session's own time that were not looked at yet."""
        return max((one.waiting_us for one in list(self._sessions.values())), default=0) / 1e6

    def end(self, session_id: str, *, is_deleted: bool = False) -> None:
        """Look at a session for the last time, so that all is told that the finished one shows."""
        watched = self._sessions.pop(session_id, None)
        if watched is None:
            return
        with watched.looking:
            watched.is_over = True
            if not is_deleted:
                self._learn(watched)
                self._look(watched)

    def close(self) -> None:
        """End the thread after the look it is at."""
        self._closed.set()
        self._due.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._thread = Thread(target=self._run, name="anomalies", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        # Before the first look, whose time it would count as.
        import analysis.streaming.anomalies  # noqa: F401

        while not self._closed.is_set():
            self._due.wait()
            self._due.clear()
            for watched in self._overdue():
                self._learn_in_turn(watched)
                began = time.thread_time()
                with watched.looking:
                    if not watched.is_over:
                        self._look(watched)
                if self._rest(time.thread_time() - began):
                    return

    def _overdue(self) -> list[Watched]:
        """Return the sessions to look at, the one that waits longest first."""
        spans = [(one.waiting_us, one) for one in list(self._sessions.values())]
        due = [(span, one) for span, one in spans if span >= _LOOK_US]
        return [one for _, one in sorted(due, key=lambda pair: -pair[0])]

    def _rest(self, used_s: float) -> bool:
        """Leave the core to others for as long as the share demands; return whether all is over."""
        self.cpu_s += used_s
        return self._closed.wait(used_s * (1 / self._share - 1))

    def _learn_in_turn(self, watched: Watched) -> None:
        """Learn a baseline, within a share of its own, so that looks do not wait for it."""
        if watched.is_learned or time.monotonic() < self._learn_at:
            return
        began = time.thread_time()
        with watched.looking:
            self._learn(watched)
        used_s = time.thread_time() - began
        self.cpu_s += used_s
        self._learn_at = time.monotonic() + used_s * (1 / self._share - 1)

    def _learn(self, watched: Watched) -> None:
        if not watched.is_learned:
            watched.is_learned = True
            watched.watch.judge_by(self._baselines.of(watched.id))

    def _look(self, watched: Watched) -> None:
        """Look at what waits; a fault of ours must not end the others' looks."""
        self.looks += 1
        self.late += watched.waiting_us >= _LATE_US
        runs, gaps, end_us = watched.drain()
        told = [(gap.start_us / 1e6, gap.end_us / 1e6, gap.reason) for gap in gaps]
        try:
            for change in watched.watch.look(watched.tables.table(runs), told) if runs or told else ():
                self._tell(watched.id, change)
        except NotFoundError:
            log.debug("%s was deleted while it was looked at", watched.id)
        except Exception:
            log.exception("a look at %s failed; the next one goes on", watched.id)
        watched.looked_us = end_us
