"""Readings beyond a limit that holds for any car."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analysis.findings import Severity
from analysis.streaming.changes import Change, Latest, Readings, Said
from analysis.streaming.latch import Latch

RUNNING_RPM = 400.0
_FRESH_S = 5.0


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit with its way back: raised beyond `raise_at`, cleared on the other side of `clear_at`."""

    rule: str
    signal: str
    unit: str
    severity: Severity
    raise_at: float
    clear_at: float
    said: Said
    after_s: float = 2.0
    clear_after_s: float = 5.0
    only_running: bool = False

    @property
    def is_upper(self) -> bool:
        """Whether values above are bad, not values below."""
        return self.raise_at > self.clear_at


class LimitDetector:
    """One limit on one session, apart for each ECU."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.signals = frozenset({limit.signal, "rpm"} if limit.only_running else {limit.signal})
        self._latches: dict[str, Latch] = {}

    def feed(self, readings: Readings, latest: Mapping[str, Latest]) -> Iterator[Change]:
        """Raise when the limit is passed for long enough, clear when it is well again."""
        limit = self.limit
        if readings.signal != limit.signal or readings.unit != limit.unit:
            return
        latch = self._latches.setdefault(readings.ecu, Latch(limit.after_s, limit.clear_after_s))
        passed = readings.high > limit.raise_at if limit.is_upper else readings.low < limit.raise_at
        if latch.is_quiet and not passed:
            return
        values = readings.values
        exceeds = values > limit.raise_at if limit.is_upper else values < limit.raise_at
        if limit.only_running and not _is_running(latest, float(readings.times_s[-1])):
            exceeds[:] = False
        is_well = values < limit.clear_at if limit.is_upper else values > limit.clear_at
        for index, is_raised in latch.step(readings.times_s, exceeds, is_well):
            at_s, value = float(readings.times_s[index]), float(values[index])
            yield Change(
                limit.rule, "threshold", limit.signal, readings.ecu, is_raised, at_s, value, limit.unit,
                limit.severity, limit.said,
            )  # fmt: skip


def _is_running(latest: Mapping[str, Latest], now_s: float) -> bool:
    """Tell whether the engine runs; where nobody read its speed just now, nobody knows."""
    rpm = latest.get("rpm")
    return rpm is not None and rpm.value >= RUNNING_RPM and abs(now_s - rpm.time_s) <= _FRESH_S
