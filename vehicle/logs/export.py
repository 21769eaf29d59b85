"""A session's readings as a file of a common format, for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vehicle.logs.errors import MissingReaderError

if TYPE_CHECKING:
    from vehicle.runs import Run

EXPORTS: Mapping[str, str] = {
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "mf4": "application/x-mf4",
}


def export_runs(runs: Sequence[Run], form: str, started_at: datetime | None) -> bytes:
    """Return the readings as `csv` (one reading a row), `json` (one list a signal), `parquet` or `mf4`.

    Times are seconds since the session's start; `started_at` is kept where the format can. Raises
    MissingReaderError where the optional library of a format is not installed.
    """
    return _WRITERS[form](runs, started_at)


def _csv(runs: Sequence[Run], started_at: datetime | None) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["time_s", "signal", "ecu", "value", "unit"])
    for run in runs:
        times = (run.times_us / 1e6).tolist()
        writer.writerows(
            [time_s, run.signal, run.ecu, value, run.unit]
            for time_s, value in zip(times, run.values.tolist(), strict=True)
        )
    return text.getvalue().encode("utf-8")


def _json(runs: Sequence[Run], started_at: datetime | None) -> bytes:
    signals = [
        {
            "signal": run.signal,
            "unit": run.unit,
            "ecu": run.ecu or None,
            "times_s": (run.times_us / 1e6).tolist(),
            "values": run.values.tolist(),
        }
        for run in runs
    ]
    whole = {"started_at": started_at.isoformat() if started_at else None, "signals": signals}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False).encode("utf-8")


def _parquet(runs: Sequence[Run], started_at: datetime | None) -> bytes:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise _missing("Parquet", "parquet") from error
    columns: dict[str, Any] = {
        "time_us": arrow.concat_arrays([arrow.array(run.times_us) for run in runs]),
        "value": arrow.concat_arrays([arrow.array(run.values) for run in runs]),
    }
    for name in ("signal", "ecu", "unit"):
        words = [word for run in runs for word in [getattr(run, name)] * len(run.values)]
        columns[name] = arrow.array(words).dictionary_encode()
    start = started_at.isoformat() if started_at else ""
    table = arrow.table(columns).replace_schema_metadata({"started_at": start})
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _mf4(runs: Sequence[Run], started_at: datetime | None) -> bytes:
    try:
        from asammdf import MDF, Signal
    except ModuleNotFoundError as error:
        raise _missing("MF4", "mdf") from error
    with MDF(version="4.10") as file:
        if started_at is not None:
            file.start_time = started_at
        for run in runs:
            name = f"{run.signal}@{run.ecu}" if run.ecu else run.signal
            file.append(Signal(run.values, run.times_us / 1e6, unit=run.unit, name=name))
        sink = io.BytesIO()
        file.save(sink, compression=2)
        return sink.getvalue()


def _missing(form: str, extra: str) -> MissingReaderError:
    return MissingReaderError(
        f"{form} needs a library that is not installed.", f"Install it with: pip install 'obd-agent[{extra}]'"
    )


_WRITERS: Mapping[str, Callable[[Sequence[Run], datetime | None], bytes]] = {
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
    "mf4": _mf4,
}
