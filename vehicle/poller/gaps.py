"""Stretches in which the car could not be read, with the first reason given for each."""

from __future__ import annotations

from vehicle.poller.batch import Gap

SHORTEST_S = 0.5


class GapLog:
    """Opens a gap at the first request in vain, closes it at the next that works; short ones are no gaps."""

    def __init__(self, start_s: float) -> None:
        self._start_s = self._last_good_s = start_s
        self._open: tuple[float, str] | None = None
        self._closed: list[Gap] = []

    def failed(self, at_s: float, reason: str) -> None:
        """Note a request in vain, or a link that is not connected."""
        if self._open is None:
            # a request may have been made before the last one that worked was answered
            self._open = (max(at_s, self._last_good_s), reason)

    def worked(self, at_s: float) -> None:
        """Note a request that brought a reading."""
        self._last_good_s = at_s
        if self._open is None:
            return
        (began_s, reason), self._open = self._open, None
        if at_s - began_s >= SHORTEST_S:
            self._closed.append(Gap(self._us(began_s), self._us(at_s), reason))

    def take(self) -> tuple[Gap, ...]:
        """Return the gaps that ended since the last call."""
        closed, self._closed = tuple(self._closed), []
        return closed

    def _us(self, at_s: float) -> int:
        return max(0, round((at_s - self._start_s) * 1e6))
