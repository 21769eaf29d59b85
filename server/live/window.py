"""The last minutes of one live session: latest values and statistics, computed only when asked for."""

from collections import deque
from collections.abc import Sequence
from threading import Lock

import numpy as np
from pydantic import BaseModel

from vehicle.runs import Run

LONGEST_S = 300.0
MOST_READINGS = 400_000
Key = tuple[str, str, str]


class SignalNow(BaseModel):
    """A signal in the window; statistics are over its readings, not over time."""

    signal: str
    unit: str
    ecu: str | None
    last: float
    last_s: float
    readings: int
    rate_per_s: float | None
    minimum: float
    maximum: float
    mean: float


class LiveStats(BaseModel):
    """What a session did in its last seconds; `until_s` is its latest reading, in seconds since its start."""

    session_id: str
    state: str
    window_s: float
    until_s: float | None
    readings: int
    rate_per_s: float | None
    signals: list[SignalNow]
    latest_event: str | None


class Window:
    """Recent runs, bounded by age and number of readings."""

    def __init__(self) -> None:
        self.end_us: int | None = None
        self._lock = Lock()
        self._batches: deque[tuple[int, int, Sequence[Run]]] = deque()
        self._readings = 0

    def add(self, runs: Sequence[Run], end_us: int) -> None:
        """Take a batch in, and forget what is too old or too much."""
        readings = sum(run.values.size for run in runs)
        with self._lock:
            self.end_us = end_us if self.end_us is None else max(end_us, self.end_us)
            self._batches.append((end_us, readings, runs))
            self._readings += readings
            oldest_us = self.end_us - LONGEST_S * 1e6
            while len(self._batches) > 1 and (
                self._readings > MOST_READINGS or self._batches[0][0] < oldest_us
            ):
                self._readings -= self._batches.popleft()[1]

    def signals(self, window_s: float) -> list[SignalNow]:
        """Return each signal's latest value and statistics over the window before the latest reading."""
        with self._lock:
            if self.end_us is None:
                return []
            start_us = self.end_us - round(window_s * 1e6)
            batches = [runs for end_us, _, runs in self._batches if end_us >= start_us]
        held: dict[Key, list[Run]] = {}
        for runs in batches:
            for run in runs:
                held.setdefault((run.signal, run.unit, run.ecu), []).append(run)
        found = (_signal(key, runs, start_us) for key, runs in sorted(held.items()))
        return [one for one in found if one is not None]


def _signal(key: Key, runs: Sequence[Run], start_us: int) -> SignalNow | None:
    times_us = np.concatenate([run.times_us for run in runs])
    values = np.concatenate([run.values for run in runs])
    recent = times_us >= start_us
    times_us, values = times_us[recent], values[recent]
    if not values.size:
        return None
    last = int(times_us.argmax())
    signal, unit, ecu = key
    return SignalNow(
        signal=signal,
        unit=unit,
        ecu=ecu or None,
        last=float(values[last]),
        last_s=int(times_us[last]) / 1e6,
        readings=values.size,
        rate_per_s=rate_per_s(values.size, int(times_us.max() - times_us.min()) / 1e6),
        minimum=float(values.min()),
        maximum=float(values.max()),
        mean=float(values.mean()),
    )


def rate_per_s(readings: int, span_s: float) -> float | None:
    """Return readings per second over the span between the first and the last; None for fewer than two."""
    return (readings - 1) / span_s if readings > 1 and span_s > 0 else None


def total_rate_per_s(signals: Sequence[SignalNow]) -> float | None:
    """Return the readings per second of all signals together; None where no signal has a rate."""
    rates = [signal.rate_per_s for signal in signals if signal.rate_per_s is not None]
    return sum(rates) if rates else None
