"""Looks after live sessions: notes silences, closes what is idle, forgets old events, says what it did."""

import asyncio
import logging
import time

from pydantic import BaseModel

from server.limits import Limits
from server.live.hub import Hub
from server.live.live import Live
from storage.errors import NotFoundError, StorageError
from tools.context import Workshop

log = logging.getLogger(__name__)

TICK_S = 5.0
_PAGE = 200


class CleanedUp(BaseModel):
    """What a clean-up closed and removed."""

    closed_sessions: list[str]
    cleared_alerts: int
    forgotten_events: int

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.closed_sessions or self.cleared_alerts or self.forgotten_events)


class Housekeeping:
    """The clean-up of one process, done now and then by itself and whenever a person asks."""

    def __init__(self, workshop: Workshop, live: Live, limits: Limits) -> None:
        self._workshop = workshop
        self._live = live
        self._limits = limits

    async def run(self) -> None:
        """Look after everything until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await asyncio.to_thread(self.tick)
            except Exception:
                log.exception("housekeeping failed; it goes on")

    def tick(self) -> None:
        """Listen for captures, note silences, and clean up."""
        self.attach()
        for session_id, silent_s in self._live.silences().items():
            self._live.note_silence(session_id, silent_s)
        done = self.clean_up()
        if not done.is_empty:
            log.info("cleaned up: %s", done.model_dump_json())

    def attach(self) -> None:
        """Hear every batch that a capture records; a database that cannot be opened is tried again later."""
        try:
            listeners = self._workshop.recorders.listeners
        except (StorageError, OSError) as error:
            log.warning("the database cannot be opened yet: %s", error)
            return
        if self._live.on_batch not in listeners:
            listeners.append(self._live.on_batch)

    def clean_up(self, idle_s: float | None = None) -> CleanedUp:
        """Close sessions that were silent for `idle_s`, clear alerts of closed ones, forget old events."""
        closed = self._close_idle(self._limits.idle_session_s if idle_s is None else idle_s)
        return CleanedUp(
            closed_sessions=closed,
            cleared_alerts=self._clear_alerts(),
            forgotten_events=expire(self._live.hub, self._limits.keep_events_s),
        )

    def _close_idle(self, idle_s: float) -> list[str]:
        """Finish idle sessions that were sent to us, and end the live side of whatever else is over."""
        recording = set(self._workshop.running_captures())
        closed = []
        for session_id, silent_s in self._live.silences().items():
            if session_id in recording:
                continue
            try:
                session = self._workshop.store.sessions.get(session_id)
            except NotFoundError:
                self._live.end(session_id, "deleted")
                continue
            self._live.changed(session)
            if session.state == "recording" and silent_s >= idle_s:
                self._workshop.store.sessions.finish(session_id)
                closed.append(session_id)
                self._live.end(session_id, "idle")
            elif session.state != "recording":
                self._live.end(session_id, session.state)
        return closed

    def _clear_alerts(self) -> int:
        """Clear alerts that stayed open because the process that raised them died."""
        store = self._workshop.store
        cleared = 0
        for alert in store.alerts.list(is_open=True, limit=_PAGE).rows:
            session = store.sessions.get(alert.session_id)
            if session.state != "recording":
                store.alerts.clear(alert.id, session.last_us or alert.start_us)
                cleared += 1
        return cleared


def expire(hub: Hub, older_than_s: float) -> int:
    """Forget the events of topics that have been quiet; return how many events that were."""
    now = time.time_ns() // 1000
    forgotten = 0
    for topic in hub.topics():
        newest = hub.newest(topic)
        if newest is not None and now - newest.id > older_than_s * 1e6:
            forgotten += hub.expire(topic)
    return forgotten
