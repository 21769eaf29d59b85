"""Turns durable batches into news: samples, gaps and alerts for the hub, windows for statistics."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from server.live.alerting import Alerting
from server.live.anomalies import Anomalies
from server.live.events import EventType
from server.live.hub import Hub, session_topic
from server.live.window import LiveStats, Window, total_rate_per_s
from tools.context import Workshop
from vehicle.runs import Run

if TYPE_CHECKING:
    from storage.records import Session
    from vehicle.poller.batch import Batch

log = logging.getLogger(__name__)


class LiveSession:
    """One session that readings arrive in."""

    def __init__(self, session: Session) -> None:
        self.id = session.id
        self.vehicle = session.vehicle_id
        self.window = Window()
        self.heard = time.monotonic()
        self.lock = Lock()


class Live:
    """The live side of the server: knows the sessions that are talking."""

    def __init__(self, workshop: Workshop, hub: Hub, anomaly_share: float) -> None:
        self.hub = hub
        self.readings = 0
        self.alerting = Alerting(workshop, hub)
        self.anomalies = Anomalies(workshop, self.alerting.apply, anomaly_share)
        self._workshop = workshop
        self._sessions: dict[str, LiveSession] = {}
        self._lock = Lock()

    def on_batch(self, session_id: str, batch: Batch) -> None:
        """Tell a durable batch; never fails, for the readings are safe and recording must go on."""
        try:
            session = self._session(session_id)
            with session.lock:
                self._tell(session, batch)
        except Exception:
            log.exception("a batch of %s was stored, but not told live", session_id)

    def _tell(self, session: LiveSession, batch: Batch) -> None:
        session.heard = time.monotonic()
        runs = [run for run in batch.runs if run.values.size]
        end_us, readings = int(batch.end_us), sum(run.values.size for run in runs)
        self.anomalies.take(session.id, session.vehicle, runs, batch.gaps, readings, end_us)
        if runs:
            self.readings += readings
            session.window.add(runs, end_us)
            self._publish(session, "sample", {"end_s": end_us / 1e6}, runs)
        for gap in batch.gaps:
            data = {"start_s": gap.start_us / 1e6, "end_s": gap.end_us / 1e6, "reason": gap.reason}
            self._publish(session, "gap", data)
        for state in batch.states:
            told = {"at_s": state.at_us / 1e6, "state": state.state, "reason": state.reason}
            self._publish(session, "adapter", told)
        if runs:
            start_us = min(int(run.times_us[0]) for run in runs)
            self.alerting.check(session.id, runs, batch.gaps, start_us, end_us)

    def _publish(
        self, session: LiveSession, kind: EventType, data: dict[str, object], runs: Sequence[Run] = ()
    ) -> None:
        self.hub.publish(kind, data, session=session.id, vehicle=session.vehicle, runs=runs)

    def _session(self, session_id: str) -> LiveSession:
        with self._lock:
            found = self._sessions.get(session_id)
        if found is None:
            opened = LiveSession(self._workshop.store.sessions.get(session_id))
            with self._lock:
                found = self._sessions.setdefault(session_id, opened)
            if found is opened:
                self._publish(found, "session.live", {})
        return found

    def open(self, session_id: str) -> None:
        """Expect readings of a session that has just begun."""
        self._session(session_id)

    def end(self, session_id: str, reason: str) -> None:
        """Tell that a session is over, clear its alerts and free its window; its events are kept for a while."""
        with self._lock:
            session = self._sessions.pop(session_id, None)
        if session is None:
            return
        self.anomalies.end(session_id, is_deleted=reason == "deleted")
        self.alerting.end(session_id)
        self._publish(session, "session.finished", {"reason": reason})

    def changed(self, stored: Session) -> None:
        """Tell further events under the vehicle that the session belongs to now."""
        with self._lock:
            session = self._sessions.get(stored.id)
        if session is not None:
            session.vehicle = stored.vehicle_id

    def silences(self) -> dict[str, float]:
        """Return how many seconds each live session has been silent."""
        now = time.monotonic()
        with self._lock:
            return {session.id: now - session.heard for session in self._sessions.values()}

    def note_silence(self, session_id: str, silent_s: float) -> None:
        """Let the checks look at a silence that still lasts."""
        with self._lock:
            session = self._sessions.get(session_id)
        if session is not None:
            with session.lock:
                self.alerting.silent(session_id, silent_s)

    def is_live(self, session_id: str) -> bool:
        """Tell whether readings of the session arrive, or may arrive, in this process."""
        with self._lock:
            return session_id in self._sessions

    @property
    def sessions(self) -> int:
        """How many sessions are live."""
        with self._lock:
            return len(self._sessions)

    def stats(self, session: Session, window_s: float) -> LiveStats:
        """Return what a session did in its last `window_s` seconds."""
        with self._lock:
            live = self._sessions.get(session.id)
        signals = live.window.signals(window_s) if live else []
        newest = self.hub.newest(session_topic(session.id))
        end_us = live.window.end_us if live else session.last_us
        return LiveStats(
            session_id=session.id,
            state=session.state,
            window_s=window_s,
            until_s=None if end_us is None else end_us / 1e6,
            readings=sum(signal.readings for signal in signals),
            rate_per_s=total_rate_per_s(signals),
            signals=signals,
            latest_event=str(newest.id) if newest else None,
        )
