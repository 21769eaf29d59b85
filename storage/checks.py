"""Refuse, with a clear message, what must not be stored."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from storage.codec import Floats, Ints
from storage.errors import InvalidDataError
from storage.live import VMAX, VMIN, Batch
from storage.records import Block, Column, Readings

# Far beyond any clock (3,170 years), and far enough from int64's edge that differences never overflow.
TIME_LIMIT_US = 10**17
PIECE_READINGS = 1_000_000
MAX_COLUMNS = 65_535
_INT64, _FLOAT64 = np.dtype(np.int64), np.dtype(np.float64)


def columns_of(readings: Readings) -> Sequence[Column]:
    """Return readings column by column, whatever form they came in."""
    return readings.columns() if isinstance(readings, Block) else readings


def checked(columns: Sequence[Column]) -> list[Column]:
    """Return the columns that have readings, as int64 and float64 arrays, or raise InvalidDataError."""
    ready = [column if _is_ready(column) else _converted(column) for column in columns]
    filled = [column for column in ready if column.times_us.size]
    if not filled:
        raise InvalidDataError("The batch has no readings.", "Send at least one reading.")
    if len(filled) > MAX_COLUMNS:
        raise InvalidDataError(
            f"The batch has {len(filled)} columns; {MAX_COLUMNS} are allowed.", "Send fewer."
        )
    return filled


def _is_ready(column: Column) -> bool:
    """Tell whether a column can be stored as it is; the usual case, and cheap."""
    times, values = column.times_us, column.values
    return (
        type(times) is np.ndarray
        and type(values) is np.ndarray
        and times.dtype is _INT64
        and values.dtype is _FLOAT64
        and times.ndim == 1
        and times.shape == values.shape
        and bool(column.signal)
    )


def is_ready(block: Block) -> bool:
    """Tell whether a block can be packed as it is; otherwise its columns are looked at one by one."""
    times, values = block.times_us, block.values
    return (
        times.dtype is _INT64
        and values.dtype is _FLOAT64
        and values.shape == (len(block.keys), times.size)
        and values.flags.c_contiguous
        and 0 < values.size <= PIECE_READINGS
        and len(block.keys) <= MAX_COLUMNS
    )


def _converted(column: Column) -> Column:
    times, values = np.asarray(column.times_us), np.asarray(column.values)
    if times.ndim != 1 or times.shape != values.shape:
        raise InvalidDataError(
            f"{column.signal}: {times.shape} times for {values.shape} values.",
            "Give one-dimensional arrays of equal length.",
        )
    if not column.signal:
        raise InvalidDataError("A column has no signal name.", "Name every signal.")
    if times.size and times.dtype.kind not in "iu":
        raise InvalidDataError(
            f"{column.signal}: times are {times.dtype}.", "Give whole microseconds (int64)."
        )
    if values.size and values.dtype.kind not in "iufb":
        raise InvalidDataError(f"{column.signal}: values are {values.dtype}.", "Give numbers (float64).")
    return column._replace(
        times_us=times.astype(np.int64, copy=False), values=values.astype(np.float64, copy=False)
    )


def check_batch(batch: Batch, readings: Readings) -> None:
    """Raise InvalidDataError where a packed batch shows values or times that must not be stored."""
    zones = batch.head.view(np.float64)[:, VMIN : VMAX + 1]
    if not np.isfinite(zones).all():
        _refuse_first(columns_of(readings))
    if batch.last_us > TIME_LIMIT_US or batch.first_us < -TIME_LIMIT_US:
        raise InvalidDataError(
            f"Times must lie within ±{TIME_LIMIT_US} µs of the session's start.",
            "Give times in microseconds since the session's start.",
        )


def _refuse_first(columns: Sequence[Column]) -> None:
    for column in columns:
        bad = int(column.values.size - np.isfinite(column.values).sum())
        if bad:
            raise InvalidDataError(
                f"{column.signal}: {bad} of {column.values.size} values are not finite numbers.",
                "Drop them and report how many were dropped; a reading is a finite number.",
            )


def pieces(columns: Sequence[Column]) -> Iterator[list[Column]]:
    """Cut a large batch into batches that one row can hold; shared times stay shared."""
    step = max(1, PIECE_READINGS // len(columns))
    longest = max(column.times_us.size for column in columns)
    if longest <= step:
        yield list(columns)
        return
    for start in range(0, longest, step):
        cut = {id(column.times_us): column.times_us[start : start + step] for column in columns}
        yield [
            column._replace(times_us=cut[id(column.times_us)], values=column.values[start : start + step])
            for column in columns
            if column.times_us.size > start
        ]


def plain_json(name: str, data: Mapping[str, Any] | Sequence[str]) -> Any:
    """Return data as JSON can hold it, or raise InvalidDataError."""
    try:
        return json.loads(json.dumps(data, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidDataError(
            f"{name} cannot be stored as JSON: {error}.",
            "Use text, finite numbers, true, false, null, lists, objects.",
        ) from error


def in_range(times: Ints, values: Floats, start_us: int | None, end_us: int | None) -> tuple[Ints, Floats]:
    """Return the readings with start <= time <= end of a run in time order; None leaves a side open."""
    low = 0 if start_us is None else int(np.searchsorted(times, start_us, "left"))
    high = times.size if end_us is None else int(np.searchsorted(times, end_us, "right"))
    return (times, values) if (low, high) == (0, times.size) else (times[low:high], values[low:high])
