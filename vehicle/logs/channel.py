"""One channel of a log: turns the numbers found into readings and counts every cell that is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vehicle.logs.notes import PLACES, Notes
from vehicle.logs.preview import ColumnMatch
from vehicle.logs.text import clean
from vehicle.runs import Run
from vehicle.signals import SIGNALS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from vehicle.logs.names import Meaning

    Numbers = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Lines = NDArray[np.int64]

# Texts that stand for "no value" in the logs of one app or another.
MISSING = frozenset(
    {
        "",
        "-",
        "--",
        "---",
        "----",
        "nan",
        "n/a",
        "na",
        "#n/a",
        "null",
        "none",
        "nil",
        "no data",
        "nodata",
        "?",
        "inf",
        "-inf",
        "+inf",
        "infinity",
        "-infinity",
        "∞",
        "-∞",
        "+∞",
    }
)


class NotMeasured(NamedTuple):
    """A number that marks the absence of a measurement."""

    signal: re.Pattern[str]
    value: float
    tolerance: float
    reason: str


# Apps round 99.21875 to 99.2 or 99.22.
NOT_MEASURED = (
    NotMeasured(
        re.compile(r"o2_b\ds\d_trim"),
        99.21875,
        0.03,
        "99.2 % is the byte 255: the sensor is not used for fuel trim (SAE J1979)",
    ),
    NotMeasured(
        re.compile(r"commanded_equiv_ratio"),
        0.0,
        0.0,
        "a fuel-air ratio of 0 is no measurement, the car fills in zeros",
    ),
)


class Channel:
    """One column or named channel of a log."""

    def __init__(
        self,
        meaning: Meaning,
        notes: Notes,
        alone: Callable[[Meaning], Meaning],
        *,
        tells_repeats: bool = False,
    ) -> None:
        self.meaning = meaning
        self.match = ColumnMatch(
            source=meaning.source,
            unit_found=meaning.unit_found,
            signal=meaning.signal,
            unit=meaning.unit,
            how=meaning.how,
            reason=meaning.reason,
        )
        self.kept = self.missing = self.rejected = self.not_measured = 0
        self.first_missing = 0
        self.example = ""
        self._notes = notes
        self._alone = alone
        self._settled = False
        self._tells_repeats = tells_repeats
        self._last_us: int | None = None

    def take(self, column: pd.Series | Numbers, times_us: NDArray[np.int64], lines: Lines) -> Run | None:
        """Return the readings among the cells of some rows, and count the cells that are none."""
        numbers, wrong = self._numbers(column, lines)
        here = np.isfinite(numbers)
        self._count_missing(~here & ~wrong, lines)
        here &= ~self._marked(numbers)
        if not here.any():
            return None
        found = numbers[here]
        if not self._settled:
            self._settle(found)
        values = self._converted(found)
        times_us, lines = times_us[here], lines[here]
        self._tell_outside(values, lines)
        if self._tells_repeats:
            self._tell_repeats(times_us, lines)
        self.kept += len(values)
        meaning = self.meaning
        return Run(meaning.signal, meaning.unit, meaning.ecu, times_us, values, meaning.source)

    def finish(self, rows: int) -> None:
        """Settle what a channel without a single reading is."""
        if self.kept:
            return
        self.match.how, self.match.signal, self.match.unit = "ignored", None, None
        self._notes.forget(self._rejection)
        if self.not_measured:
            self.match.reason = "every value marks the absence of a measurement"
        elif self.rejected:
            self.match.reason = f"not numbers (such as {self.example!r})"
        else:
            self.match.reason = f"no value in any of the {rows:,} rows"

    def marks(self) -> list[NotMeasured]:
        """Return which marks of absence this channel's signal has."""
        return [mark for mark in NOT_MEASURED if mark.signal.fullmatch(self.meaning.signal)]

    def _numbers(self, column: pd.Series | Numbers, lines: Lines) -> tuple[Numbers, Mask]:
        if column.dtype.kind in "fiu":
            return np.asarray(column, dtype=np.float64), np.zeros(len(column), dtype=bool)
        import pandas as pd

        texts = pd.Series(column).astype(str).fillna("").str.strip()
        numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)
        wrong = ~np.isfinite(numbers) & ~texts.str.casefold().isin(MISSING).to_numpy()
        self._count_rejected(texts, np.flatnonzero(wrong), lines)
        return numbers, wrong

    @property
    def _rejection(self) -> str:
        return f"Cells of {self.meaning.source!r} that are not numbers"

    def _count_rejected(self, texts: pd.Series, found: NDArray[np.intp], lines: Lines) -> None:
        if not len(found):
            return
        self.rejected += len(found)
        self.example = self.example or clean(texts.iloc[found[0]], 20)
        places = [f"line {lines[i]} {clean(texts.iloc[i], 20)!r}" for i in found[:PLACES]]
        self._notes.count(self._rejection, places, len(found))

    def _count_missing(self, gone: Mask, lines: Lines) -> None:
        number = int(gone.sum())
        if number:
            self.missing += number
            self.first_missing = self.first_missing or int(lines[int(np.argmax(gone))])

    def _marked(self, numbers: Numbers) -> Mask:
        marked = np.zeros(len(numbers), dtype=bool)
        for mark in self.marks():
            marked |= np.abs(self._converted(numbers) - mark.value) <= mark.tolerance
        self.not_measured += int(marked.sum())
        return marked

    def _converted(self, numbers: Numbers) -> Numbers:
        factor, offset = self.meaning.factor, self.meaning.offset
        return numbers if (factor, offset) == (1.0, 0.0) else numbers * factor + offset

    def _outside(self, values: Numbers) -> Mask:
        signal = SIGNALS.get(self.meaning.signal)
        if signal is None:
            return np.zeros(len(values), dtype=bool)
        slack = (signal.high - signal.low) / 1000
        return (values < signal.low - slack) | (values > signal.high + slack)

    def _settle(self, found: Numbers) -> None:
        """Give up the signal where most of its first values are none it can have: another unit is meant."""
        self._settled = True
        values = self._converted(found)
        outside = self._outside(values)
        if outside.mean() <= 0.5:
            return
        signal = SIGNALS[self.meaning.signal]
        reason = (
            f"values like {values[outside][0]:g} {signal.unit} cannot be {signal.name} "
            f"({signal.low:g} to {signal.high:g}), so another unit or quantity is meant"
        )
        if signal.unit == "ratio" and 8 < np.median(values) < 30:
            reason += "; it looks like an air-fuel ratio, whose stoichiometric value the file does not state"
        self.meaning = self._alone(self.meaning.as_found(reason))
        self.match.signal, self.match.unit = self.meaning.signal, self.meaning.unit
        self.match.how, self.match.reason = "unknown", reason
        self._notes.say(f"{self.meaning.source!r} is kept as {self.meaning.signal}: {reason}.")

    def _tell_repeats(self, times_us: NDArray[np.int64], lines: Lines) -> None:
        before = times_us[0] - 1 if self._last_us is None else self._last_us
        self._last_us = int(times_us[-1])
        again = np.diff(times_us, prepend=before) == 0
        what = f"Readings of {self.meaning.source!r} with the time of the one before; both are kept"
        self._notes.count_lines(what, lines[again])

    def _tell_outside(self, values: Numbers, lines: Lines) -> None:
        found = np.flatnonzero(self._outside(values))
        if len(found):
            signal = SIGNALS[self.meaning.signal]
            self._notes.count(
                f"Values of {signal.name} beyond {signal.low:g} to {signal.high:g}, kept",
                [f"line {lines[i]}: {values[i]:g}" for i in found[:PLACES]],
                len(found),
            )
