"""A log's times put on one line from its start: midnight, steps back, repeats and gaps are seen and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vehicle.logs.clock import DAY_US
from vehicle.logs.notes import PLACES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vehicle.logs.notes import Notes

HALF_DAY_US = DAY_US // 2
SHORTEST_GAP_US = 2_000_000
GAP_INTERVALS = 10  # a gap is longer than this many usual intervals
FEWEST_INTERVALS = 5


class Timeline:
    """Turns a log's own clock, row after row, into microseconds since its first row."""

    def __init__(self, notes: Notes, *, wraps: bool = False, tells_repeats: bool = True) -> None:
        self._notes = notes
        self._wraps = wraps
        self._tells_repeats = tells_repeats
        self._days_us = 0
        self._last_us: int | None = None
        self._gap_us: int | None = None
        self._longest_gap = (0, 0)
        self._largest_step_back = 0
        self.start_us: int | None = None  # of the file's own clock
        self.end_us = 0  # latest time since the start

    def place(self, clock_us: NDArray[np.int64], lines: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return times since the first row for rows given in file order by their own clock."""
        if not len(clock_us):
            return clock_us
        if self.start_us is None:
            self.start_us = int(clock_us[0])
        clock_us = self._unwrapped(clock_us, lines) if self._wraps else clock_us
        known = clock_us if self._last_us is None else np.concatenate(([self._last_us], clock_us))
        steps = np.diff(known)
        self._tell(steps, lines[-len(steps) :] if len(steps) else lines[:0], known[1:])
        self._last_us = int(clock_us[-1])
        times = clock_us - self.start_us
        self.end_us = max(self.end_us, int(times.max()))
        return times

    def finish(self) -> None:
        """Tell what can only be said at the end: the longest gap and the largest step back."""
        length, at = self._longest_gap
        if length:
            self._notes.say(f"The longest gap lasts {length / 1e6:.1f} s, {at / 1e6:.1f} s after the start.")
        if self._largest_step_back:
            self._notes.say(
                f"The largest step back in time is {self._largest_step_back / 1e6:.3f} s; "
                "readings keep the time the file gives them."
            )

    def _unwrapped(self, clock_us: NDArray[np.int64], lines: NDArray[np.int64]) -> NDArray[np.int64]:
        last = clock_us[0] if self._last_us is None else (self._last_us - self._days_us)
        steps = np.diff(clock_us, prepend=last)
        # A late row from before midnight steps forward by most of a day: that day is taken back again.
        turns = (steps < -HALF_DAY_US).astype(np.int64) - (steps > HALF_DAY_US).astype(np.int64)
        self._notes.count_lines("The clock passed midnight; later times count on", lines[turns == 1])
        days = self._days_us + np.cumsum(turns) * DAY_US
        self._days_us = int(days[-1])
        return clock_us + days

    def _tell(self, steps: NDArray[np.int64], lines: NDArray[np.int64], clock_us: NDArray[np.int64]) -> None:
        back = steps < 0
        self._notes.count_lines("Time steps back", lines[back])
        self._largest_step_back = max(self._largest_step_back, -int(steps.min(initial=0)))
        if self._tells_repeats:
            self._notes.count_lines("Rows with the time of the row before; both are kept", lines[steps == 0])
        self._tell_gaps(steps, lines, clock_us)

    def _tell_gaps(
        self, steps: NDArray[np.int64], lines: NDArray[np.int64], clock_us: NDArray[np.int64]
    ) -> None:
        forward = steps[steps > 0]
        if self._gap_us is None and len(forward) >= FEWEST_INTERVALS:
            self._gap_us = max(SHORTEST_GAP_US, GAP_INTERVALS * int(np.median(forward)))
        if self._gap_us is None or self.start_us is None:
            return
        found = np.flatnonzero(steps > self._gap_us)
        starts = clock_us[found] - steps[found] - self.start_us
        places = [
            f"{starts[i] / 1e6:.1f} s: {steps[at] / 1e6:.1f} s, line {lines[at]}"
            for i, at in enumerate(found[:PLACES])
        ]
        self._notes.count(f"Gaps longer than {self._gap_us / 1e6:g} s", places, len(found))
        if len(found):
            longest = int(np.argmax(steps[found]))
            self._longest_gap = max(self._longest_gap, (int(steps[found][longest]), int(starts[longest])))
