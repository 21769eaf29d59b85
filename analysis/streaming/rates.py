"""Readings that change faster than the thing they measure can."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from analysis.streaming.changes import Change, Latest, Readings, Said
from analysis.streaming.latch import Latch

_STEP_S = 0.5
_LONGEST_S = 5.0
_CALM_S = 30.0


class Rate(NamedTuple):
    """The fastest believable change of a signal, per second."""

    rule: str
    signal: str
    unit: str
    most_per_s: float
    said: Said


_WIRING = "Look at the sensor's plug and wiring first: a loose contact jumps, a real change does not."
RATES: tuple[Rate, ...] = (
    Rate(
        "coolant_jump", "coolant_temp", "°C", 5.0,
        Said(
            "Coolant temperature jumps", "at most 5 °C/s",
            "Litres of coolant cannot change by 5 °C within a second.", _WIRING,
        ),
    ),
    Rate(
        "oil_jump", "oil_temp", "°C", 5.0,
        Said(
            "Oil temperature jumps", "at most 5 °C/s",
            "Litres of oil cannot change by 5 °C within a second.", _WIRING,
        ),
    ),
    Rate(
        "speed_jump", "speed", "km/h", 60.0,
        Said(
            "Speed jumps", "at most 60 km/h per second",
            "60 km/h per second is 1.7 g, more than road tyres transmit.",
            "Look for a dropout of the speed or wheel speed sensor; spinning or locked wheels also do this.",
        ),
    ),
)  # fmt: skip


class RateDetector:
    """One rate on one session, apart for each ECU; steps of half a second, so that quantisation is no jump."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.signals = frozenset({rate.signal})
        self._anchors: dict[str, Latest] = {}
        self._latches: dict[str, Latch] = {}

    def feed(self, readings: Readings, latest: Mapping[str, Latest]) -> Iterator[Change]:
        """Raise at a jump, clear after half a minute without one."""
        if readings.unit != self.rate.unit:
            return
        latch = self._latches.setdefault(readings.ecu, Latch(0.0, _CALM_S))
        if latch.is_quiet and not self._may_jump(readings):
            return
        for reading, per_s in self._steps(readings):
            is_jump = np.array([abs(per_s) > self.rate.most_per_s])
            for _, is_raised in latch.step(np.array([reading.time_s]), is_jump, ~is_jump):
                yield Change(
                    self.rate.rule, "anomaly", self.rate.signal, readings.ecu, is_raised, reading.time_s,
                    reading.value, self.rate.unit, "warning", self.rate.said,
                )  # fmt: skip

    def _may_jump(self, readings: Readings) -> bool:
        """Tell whether a jump is possible at all; where it is not, the last reading is the next step's start."""
        anchor = self._anchors.get(readings.ecu)
        low, high = readings.low, readings.high
        if anchor is not None:
            low, high = min(low, anchor.value), max(high, anchor.value)
        if high - low > self.rate.most_per_s * _STEP_S:
            return True
        self._anchors[readings.ecu] = Latest(float(readings.times_s[-1]), float(readings.values[-1]))
        return False

    def _steps(self, readings: Readings) -> Iterator[tuple[Latest, float]]:
        """Yield readings at least a step apart with the change per second since the one before."""
        anchor = self._anchors.get(readings.ecu)
        for time_s, value in zip(readings.times_s.tolist(), readings.values.tolist(), strict=True):
            if anchor is not None and time_s - anchor.time_s < _STEP_S:
                continue
            reading = Latest(time_s, value)
            if anchor is not None and time_s - anchor.time_s <= _LONGEST_S:
                yield reading, (value - anchor.value) / (time_s - anchor.time_s)
            anchor = self._anchors[readings.ecu] = reading
