"""A recorded session as a replay needs it: what each ECU said when, and how long that holds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from vehicle.diagnostics.models import EcuCodes, FreezeFrame
from vehicle.poller.batch import Gap
from vehicle.poller.plan import PERIODS_S
from vehicle.runs import Run
from vehicle.signals import SIGNALS

# A reading holds for three of its signal's usual intervals and for a second at least: what analysis counts as no gap.
# The usual interval is the recorded one, and no shorter than a capture's own for such a signal.
HELD_INTERVALS = 3.0
HELD_AT_LEAST_US = 1_000_000


class Track:
    """The readings of one signal of one ECU, in time order."""

    def __init__(self, run: Run) -> None:
        import numpy as np

        order = np.argsort(run.times_us, kind="stable")
        self.signal = run.signal
        self.unit = run.unit
        self.times_us: list[int] = run.times_us[order].tolist()
        self.values: list[float] = run.values[order].tolist()
        steps = np.diff(np.unique(run.times_us))
        self.period_us = float(np.median(steps)) if steps.size else 0.0
        usual_us = max(self.period_us, _own_period_us(run.signal))
        self.held_us = max(HELD_INTERVALS * usual_us, HELD_AT_LEAST_US)

    def place(self, at_us: float) -> int | None:
        """Return the position of the reading that holds at a time; None before the first, and when it is too old."""
        found = bisect_right(self.times_us, at_us) - 1
        if found < 0 or at_us - self.times_us[found] > self.held_us:
            return None
        return found

    def next_us(self, after_us: float) -> float:
        """Return when the next reading comes after a time; infinite after the last."""
        found = bisect_right(self.times_us, after_us)
        return self.times_us[found] if found < len(self.times_us) else float("inf")


def _own_period_us(name: str) -> float:
    signal = SIGNALS.get(name)
    return 0.0 if signal is None else PERIODS_S[signal.rate] * 1e6


@dataclass(frozen=True)
class Recording:
    """What a replay knows: readings by ECU (an empty name where none was recorded), gaps, and codes where kept.

    `codes` is None where no trouble codes were recorded, which is not the same as no codes.
    """

    name: str
    runs: tuple[Run, ...]
    gaps: tuple[Gap, ...] = ()
    codes: tuple[EcuCodes, ...] | None = None
    freeze_frames: tuple[FreezeFrame, ...] = ()

    @cached_property
    def tracks(self) -> Mapping[str, Mapping[str, Track]]:
        """The readings by ECU and signal."""
        found: dict[str, dict[str, Track]] = {}
        for run in self.runs:
            if run.times_us.size:
                found.setdefault(run.ecu, {})[run.signal] = Track(run)
        return found

    @cached_property
    def first_us(self) -> int:
        """When the first reading was taken, in microseconds since the session's start."""
        return min((track.times_us[0] for track in self._all()), default=0)

    @cached_property
    def last_us(self) -> int:
        """When the last reading was taken."""
        return max((track.times_us[-1] for track in self._all()), default=0)

    @cached_property
    def shortest_period_us(self) -> float:
        """The usual interval of the signal that was read most often; 0 where every signal was read once."""
        return min((track.period_us for track in self._all() if track.period_us), default=0.0)

    def silence(self, at_us: float) -> str:
        """Say why nothing was recorded at a time; empty where something was."""
        for gap in self.gaps:
            if gap.start_us <= at_us < gap.end_us:
                return f"{self.name} has a gap here: {gap.reason}"
        if any(track.place(at_us) is not None for track in self._all()):
            return ""
        if at_us > self.last_us:
            return f"{self.name} is over: its last reading was at {self.last_us / 1e6:.1f} s"
        return f"{self.name} holds nothing at {at_us / 1e6:.1f} s"

    def _all(self) -> Iterator[Track]:
        return (track for tracks in self.tracks.values() for track in tracks.values())
