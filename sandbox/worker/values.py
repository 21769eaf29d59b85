"""Turns the value of the code's last expression into plain data of bounded size."""

import datetime
import json
import numbers
from collections.abc import Mapping, Sequence, Set
from typing import Any

from sandbox.worker import tables
from sandbox.worker.scalars import LONGEST_TEXT, plain

MAX_BYTES = 48 * 1024
_ITEMS = 200
_DEPTH = 6
_ELEMENTS = 400


def describe(value: object) -> dict[str, Any] | None:
    """Return what `value` is, as JSON can carry it; None stays None. Never fails but for want of memory."""
    try:
        return _describe(value)
    except MemoryError:
        raise
    except Exception as error:  # whatever a class of the user's own does when it is looked at
        text = f"cannot be shown: {type(error).__name__}: {error}"[:LONGEST_TEXT]
        return {"kind": "object", "type": type(value).__name__[:100], "text": text, "complete": False}


def _describe(value: object) -> dict[str, Any] | None:
    import matplotlib.artist
    import numpy as np
    import pandas as pd

    if value is None:
        return None
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        return tables.describe(value, MAX_BYTES)
    if isinstance(value, matplotlib.artist.Artist) or _is_drawing(value):
        return {"kind": "figure", "type": type(value).__name__[:100], "text": "drawn; see the artifacts"}
    if isinstance(value, np.ndarray) and value.ndim:
        return _array(value)
    if isinstance(value, str):
        return {
            "kind": "text",
            "type": "str",
            "value": value[:LONGEST_TEXT],
            "complete": len(value) <= LONGEST_TEXT,
        }
    if _is_scalar(value):
        return {
            "kind": "scalar",
            "type": type(value).__name__[:100],
            "value": plain(value),
            "text": str(value)[:LONGEST_TEXT],
        }
    if isinstance(value, (Mapping, Sequence, Set)) and not isinstance(value, (bytes, bytearray, memoryview)):
        return _data(value)
    return {"kind": "object", "type": type(value).__name__[:100], "text": _repr(value)}


def _repr(value: object) -> str:
    try:
        return repr(value)[:LONGEST_TEXT]
    except RecursionError:
        return f"<{type(value).__name__}, nested too deeply to be shown>"


def _is_scalar(value: object) -> bool:
    import numpy as np
    import pandas as pd

    return (
        isinstance(
            value,
            (
                bool,
                numbers.Number,
                np.generic,
                np.ndarray,
                datetime.datetime,
                datetime.date,
                datetime.timedelta,
            ),
        )
        or value is pd.NaT
        or value is pd.NA
    )


def _is_drawing(value: object, depth: int = 3) -> bool:
    """Say whether the value is what a plotting call returns in a container: axes, lines, patches."""
    import matplotlib.artist
    import numpy as np

    if isinstance(value, np.ndarray) and value.dtype == object and value.ndim:
        value = value.ravel().tolist()
    if isinstance(value, (list, tuple)) and value and depth:
        return all(
            isinstance(item, matplotlib.artist.Artist) or _is_drawing(item, depth - 1) for item in value
        )
    return False


def _array(value: Any) -> dict[str, Any]:
    flat = value.ravel()[:_ELEMENTS]
    return {
        "kind": "array",
        "type": "ndarray",
        "dtype": str(value.dtype),
        "shape": list(value.shape),
        "value": [plain(item) for item in flat.tolist()],
        "complete": value.size <= _ELEMENTS,
    }


def _data(value: object) -> dict[str, Any]:
    """Return nested lists and dicts, cut to size."""
    for items in (_ITEMS, 50, 10, 3):
        cutter = _Cutter(items)
        data = cutter.cut(value, _DEPTH)
        if len(json.dumps(data)) <= MAX_BYTES:
            return {
                "kind": "data",
                "type": type(value).__name__[:100],
                "value": data,
                "complete": not cutter.cut_something,
            }
    return {"kind": "object", "type": type(value).__name__[:100], "text": _repr(value)}


class _Cutter:
    """Copies nested data into JSON's types, keeping at most `items` of each collection."""

    def __init__(self, items: int) -> None:
        self._items = items
        self.cut_something = False

    def cut(self, value: object, depth: int) -> Any:
        """Return a plain copy of `value`, `depth` levels deep."""
        import numpy as np
        import pandas as pd

        if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
            return tables.describe(value, MAX_BYTES // 8, keep=False)
        if isinstance(value, np.ndarray) and value.ndim:
            value = value.tolist()
        if isinstance(value, (str, bytes)) or not isinstance(value, (Mapping, Sequence, Set)):
            return plain(value)
        if depth == 0:
            self.cut_something = True
            return _repr(value)[:80]
        return self._collection(value, depth)

    def _collection(self, value: Any, depth: int) -> Any:
        self.cut_something |= len(value) > self._items
        if isinstance(value, Mapping):
            pairs = list(value.items())[: self._items]
            return {str(plain(key)): self.cut(item, depth - 1) for key, item in pairs}
        return [self.cut(item, depth - 1) for item in list(value)[: self._items]]
