"""Times as logs write them, read into microseconds: clock time, dates, epochs, seconds since anything."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vehicle.logs.names import unit_of
from vehicle.logs.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from vehicle.logs.preview import Clock

DAY_US = 86_400_000_000
_ENOUGH = 0.8  # of the cells looked at; the others are damaged
_NUMBER = re.compile(r"[-+]?\d{1,20}([.,]\d{0,20})?([eE][-+]?\d{1,3})?")
_FARTHEST_US = 9e15  # 285 years: beyond it a number is no time
_PER_UNIT = {"µs": 1.0, "ms": 1e3, "s": 1e6, "min": 6e7, "h": 3.6e9}
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?(?P<zone> ?(Z|[+-]\d{2}:?\d{2}))?")
_NAMED_MONTH = re.compile(r"\d{1,2}[-. /][^\W\d]{3,10}\.?[-. /]\d{4} \d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?")
_NUMBERED = re.compile(
    r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}),? \d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?"
)
_SECONDS = ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M", "%I:%M:%S.%f %p", "%I:%M:%S %p", "%I:%M %p")


@dataclass(frozen=True)
class TimeForm:
    """How one column writes time."""

    kind: str  # number, time of day, time of day number, iso, date, named month, rows
    clock: Clock
    per_unit_us: float = 1e6
    formats: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def wraps(self) -> bool:
        """Tell whether the time starts again at midnight."""
        return self.kind.startswith("time of day")

    @property
    def numeric(self) -> bool:
        """Tell whether the cells are plain numbers."""
        return self.kind.endswith("number")

    @property
    def dated(self) -> bool:
        """Tell whether the column settles the day."""
        return not self.wraps and self.clock != "none" and not self.doubt


def numbers_in(cells: Sequence[str]) -> list[float]:
    """Return the cells that are plain numbers, with either decimal sign."""
    return [float(cell.replace(",", ".")) for cell in cells if _NUMBER.fullmatch(cell)]


def number_form(samples: Sequence[str], unit_text: str | None) -> TimeForm | None:
    """Return the form of a numeric time column by its unit and size; None where it is not numeric."""
    values = numbers_in(samples)
    if not _most(values, samples):
        return None
    size = max((abs(value) for value in values), default=0.0)
    for limit, per_unit in ((1e17, 1e-3), (1e14, 1.0), (1e11, 1e3), (1e8, 1e6)):
        if size > limit:  # 1e8 s is 1973: no drive lasts that long, so it counts from 1970
            return TimeForm("number", "utc", per_unit)
    unit = unit_of(unit_text) if unit_text else None
    if unit is None or unit[0] not in _PER_UNIT:
        return TimeForm("number", "none", 1e6, doubt="the time column states no unit; taken as seconds")
    return TimeForm("number", "none", _PER_UNIT[unit[0]])


def text_form(samples: Sequence[str]) -> TimeForm | None:
    """Return the form of a written time by its first cells; None where it is none that is known."""
    if _most([sample for sample in samples if _TIME_OF_DAY.fullmatch(sample)], samples):
        return TimeForm("time of day", "local", formats=tuple(f"%Y-%m-%d {time}" for time in _SECONDS))
    iso = [match for sample in samples if (match := _ISO.fullmatch(sample))]
    if _most(iso, samples):
        zoned = all(match["zone"] for match in iso)
        return TimeForm("iso", "utc" if zoned else "local")
    if _most([sample for sample in samples if _NAMED_MONTH.fullmatch(sample)], samples):
        return TimeForm("named month", "local", formats=tuple(f"%Y-%m-%d {time}" for time in _SECONDS[:3]))
    return _numbered_form(samples)


def _most(found: Sequence[object], samples: Sequence[str]) -> bool:
    return len(found) > 0 and len(found) >= _ENOUGH * len(samples)


def _numbered_form(samples: Sequence[str]) -> TimeForm | None:
    matches = [match for sample in samples if (match := _NUMBERED.fullmatch(sample))]
    if not _most(matches, samples):
        return None
    mark = matches[0][2]
    day_first = mark == "." or any(int(match[1]) > 12 for match in matches)
    month_first = any(int(match[3]) > 12 for match in matches)
    doubt = "" if day_first or month_first else "day and month cannot be told apart, so the day is not kept"
    date = f"%d{mark}%m{mark}%Y" if day_first else f"%m{mark}%d{mark}%Y"
    formats = tuple(f"{date}{comma} {time}" for comma in ("", ",") for time in _SECONDS)
    return TimeForm("date", "local", formats=formats, doubt=doubt)


def read_times(column: pd.Series, form: TimeForm) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return microseconds (since 1970, since midnight or since anything) and which cells could be read."""
    if form.numeric:
        return _read_numbers(column, form.per_unit_us)
    texts = column.astype(str).fillna("").str.strip()
    if form.kind == "iso":
        return _as_us(_parsed_iso(texts))
    texts = texts.str.replace(r"(\d),(\d)", r"\1.\2", regex=True)
    if form.kind == "named month":
        texts = _month_numbers(texts)
    elif form.wraps:
        texts = "1970-01-01 " + texts
    return _as_us(_parsed(texts, form.formats))


