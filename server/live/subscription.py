"""One reader of the hub: where it stands in each topic, and what it gets next."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Self

from server.live.events import Event
from server.live.hub import Hub

PAGE = 256
# A reader that was up to date and now lags this far gets one summary instead of every batch of readings.
LAG = 256


class Subscription:
    """A position per topic, no queue: a slow reader costs nothing and loses nothing but old readings."""

    def __init__(self, hub: Hub) -> None:
        self.has_news = False
        self._hub = hub
        self._news = asyncio.Event()
        self._positions: dict[str, int] = {}
        self._is_current = True
        self._is_ended = False
        self.coalesced = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        for topic in list(self._positions):
            self.leave(topic)

    @property
    def topics(self) -> list[str]:
        """What is followed."""
        return sorted(self._positions)

    def follow(self, topics: Iterable[str], since: int | None = None) -> None:
        """Follow topics from the events after `since` on: 0 is all that is kept, None only what is to come."""
        for topic in topics:
            self._hub.follow(topic, self)
            self._positions[topic] = self._hub.position(topic, since)
        if since is not None:
            self._is_current = False
            self._news.set()

    def leave(self, topic: str) -> None:
        """Follow a topic no more."""
        if self._positions.pop(topic, None) is not None:
            self._hub.leave(topic, self)

    def wake(self) -> None:
        """Look for news; called on the event loop."""
        self._news.set()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come: it was ended, or the hub closed."""
        return self._is_ended or self._hub.closed

    def end(self) -> None:
        """Let the reader go; called on the event loop."""
        self._is_ended = True
        self._news.set()

    async def next(self, timeout_s: float) -> list[Event]:
        """Return the next events, oldest first; none where the time is over or the subscription."""
        events = self.collect()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                # A wake-up may come late, for events that were collected already.
                while not events and not self.is_over:
                    await self._news.wait()
                    events = self.collect()
        return events

    def collect(self) -> list[Event]:
        """Return what is new now, at most a page; a summary instead where too much is."""
        self._news.clear()
        found: dict[int, Event] = {}
        missed: list[Event] = []
        with self._hub.lock:
            self.has_news = False
            for topic, position in self._positions.items():
                events, forgotten = self._hub.after(topic, position)
                found |= {event.id: event for event in events}
                if position < forgotten:
                    missed.append(_missed(topic, position, forgotten))
                    self._positions[topic] = forgotten
        return missed + self._page([found[number] for number in sorted(found)])

    def _page(self, events: list[Event]) -> list[Event]:
        if self._is_current and len(events) > LAG:
            events = self._coalesce(events)
        elif len(events) > PAGE:
            events = events[:PAGE]
            self._news.set()
        else:
            self._is_current = True
        if events:
            self._positions = {topic: max(at, events[-1].id) for topic, at in self._positions.items()}
        return events

    def _coalesce(self, events: list[Event]) -> list[Event]:
        """Keep all that is no sample and the last sample of each session; say what was left out."""
        last = {event.session: event.id for event in events if event.type == "sample"}
        kept = [event for event in events if event.type != "sample" or last[event.session] == event.id]
        left_out = len(events) - len(kept)
        self.coalesced += left_out
        data = {
            "events": left_out,
            "since": str(events[0].id - 1),
            "until": str(events[-1].id),
            "hint": "GET /api/sessions/{id}/live/updates?since= has them for a while.",
        }
        return [Event(events[0].id - 1, "coalesced", data), *kept]


def _missed(topic: str, position: int, forgotten: int) -> Event:
    """Say that events are gone: they are kept for a while only, the readings themselves are stored."""
    data = {
        "topic": topic,
        "since": str(position),
        "until": str(forgotten),
        "hint": "query_signals reads what is stored.",
    }
    return Event(forgotten, "missed", data)
