"""carOBD recordings: no clock but the engine's run time in whole seconds, a separator after every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vehicle.logs.clock import TimeForm
from vehicle.logs.notes import PLACES, Notes
from vehicle.logs.table import find_table
from vehicle.logs.ticks import Placed, place_rows
from vehicle.logs.wide import ClockColumn, WideReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vehicle.logs.frames import Frame
    from vehicle.logs.text import Head
    from vehicle.runs import Run

_CLOCK = "ENGINE_RUN_TI"  # TINE in the published files; TIME in case it is ever spelled right


class CarObdReader(WideReader):
    """Reads carOBD's CSV; row times are fitted to the engine's run time."""

    format = "carobd"
    title = "carOBD CSV"

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._times_us: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    @classmethod
    def score(cls, head: Head) -> float:
        """Return 0.95 where the engine's run time leads headings with empty brackets."""
        table = find_table(head.lines)
        if table is None or not table.header[0].startswith(_CLOCK):
            return 0.0
        return 0.95 if all(name.endswith("()") for name in table.header if name) else 0.6

    def _find_clock(self) -> ClockColumn:
        return ClockColumn(0, TimeForm("number", "none"))

    def _runs(self) -> Iterator[list[Run]]:
        clock = [
            frame.data[0].to_numpy(dtype=np.float64, na_value=np.nan)
            if frame.data[0].dtype.kind in "fiu"
            else np.full(len(frame.lines), np.nan)
            for frame in self._frames(Notes())  # read twice, so what is wrong with rows is told once
        ]
        self._place(np.concatenate(clock) if clock else np.empty(0))
        yield from super()._runs()

    def _place(self, clock_s: NDArray[np.float64]) -> None:
        placed = place_rows(clock_s)
        if placed is None:
            self.timing = "order"
            self._times_us = np.arange(len(clock_s))
            self._notes.say(
                "The engine's run time never ticks, so rows have no time: times only number them "
                "(1 µs apart) and mean no duration."
            )
            return
        self.timing = "interpolated"
        self._times_us = np.rint(placed.times_s * 1e6).astype(np.int64)
        self._tell_placing(placed)

    def _tell_placing(self, placed: Placed) -> None:
        self._notes.say(
            f"Row times are interpolated, not measured: the only clock is the engine's run time in whole seconds, "
            f"read less often than rows are written. Rows are placed {placed.period_s:.4f} s apart "
            f"({1 / placed.period_s:.2f} rows/s, fitted to its ticks; carOBD's readme says 1 Hz), each within "
            f"about {placed.error_s:.2f} s of its true time, but for the rows next to a pause."
        )
        self._notes.say(
            f"{placed.before_first} rows before the first tick and {placed.after_last} after the last "
            "one are placed at the same distance: the engine's clock stood still there."
        )
        self._notes.count(
            "Pauses where the clock jumps ahead of the rows",
            [f"row {row + 1}: {seconds:.1f} s" for row, seconds in placed.pauses[:PLACES]],
            len(placed.pauses),
        )
        self._notes.count(
            "Places where rows come faster than that, placed at half the distance until caught up",
            [f"row {row + 1}" for row in placed.rushes[:PLACES]],
            len(placed.rushes),
        )
        self._notes.count(
            "The engine's clock starts again; the pause before it is unknown, taken as one row",
            [f"row {row + 1}" for row in placed.restarts[:PLACES]],
            len(placed.restarts),
        )
        self._notes.say(
            f"The clock is read anew about every {placed.rows_per_tick} rows, and so are other values; "
            "rows in between repeat them. Which row was the fresh one cannot be told where a value "
            "stays the same, so every row is kept."
        )

    def _tell_clock_column(self) -> None:
        """Say nothing: here the clock is a reading of the car as well."""

    def _is_kept(self, index: int, heading: str) -> bool:
        return heading != ""

    def _clock_us(self, frame: Frame) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        begin = self.rows - len(frame.lines)
        times = self._times_us[begin : self.rows]
        return times, np.ones(len(times), dtype=bool)
