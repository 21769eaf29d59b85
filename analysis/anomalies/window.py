"""The readings of a window that moves along with a live session, held once: signals read together share their times."""

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.table import Floats, SignalSeries, SignalTable
from analysis.tracks import Bools

Limits = tuple[float | None, float | None]
Part = tuple[Floats, Floats]


class Window:
    """Readings from `since_s` on, by signal; their `units` and `limits` (low, high; None: open) may grow meanwhile."""

    def __init__(self, units: Mapping[str, str], limits: Mapping[str, Limits]) -> None:
        self.since_s, self.latest_s = -np.inf, -np.inf
        self._units, self._limits = units, limits
        self._parts: dict[str, list[Part]] = {}

    @property
    def readings(self) -> int:
        """How many readings are held."""
        return sum(times_s.size for parts in self._parts.values() for times_s, _ in parts)

    def add(self, batch: Mapping[str, Part]) -> None:
        """Take in readings, (times_s, values) by signal; those before the window are left out."""
        for signal, (times_s, values) in batch.items():
            times_s, values = np.asarray(times_s, float), np.asarray(values, float)
            if not times_s.size or times_s.max() < self.since_s:
                continue
            if times_s.min() < self.since_s:
                recent = times_s >= self.since_s
                times_s, values = times_s[recent], values[recent]
            self._parts.setdefault(signal, []).append((times_s, values))
            self.latest_s = max(self.latest_s, float(times_s.max()))

    def table(self) -> SignalTable:
        """Return the readings of the window; the parts they came in become one."""
        shared: dict[tuple[int, ...], Floats] = {}
        series = {}
        for signal, parts in self._parts.items():
            if len(parts) > 1:
                parts[:] = [_joined(parts, shared)]
            (times_s, values), (low, high) = parts[0], self._limits.get(signal, (None, None))
            series[signal] = SignalSeries(signal, self._units.get(signal, ""), times_s, values, low, high)
        return SignalTable(series)

    def move_to(self, since_s: float) -> None:
        """Let go of what was read before; call it on a window whose parts are joined."""
        self.since_s = since_s
        shared: dict[int, tuple[Bools, Floats]] = {}
        for signal, ((times_s, values), *_) in list(self._parts.items()):
            if id(times_s) not in shared:
                keep = times_s >= since_s
                shared[id(times_s)] = keep, times_s[keep]
            keep, kept = shared[id(times_s)]
            if kept.size:
                self._parts[signal] = [(kept, values[keep])]
            else:
                del self._parts[signal]


def _joined(parts: Sequence[Part], shared: dict[tuple[int, ...], Floats]) -> Part:
    """Return parts as one; signals whose parts share their times share the joined ones too."""
    which = tuple(id(times_s) for times_s, _ in parts)
    if which not in shared:
        shared[which] = np.concatenate([times_s for times_s, _ in parts])
    return shared[which], np.concatenate([values for _, values in parts])
