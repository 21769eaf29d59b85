"""The one hub: whoever has news publishes here, every live door reads from here."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count
from threading import Lock
from typing import Any, Protocol

from server.live.events import Event, EventType, Severity
from server.live.ring import Ring
from vehicle.runs import Run

ALERTS = "alerts"
JOBS = "jobs"
MOST_EVENTS = 4096
MOST_BYTES = 4_000_000
_REMEMBERED_ENDS = 10_000


def session_topic(session_id: str) -> str:
    """Return the topic of a session's events."""
    return f"session:{session_id}"


def vehicle_topic(vehicle_id: str) -> str:
    """Return the topic of the events of all of a vehicle's sessions."""
    return f"vehicle:{vehicle_id}"


class Follower(Protocol):
    """Somebody who is to be woken at news, once until it has looked."""

    has_news: bool

    def wake(self) -> None:
        """Look for news; called on the event loop."""


class Hub:
    """Rings of events by topic. Publishing works from any thread and never waits for a reader."""

    def __init__(self, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        # Ids go on where the clock is, so that they also grow over restarts, and stay exact in JavaScript.
        self.first_id = time.time_ns() // 1000
        self.last_id = self.first_id
        self.lock = Lock()
        self._numbers = count(self.first_id + 1)
        self._bounds = most_events, most_bytes
        self._rings: dict[str, Ring] = {}
        self._ends: dict[str, int] = {}
        self._subscriptions: dict[str, set[Follower]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closed = False

    def open(self) -> None:
        """Serve readers on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self.closed = False

    def close(self) -> None:
        """End every subscription; called on the event loop."""
        self.closed = True
        for subscription in {one for all_of in self._subscriptions.values() for one in all_of}:
            subscription.wake()

    def publish(
        self,
        kind: EventType,
        data: Mapping[str, Any],
        *,
        session: str | None = None,
        vehicle: str | None = None,
        severity: Severity = "info",
        runs: Sequence[Run] = (),
        topics: Collection[str] = (),
    ) -> Event:
        """Tell what happened to everyone who follows the session, the vehicle or one of the topics."""
        keys = [*topics]
        if session is not None:
            keys.append(session_topic(session))
        if vehicle is not None:
            keys.append(vehicle_topic(vehicle))
        with self.lock:
            number = next(self._numbers)
            event = Event(number, kind, data, session=session, vehicle=vehicle, severity=severity, runs=runs)
            self.last_id = number
            asleep: set[Follower] = set()
            for key in keys:
                self._ring(key).append(event)
                asleep |= {one for one in self._subscriptions.get(key, ()) if not one.has_news}
            for subscription in asleep:
                subscription.has_news = True
        self._wake(asleep)
        return event

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call on the event loop after a while; never where no readers are served."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.call_later, seconds, call)

    def _wake(self, asleep: Collection[Follower]) -> None:
        if asleep and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_wake_all, asleep)

    def _ring(self, topic: str) -> Ring:
        ring = self._rings.get(topic)
        if ring is None:
            forgotten = self._ends.pop(topic, self.first_id)
            ring = self._rings[topic] = Ring(*self._bounds, forgotten)
        return ring

    def follow(self, topic: str, subscription: Follower) -> None:
        """Wake the subscription at news of the topic."""
        with self.lock:
            self._subscriptions.setdefault(topic, set()).add(subscription)

    def leave(self, topic: str, subscription: Follower) -> None:
        """Wake the subscription no more."""
        with self.lock:
            followers = self._subscriptions.get(topic, set())
            followers.discard(subscription)
            if not followers:
                self._subscriptions.pop(topic, None)

    def after(self, topic: str, number: int) -> tuple[list[Event], int]:
        """Return a topic's events after an id, and the id up to which events are forgotten; hold the lock."""
        ring = self._rings.get(topic)
        if ring is None:
            return [], self._ends.get(topic, self.first_id)
        return ring.after(number), ring.forgotten

    def position(self, topic: str, since: int | None) -> int:
        """Return the id after which to read: 0 is all that is kept, None only what is to come."""
        if since is None:
            return self.last_id
        with self.lock:
            return since or self.after(topic, self.last_id)[1]

    def read(self, topic: str, since: int, limit: int) -> tuple[list[Event], bool]:
        """Return at most `limit` events of a topic after an id, and whether there are more."""
        with self.lock:
            events, _ = self.after(topic, since)
        return events[:limit], len(events) > limit

    def newest(self, topic: str) -> Event | None:
        """Return the latest event of a topic that is still kept."""
        with self.lock:
            ring = self._rings.get(topic)
            return ring.newest if ring else None

    def expire(self, topic: str) -> int:
        """Forget a topic's events; return how many they were."""
        with self.lock:
            ring = self._rings.pop(topic, None)
            if ring is None:
                return 0
            self._ends[topic] = ring.newest.id if ring.newest else ring.forgotten
            if len(self._ends) > _REMEMBERED_ENDS:
                self._ends.pop(next(iter(self._ends)))
            return len(ring)

    def topics(self) -> list[str]:
        """Return the topics that have events."""
        with self.lock:
            return list(self._rings)

    @property
    def is_open(self) -> bool:
        """Whether readers are served."""
        return self._loop is not None and not self.closed

    @property
    def subscribers(self) -> int:
        """How many subscriptions follow something."""
        with self.lock:
            return len({one for all_of in self._subscriptions.values() for one in all_of})

    @property
    def kept_bytes(self) -> int:
        """About how much memory the kept events take."""
        with self.lock:
            return sum(ring.size for ring in self._rings.values())


def _wake_all(subscriptions: Collection[Follower]) -> None:
    for subscription in subscriptions:
        subscription.wake()
