"""Describes a DataFrame or Series: its columns, its first rows, and a file with all of it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.worker.scalars import plain

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 60
_COLUMNS = 40
_CSV_CELLS = 200_000  # more than this is written as Parquet, in a hundredth of the time
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def describe(value: Any, max_bytes: int, keep: bool = True) -> dict[str, Any]:
    """Return the table as plain data of at most `max_bytes`; `keep` writes all of it to a file."""
    frame = _frame(value)
    shown = frame.iloc[:_ROWS, : _COLUMNS + frame.attrs["index_columns"]]
    rows = _rows(shown, max_bytes)
    description: dict[str, Any] = {
        "kind": "table",
        "type": type(value).__name__[:100],
        "columns": [_column(frame, place) for place in range(shown.shape[1])],
        "total_rows": len(frame),
        "total_columns": frame.shape[1],
        "rows": rows,
        "complete": len(rows) == len(frame) and shown.shape[1] == frame.shape[1],
    }
    if keep:
        description["artifact"] = _write(frame)
    return description


def _frame(value: Any) -> "pd.DataFrame":
    """Return the value as a table whose index has become its first columns."""
    import pandas as pd

    attrs = getattr(value, "attrs", {})
    if isinstance(value, pd.Index):
        value = value.to_series(index=pd.RangeIndex(len(value)))
    frame = value.to_frame() if isinstance(value, pd.Series) else value.copy(deep=False)
    names = [" / ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in frame.columns]
    is_counter = isinstance(frame.index, pd.RangeIndex) and frame.index.name is None
    index = frame.index.to_frame(index=False) if not is_counter else pd.DataFrame(index=range(len(frame)))
    index.columns = [str(name) if name is not None else "index" for name in frame.index.names][
        : index.shape[1]
    ]
    frame.columns = pd.Index(names)
    frame.index = pd.RangeIndex(len(frame))
    whole: pd.DataFrame = pd.concat([index, frame], axis=1)
    whole.attrs = {
        "units": attrs.get("units", {}) if isinstance(attrs, dict) else {},
        "index_columns": index.shape[1],
    }
    return whole


def _column(frame: "pd.DataFrame", place: int) -> dict[str, Any]:
    name = str(frame.columns[place])
    units = frame.attrs["units"]
    unit = units.get(name, "") if isinstance(units, dict) else ""
    return {"name": name[:200], "dtype": str(frame.dtypes.iloc[place])[:80], "unit": str(unit)[:20]}


def _rows(frame: "pd.DataFrame", max_bytes: int) -> list[list[Any]]:
    """Return as many first rows as fit."""
    columns = [[plain(cell) for cell in frame.iloc[:, place].tolist()] for place in range(frame.shape[1])]
    rows = [list(row) for row in zip(*columns, strict=True)]
    while rows and len(json.dumps(rows)) > max_bytes:
        rows = rows[: len(rows) // 2]
    return rows


def _write(frame: "pd.DataFrame") -> str | None:
    """Write the whole table and return the file's name, or None when it does not fit the limits."""
    wide = frame.size > _CSV_CELLS
    for suffix in (["parquet"] if wide else []) + ["csv"]:
        path = _free_name(suffix)
        try:
            _save(frame, path)
        except (OSError, ImportError, ValueError, TypeError):
            path.unlink(missing_ok=True)
            continue
        return path.name
    return None


def _save(frame: "pd.DataFrame", path: Path) -> None:
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        _harmless(frame).to_csv(path, index=False)


def _harmless(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return the table with text that a spreadsheet would run as a formula quoted by an apostrophe."""
    texts = [place for place, dtype in enumerate(frame.dtypes) if str(dtype) in ("object", "str", "string")]
    if not texts:
        return frame
    safe = frame.copy()
    for place in texts:
        safe.isetitem(
            place,
            [
                f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
                for cell in frame.iloc[:, place]
            ],
        )
    return safe


def _free_name(suffix: str) -> Path:
    path, number = Path(f"result.{suffix}"), 1
    while path.exists():
        number += 1
        path = Path(f"result_{number}.{suffix}")
    return path
