"""Joins vehicle and analysis: what a live session reads, as a signal table named like that of the stored session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import TYPE_CHECKING

from tools.session_table import signal_limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analysis.table import SignalTable
    from vehicle.runs import Run

    Floats = NDArray[np.float64]

FASTEST_HZ = 20.0
"""Twice what analysis resolves; of what is read faster, so many of every few readings are left out."""
_ROUNDING = 0.01


class LiveTables:
    """The tables of one session, one after the other.

    The ECU heard first has a signal's plain name; another one's answer is keyed `signal@ECU`. Runs in another unit
    than a signal's first are left out: they cannot be compared.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], tuple[str, str]] = {}

    def table(self, runs: Iterable[Run]) -> SignalTable:
        """Return runs in their order of arrival; those read at the same times share them."""
        from analysis.table import SignalSeries, SignalTable

        limits = signal_limits()
        shared: dict[tuple[int, ...], tuple[Floats, int]] = {}
        table = {}
        for name, parts in self._by_name(runs).items():
            signal, unit, ecu = parts[0][:3]
            times_s, values = _joined(parts, shared)
            low, high = limits.get((signal, unit), (None, None))
            table[name] = SignalSeries(name, unit, times_s, values, low, high, ecu or None)
        return SignalTable(table)

    def _by_name(self, runs: Iterable[Run]) -> dict[str, list[Run]]:
        found: dict[str, list[Run]] = {}
        for run in runs:
            key = run.signal, run.ecu
            if key not in self._names:
                taken = any(signal == run.signal for signal, _ in self._names)
                self._names[key] = (f"{run.signal}@{run.ecu}" if taken else run.signal), run.unit
            name, unit = self._names[key]
            if unit == run.unit:
                found.setdefault(name, []).append(run)
        return found


def _joined(runs: Sequence[Run], shared: dict[tuple[int, ...], tuple[Floats, int]]) -> tuple[Floats, Floats]:
    import numpy as np

    which = tuple(id(run.times_us) for run in runs)
    if which not in shared:
        times_s = np.concatenate([run.times_us for run in runs]) / 1e6
        every = _every(times_s)
        shared[which] = times_s[::every], every
    times_s, every = shared[which]
    return times_s, np.concatenate([run.values for run in runs])[::every]


def _every(times_s: Floats) -> int:
    """Return which share of readings to keep: every first, second, … one."""
    span_s = float(times_s[-1] - times_s[0])
    rate_hz = (times_s.size - 1) / span_s if span_s > 0 else 0.0
    return max(1, ceil(rate_hz / FASTEST_HZ - _ROUNDING))
