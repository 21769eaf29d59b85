"""Readings that drift steadily towards trouble: a straight line through the last minute."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from analysis.findings import Severity
from analysis.streaming.changes import Change, Latest, Readings, Said
from analysis.streaming.latch import Latch

WINDOW_S = 60.0
_SPACING_S = 1.0
_FEWEST = 20
# The slope must be this many of its standard errors: chance gives 5 once in about a million.
_ERRORS = 5.0


class Trend(NamedTuple):
    """A slope (per minute) that matters once the value is beyond `beyond`; negative slopes look downwards."""

    rule: str
    signal: str
    unit: str
    severity: Severity
    per_min: float
    beyond: float
    said: Said


TRENDS: tuple[Trend, ...] = (
    Trend(
        "coolant_rising", "coolant_temp", "°C", "warning", 3.0, 100.0,
        Said(
            "Coolant above 100 °C and rising", "level above 100 °C",
            "A regulated cooling circuit levels out; this one still gains more than 3 °C a minute.",
            "Reduce load, heater on; check fan, coolant level and thermostat.",
        ),
    ),
    Trend(
        "voltage_falling", "control_module_voltage", "V", "warning", -0.3, 12.6,
        Said(
            "Supply voltage falling", "steady",
            "Below 12.6 V and losing more than 0.3 V a minute: the battery is feeding the car.",
            "Check belt and alternator; save current and drive to a workshop.",
        ),
    ),
)  # fmt: skip


class TrendDetector:
    """One trend on one session, apart for each ECU."""

    def __init__(self, trend: Trend) -> None:
        self.trend = trend
        self.signals = frozenset({trend.signal})
        self._tracks: dict[str, deque[Latest]] = {}
        self._latches: dict[str, Latch] = {}

    def feed(self, readings: Readings, latest: Mapping[str, Latest]) -> Iterator[Change]:
        """Raise when the last minute goes the wrong way, clear when it no longer does."""
        trend = self.trend
        if readings.unit != trend.unit:
            return
        track = self._tracks.setdefault(readings.ecu, deque())
        latch = self._latches.setdefault(readings.ecu, Latch(0.0, 10.0))
        for newest in _spaced(readings, track):
            is_wrong = self._goes_wrong(track, latch.is_open)
            if latch.is_quiet and not is_wrong:
                continue
            goes_wrong = np.array([is_wrong])
            for _, is_raised in latch.step(np.array([newest.time_s]), goes_wrong, ~goes_wrong):
                yield Change(
                    trend.rule, "threshold", trend.signal, readings.ecu, is_raised, newest.time_s,
                    newest.value, trend.unit, trend.severity, trend.said,
                )  # fmt: skip

    def _goes_wrong(self, track: deque[Latest], is_open: bool) -> bool:
        """Tell whether the line through the window is steep and sure; half the slope is enough to stay open."""
        sign = 1.0 if self.trend.per_min > 0 else -1.0
        if sign * (track[-1].value - self.trend.beyond) <= 0 or len(track) < _FEWEST:
            return False
        points = np.array(track)
        slope, error = slope_with_error(points[:, 0], points[:, 1])
        least = abs(self.trend.per_min) / 60.0 * (0.5 if is_open else 1.0)
        return bool(sign * slope >= least and sign * slope >= _ERRORS * error)


def _spaced(readings: Readings, track: deque[Latest]) -> Iterator[Latest]:
    """Put readings at least a second apart on the track, yield each, and let the old ones go."""
    index = 0
    while True:
        if track:
            index = int(np.searchsorted(readings.times_s, track[-1].time_s + _SPACING_S))
        if index >= readings.times_s.size:
            return
        newest = Latest(float(readings.times_s[index]), float(readings.values[index]))
        track.append(newest)
        while track[0].time_s < newest.time_s - WINDOW_S:
            track.popleft()
        yield newest


def slope_with_error(
    times_s: np.ndarray[tuple[int], np.dtype[np.float64]],
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[float, float]:
    """Return the least-squares slope per second and its standard error (any textbook on simple regression)."""
    x = times_s - times_s.mean()
    spread = float(x @ x)
    if spread == 0.0:
        return 0.0, float("inf")
    slope = float(x @ values) / spread
    rest = values - values.mean() - slope * x
    return slope, float(np.sqrt(rest @ rest / (len(values) - 2) / spread))
