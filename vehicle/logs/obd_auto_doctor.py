"""OBD Auto Doctor exports: one request answered per row, every other column repeats its last value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vehicle.logs.dayless import DaylessReader
from vehicle.logs.rotation import Rotation, is_rotation
from vehicle.logs.table import find_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from vehicle.logs.frames import Frame
    from vehicle.logs.text import Head
    from vehicle.runs import Run


class ObdAutoDoctorReader(DaylessReader):
    """Reads the CSV of OBD Auto Doctor and keeps each value once, in the row where it was read."""

    format = "obd_auto_doctor"
    title = "OBD Auto Doctor CSV"

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._rotation: Rotation | None = None
        self._decided = False
        self._held: tuple[Frame, NDArray[np.int64]] | None = None

    @classmethod
    def score(cls, head: Head) -> float:
        """Return 0.9 where the header is `Time` and names with their unit in square brackets."""
        table = find_table(head.lines)
        if table is None or table.header[0] != "Time":
            return 0.0
        return 0.9 if all(name.endswith("]") for name in table.header[1:] if name) else 0.0

    def _runs(self) -> Iterator[list[Run]]:
        yield from super()._runs()
        if self._held is not None and self._rotation is not None:
            yield self._read(self._rotation, *self._held, last=True)

    def _columns(self, frame: Frame, times_us: NDArray[np.int64]) -> list[Run]:
        self._decide(frame)
        if self._rotation is None:
            return super()._columns(frame, times_us)
        if self._held is not None:
            frame, times_us = _joined(self._held, (frame, times_us))
        return self._read(self._rotation, frame, times_us, last=False)

    def _decide(self, frame: Frame) -> None:
        if self._decided:
            return
        self._decided = True
        values = self._values(frame)
        if is_rotation(values):
            self._rotation = Rotation(values.shape[1])
        else:
            self._notes.say(
                "Rows may repeat earlier values: which cells were read anew cannot be told, "
                "so all are kept with the time of their row."
            )

    def _values(self, frame: Frame) -> NDArray[np.float64]:
        import pandas as pd

        columns = [pd.to_numeric(frame.data[index], errors="coerce") for index in self._value_columns(frame)]
        return np.column_stack(columns).astype(np.float64) if columns else np.empty((len(frame.lines), 0))

    def _value_columns(self, frame: Frame) -> list[int]:
        return [
            index
            for index, heading in enumerate(frame.header)
            if self._is_kept(index, heading) and index in frame.data
        ]

    def _read(
        self, rotation: Rotation, frame: Frame, times_us: NDArray[np.int64], *, last: bool
    ) -> list[Run]:
        values = self._values(frame)
        fresh, settled = rotation.fresh(values, last=last)
        rest = frame._replace(data=frame.data[settled:], lines=frame.lines[settled:])
        self._held = (rest, times_us[settled:]) if len(rest.lines) else None
        self._tell(values[:settled], fresh.cells, frame.lines[:settled][fresh.unsettled])
        return [
            run
            for j, index in enumerate(self._value_columns(frame))
            if (run := self._taken(frame, times_us, index, np.flatnonzero(fresh.cells[:, j]))) is not None
        ]

    def _taken(
        self, frame: Frame, times_us: NDArray[np.int64], index: int, rows: NDArray[np.intp]
    ) -> Run | None:
        channel = self._channel_at(index, frame.header)
        column: pd.Series = frame.data[index].iloc[rows]
        return channel.take(column, times_us[rows], frame.lines[rows]) if channel else None

    def _tell(
        self, values: NDArray[np.float64], cells: NDArray[np.bool_], unsettled: NDArray[np.int64]
    ) -> None:
        self._notes.say(
            "Each row carries one new answer, in the order of the columns, and repeats the last "
            "value of the others: only the cell that was read in its row is kept."
        )
        self._notes.count("Repeated cells, not kept", number=int((~np.isnan(values) & ~cells).sum()))
        self._notes.count(
            "Cells still empty because nothing was read yet", number=int(np.isnan(values).sum())
        )
        self._notes.count_lines(
            "Rows of which it cannot be told what was read, not kept: requests were skipped around them",
            unsettled,
        )


def _joined(
    first: tuple[Frame, NDArray[np.int64]], then: tuple[Frame, NDArray[np.int64]]
) -> tuple[Frame, NDArray[np.int64]]:
    import pandas as pd

    (before, times), (after, more) = first, then
    data = pd.concat([before.data, after.data], ignore_index=True)
    lines = np.concatenate((before.lines, after.lines))
    return after._replace(data=data, lines=lines), np.concatenate((times, more))
