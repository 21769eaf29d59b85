"""Puts signals that were read at different moments into one table, without inventing a value."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

_US = 1_000_000
# Two readings of one signal at one microsecond are told apart by counting; this many of them still fit in 64 bits.
_MOST_AT_ONCE = 4000
_MOSTLY = 0.5


@dataclass
class Axis:
    """Signals that share their times: `values` has one row per name, `times` are microseconds, ascending."""

    times: NDArray[np.int64]
    values: NDArray[np.float64]
    names: list[str]


def cut(axes: list[Axis], started_us: int, start_s: float | None, end_s: float | None) -> list[Axis]:
    """Return the axes between two positions in seconds since the session's start, both included."""
    if start_s is None and end_s is None:
        return axes
    result = []
    for axis in axes:
        first = (
            0 if start_s is None else np.searchsorted(axis.times, started_us + round(start_s * _US), "left")
        )
        last = (
            None if end_s is None else np.searchsorted(axis.times, started_us + round(end_s * _US), "right")
        )
        result.append(Axis(axis.times[first:last], axis.values[:, first:last], axis.names))
    return result


def series(
    axes: list[Axis], wanted: list[str], started_us: int | None, attrs: dict[str, Any]
) -> "dict[str, pd.Series]":
    """Return every signal with its own times."""
    import pandas as pd

    found = {}
    for axis in axes:
        index = _index(axis.times, started_us)
        for name, values in zip(axis.names, axis.values, strict=True):
            found[name] = pd.Series(values, index=index, name=name, copy=False)
            found[name].attrs.update(attrs, unit=attrs["units"].get(name, ""))
    return {name: found[name] for name in wanted}


def table(
    axes: list[Axis],
    wanted: list[str],
    started_us: int | None,
    attrs: dict[str, Any],
    how: str,
    step_s: float,
) -> "pd.DataFrame":
    """Return one table of all signals; `how` is union, inner or grid."""
    if how not in ("union", "inner", "grid"):
        raise ValueError(f"how={how!r}; allowed are 'union', 'inner' and 'grid'")
    if how == "grid":
        axes = _grid(axes, step_s)
    one = axes[0] if len(axes) == 1 else _union(axes)
    if how == "union" and len(axes) > 1:
        _say_how_empty(axes, one)
    frame = _frame(one, wanted, started_us)
    if how == "inner":
        frame = frame.dropna()
    frame.attrs.update(attrs)
    return frame


def _frame(axis: Axis, wanted: list[str], started_us: int | None) -> "pd.DataFrame":
    import pandas as pd

    index = _index(axis.times, started_us)
    if axis.names == wanted:
        return pd.DataFrame(axis.values.T, index=index, columns=wanted, copy=False)
    rows = {name: axis.values[axis.names.index(name)] for name in wanted}
    return pd.DataFrame(rows, index=index, columns=wanted, copy=False)


def _index(times: NDArray[np.int64], started_us: int | None) -> "pd.Index":
    import pandas as pd

    if started_us is None:
        return pd.Index(times / _US, name="time_s")
    return pd.DatetimeIndex(times.view("M8[us]"), name="time", copy=False).tz_localize("UTC")


def _union(axes: list[Axis]) -> Axis:
    """Return one axis with every moment of any; NaN where a signal was not read."""
    names = [name for axis in axes for name in axis.names]
    if not axes:
        return Axis(np.empty(0, np.int64), np.empty((0, 0)), names)
    repeats = max((_repeats(axis.times).max(initial=0) for axis in axes), default=0) + 1
    if repeats > _MOST_AT_ONCE:
        raise ValueError(
            f"{repeats} readings of one signal at one moment; use raw=True and align them yourself"
        )
    keys = [axis.times * repeats + _repeats(axis.times) for axis in axes]
    moments = np.unique(np.concatenate(keys))
    values = np.full((len(names), len(moments)), np.nan)
    row = 0
    for axis, key in zip(axes, keys, strict=True):
        values[row : row + len(axis.names), np.searchsorted(moments, key)] = axis.values
        row += len(axis.names)
    return Axis(moments // repeats, values, names)


def _say_how_empty(axes: list[Axis], union: Axis) -> None:
    """Warn when most of the table is empty because every signal has its own times."""
    cells = max(union.values.size, 1)
    empty = 1 - sum(axis.values.size for axis in axes) / cells
    if empty > _MOSTLY:
        warnings.warn(
            f"{empty:.0%} of this table is empty: its signals were read at different moments, and nothing "
            "was filled in. load_session(..., how='grid', step_s=1.0) gives means per second; raw=True "
            "gives each signal with its own times.",
            UserWarning,
            stacklevel=4,
        )


def _repeats(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for every reading how many before it have the same time."""
    places = np.arange(len(times))
    is_new = np.ones(len(times), bool)
    is_new[1:] = times[1:] != times[:-1]
    return places - np.maximum.accumulate(np.where(is_new, places, 0))


def _grid(axes: list[Axis], step_s: float) -> list[Axis]:
    """Return the means within steps of `step_s`, counted from the first reading of all."""
    step = round(step_s * _US)
    if step < 1:
        raise ValueError(f"step_s={step_s}; it must be at least a microsecond")
    filled = [axis for axis in axes if len(axis.times)]
    if not filled:
        return axes
    start = min(int(axis.times[0]) for axis in filled)
    end = max(int(axis.times[-1]) for axis in filled)
    times = np.arange(start, end + 1, step, dtype=np.int64)
    return [Axis(times, _means(axis, (axis.times - start) // step, len(times)), axis.names) for axis in axes]


def _means(axis: Axis, places: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    result = np.full((len(axis.names), count), np.nan)
    for row, values in enumerate(axis.values):
        there = ~np.isnan(values)
        sums = np.bincount(places[there], values[there], count)
        counts = np.bincount(places[there], minlength=count)
        np.divide(sums, counts, out=result[row], where=counts > 0)
    return result
