"""The last events of one topic, bounded by number and by size."""

from collections import deque

from server.live.events import Event


class Ring:
    """A buffer that forgets its oldest events; `forgotten` is the id of the newest one it no longer has."""

    def __init__(self, most_events: int, most_bytes: int, forgotten: int) -> None:
        self.forgotten = forgotten
        self.size = 0
        self._events: deque[Event] = deque()
        self._most_events = most_events
        self._most_bytes = most_bytes

    def __len__(self) -> int:
        return len(self._events)

    def append(self, event: Event) -> None:
        """Keep an event; the newest is kept however large it is."""
        self._events.append(event)
        self.size += event.size
        while len(self._events) > 1 and (
            len(self._events) > self._most_events or self.size > self._most_bytes
        ):
            oldest = self._events.popleft()
            self.size -= oldest.size
            self.forgotten = oldest.id

    @property
    def newest(self) -> Event | None:
        """The latest event, None where there is none."""
        return self._events[-1] if self._events else None

    def after(self, number: int) -> list[Event]:
        """Return the kept events with a larger id, oldest first."""
        found: list[Event] = []
        for event in reversed(self._events):
            if event.id <= number:
                break
            found.append(event)
        found.reverse()
        return found
