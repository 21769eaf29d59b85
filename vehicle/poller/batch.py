"""What the poller hands over: runs of readings, gaps and changes of state, all in microseconds since its start."""

from __future__ import annotations

from typing import NamedTuple

from vehicle.runs import Run


class Gap(NamedTuple):
    """A stretch in which the car could not be read."""

    start_us: int
    end_us: int
    reason: str


class StateChange(NamedTuple):
    """The link changed its state (`connected`, `no_car`, `lost` …)."""

    at_us: int
    state: str
    reason: str


class Batch(NamedTuple):
    """What came since the batch before; `end_us` is when it was handed over."""

    runs: tuple[Run, ...]
    gaps: tuple[Gap, ...]
    states: tuple[StateChange, ...]
    end_us: int


class Collector:
    """Gathers readings until they are handed over."""

    def __init__(self, units: dict[str, str], source: str) -> None:
        self._units = units
        self._source = source
        self._values: dict[tuple[str, str], tuple[list[int], list[float]]] = {}

    def add(self, signal: str, ecu: str, time_us: int, value: float) -> None:
        """Keep one reading."""
        found = self._values.get((signal, ecu))
        if found is None:
            found = self._values[signal, ecu] = ([], [])
        found[0].append(time_us)
        found[1].append(value)

    def take(self) -> tuple[Run, ...]:
        """Return the runs gathered and begin anew."""
        if not self._values:
            return ()
        import numpy as np

        values, self._values = self._values, {}
        return tuple(
            Run(
                signal,
                self._units[signal],
                ecu,
                np.array(times, np.int64),
                np.array(numbers, np.float64),
                self._source,
            )
            for (signal, ecu), (times, numbers) in values.items()
        )
