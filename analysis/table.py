"""The signal table: what a session measured, one irregular series per signal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import MissingSignalError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SignalSeries:
    """Readings of one signal: `times_s` (seconds since session start, as recorded) and as many `values`.

    Times are as the source gave them: gaps, duplicates and steps backwards are kept, since they are evidence.
    """

    signal: str
    unit: str
    times_s: Floats
    values: Floats
    low: float | None = None
    high: float | None = None
    ecu: str | None = None

    def __len__(self) -> int:
        return int(self.times_s.size)

    def between(self, start_s: float | None, end_s: float | None) -> "SignalSeries":
        """Return the readings with start_s <= time <= end_s; None leaves that side open."""
        keep = np.ones(self.times_s.size, dtype=bool)
        if start_s is not None:
            keep &= self.times_s >= start_s
        if end_s is not None:
            keep &= self.times_s <= end_s
        return SignalSeries(
            self.signal, self.unit, self.times_s[keep], self.values[keep], self.low, self.high, self.ecu
        )


class SignalTable(Mapping[str, SignalSeries]):
    """A session's series by signal name; a second ECU's answer is keyed `signal@ECU`.

    `low` and `high` of a series are the limits the standard allows for the signal, where it states them.
    """

    def __init__(self, series: Mapping[str, SignalSeries]) -> None:
        self._series = dict(series)

    def __getitem__(self, name: str) -> SignalSeries:
        return self._series[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def require(self, name: str, purpose: str) -> SignalSeries:
        """Return a series, or raise MissingSignalError naming what it was needed for."""
        if name not in self._series or not len(self._series[name]):
            held = ", ".join(sorted(self._series)) or "no signals at all"
            raise MissingSignalError(
                f"{purpose} needs the signal {name}, which this session does not have.",
                f"The session has: {held}. Record {name} and try again.",
            )
        return self._series[name]

    def between(self, start_s: float | None, end_s: float | None) -> "SignalTable":
        """Return the table restricted to a window in seconds since session start."""
        return SignalTable({name: series.between(start_s, end_s) for name, series in self.items()})

    @property
    def readings(self) -> int:
        """Number of readings over all signals."""
        return sum(len(series) for series in self.values())

    @property
    def span_s(self) -> tuple[float, float]:
        """First and last time of any reading; (0.0, 0.0) for an empty table."""
        filled = [series.times_s for series in self.values() if len(series)]
        if not filled:
            return 0.0, 0.0
        return float(min(t.min() for t in filled)), float(max(t.max() for t in filled))