def _read_numbers(column: pd.Series, per_unit: float) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    import pandas as pd

    if column.dtype.kind not in "fiu":
        column = pd.to_numeric(column.astype(str).str.replace(",", ".", regex=False), errors="coerce")
    scaled = column.to_numpy(dtype=np.float64) * per_unit
    ok = np.abs(scaled) < _FARTHEST_US
    return np.rint(np.where(ok, scaled, 0.0)).astype(np.int64), ok


def _parsed_iso(texts: pd.Series) -> pd.Series:
    import pandas as pd

    texts = texts.str.replace(",", ".", regex=False)
    return pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)


def _parsed(texts: pd.Series, formats: Sequence[str]) -> pd.Series:
    import pandas as pd

    # pandas reads ISO 8601 several times as fast as any other form, so what can pass for it is tried so first.
    first, *others = ("ISO8601", *formats) if texts.iloc[:1].str.match(r"\d{4}-").all() else formats
    parsed = pd.to_datetime(texts, format=first, errors="coerce")
    for other in others:
        left = parsed.isna()
        if not left.any():
            break
        parsed = parsed.fillna(pd.to_datetime(texts[left], format=other, errors="coerce"))
    return parsed


def _as_us(parsed: pd.Series) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    ok = parsed.notna().to_numpy()
    us = parsed.to_numpy(dtype="datetime64[us]").astype(np.int64)
    return np.where(ok, us, 0), ok


def _month_numbers(texts: pd.Series) -> pd.Series:
    dates = texts.str.rpartition(" ")
    known = {date: _numbered_date(date) for date in dates[0].unique()}
    return dates[0].map(known) + " " + dates[2]


def _numbered_date(date: str) -> str:
    parts = re.split(r"[-. /]+", date)
    if len(parts) != 3 or parts[1].casefold() not in _months():
        return date
    return f"{parts[2]}-{_months()[parts[1].casefold()]:02d}-{parts[0]:0>2}"


@cache
def _months() -> dict[str, int]:
    with (Path(__file__).parent / "data" / "months.csv").open(encoding="utf-8", newline="") as file:
        return {
            text: int(row["month"]) for row in csv.DictReader(file) for text in row["spellings"].split("|")
        }


def zone_minutes(text: str) -> int | None:
    """Return the offset from UTC that a text such as `Wed Aug 05 18:57:56 GMT+01:00 2026` states."""
    zone = re.search(r"GMT([+-])(\d{2}):(\d{2})", clean(text)) or re.search(
        r"(GMT|UTC)()()(?![+-])", clean(text)
    )
    if zone is None:
        return None
    return 0 if not zone[2] else (int(zone[2]) * 60 + int(zone[3])) * (1 if zone[1] == "+" else -1)
