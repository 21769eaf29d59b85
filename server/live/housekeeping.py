"""Looks after live sessions: hears captures, notes silences, ends what is over, forgets old events."""

import asyncio
import logging
import time
from collections.abc import Sequence

from server.live.hub import Hub
from server.live.live import Live
from storage.errors import NotFoundError, StorageError
from tools.cleaning import clean
from tools.context import Workshop

log = logging.getLogger(__name__)

TICK_S = 5.0


class Housekeeping:
    """What one process does now and then by itself; a person may ask for the clean-up, with the tool `clean_up`."""

    def __init__(self, workshop: Workshop, live: Live, keep_events_s: float) -> None:
        self._workshop = workshop
        self._live = live
        self._keep_events_s = keep_events_s

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
        done = clean(self._workshop)
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

    def tidy(self, closed: Sequence[str]) -> int:
        """End the live side of whatever is over, forget old events; return how many events."""
        for session_id in self._live.silences():
            try:
                session = self._workshop.store.sessions.get(session_id)
            except NotFoundError:
                self._live.end(session_id, "deleted")
                continue
            self._live.changed(session)
            if session.state != "recording":
                self._live.end(session_id, "idle" if session_id in closed else session.state)
        return expire(self._live.hub, self._keep_events_s)


def expire(hub: Hub, older_than_s: float) -> int:
    """Forget the events of topics that have been quiet; return how many events that were."""
    now = time.time_ns() // 1000
    forgotten = 0
    for topic in hub.topics():
        newest = hub.newest(topic)
        if newest is not None and now - newest.id > older_than_s * 1e6:
            forgotten += hub.expire(topic)
    return forgotten
