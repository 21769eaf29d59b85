"""Logs of other tools, read into runs of readings: what was found, what it means and what went wrong.

Importing this costs nothing: the readers, numpy and pandas come with the first call.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vehicle.logs.formats import FORMATS
from vehicle.logs.preview import ColumnMatch, LogPreview

if TYPE_CHECKING:
    from vehicle.logs.reader import LogReader

__all__ = ["FORMATS", "ColumnMatch", "LogPreview", "open_log", "preview_log"]

PREVIEW_READINGS = 200_000


def open_log(path: str | Path, format: str | None = None) -> LogReader:  # noqa: A002 - the name callers know
    """Open a log for reading, its format told by its content unless named.

    The reader has `.format`, `.started_at`, `.clock`, `.timing`, `.columns`, `.warnings`, `.size_bytes`,
    `.position_bytes` and `.batches()`; columns and warnings are complete when the batches have ended.
    Raises LogError.
    """
    from vehicle.logs.detection import reader_for

    return reader_for(Path(path), format)


def preview_log(path: str | Path, format: str | None = None) -> LogPreview:  # noqa: A002 - as above
    """Tell what an import of a log would do, from at most its first 200,000 readings. Raises LogError."""
    reader = open_log(path, format)
    whole = True
    for _ in reader.batches():
        if reader.readings >= PREVIEW_READINGS and reader.position_bytes < reader.size_bytes:
            whole = False
            break
    reader.close()
    return reader.preview(whole=whole)
