"""Which format a file is of: every reader looks at its beginning and says how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vehicle.logs.candump import CandumpReader
from vehicle.logs.car_scanner import CarScannerLongReader, CarScannerWideReader
from vehicle.logs.carobd import CarObdReader
from vehicle.logs.errors import BinaryLogError, UnknownFormatError
from vehicle.logs.formats import FORMATS
from vehicle.logs.kw330 import Kw330JsonReader, Kw330TextReader
from vehicle.logs.mdf_blocks import MAGIC
from vehicle.logs.mf4 import Mf4Reader
from vehicle.logs.obd_auto_doctor import ObdAutoDoctorReader
from vehicle.logs.openxc import OpenXcReader
from vehicle.logs.plain_csv import PlainCsvReader, PlainLongReader
from vehicle.logs.text import read_head
from vehicle.logs.torque import TorqueReader

if TYPE_CHECKING:
    from pathlib import Path

    from vehicle.logs.reader import LogReader
    from vehicle.logs.text import Head

READERS: tuple[type[LogReader], ...] = (
    TorqueReader,
    CarScannerLongReader,
    CarScannerWideReader,
    ObdAutoDoctorReader,
    CarObdReader,
    Mf4Reader,
    CandumpReader,
    OpenXcReader,
    Kw330TextReader,
    Kw330JsonReader,
    PlainCsvReader,
    PlainLongReader,
)
_LEAST = 0.2
_KINDS = {
    b"\x1f\x8b": "a gzip archive",
    b"PK\x03\x04": "a zip archive or spreadsheet",
    b"BZh": "a bzip2 archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"SQLite format 3": "an SQLite database",
    b"PAR1": "a Parquet file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF",
    b"LOGG": "a Vector BLF file",
}


def reader_for(path: Path, log_format: str | None) -> LogReader:
    """Return a reader primed with the file's first batch; raises LogError where there can be none."""
    head = read_head(path)
    if log_format is not None and log_format not in FORMATS:
        raise UnknownFormatError(
            f"There is no log format {log_format!r}.", f"Formats are {', '.join(FORMATS)}."
        )
    _refuse_binary(head)
    if not head.raw.strip():
        raise UnknownFormatError(f"{path.name} is empty.", "Check that the log was saved.")
    readers = [reader for reader in READERS if log_format in (None, reader.format)]
    score, best = max(((reader.score(head), reader) for reader in readers), key=lambda scored: scored[0])
    if score < _LEAST and log_format is None:
        raise _unknown(head)
    return best(head).prime()


def _refuse_binary(head: Head) -> None:
    if head.raw.startswith(MAGIC):
        return
    for mark, kind in _KINDS.items():
        if head.raw.startswith(mark):
            raise BinaryLogError(
                f"{head.path.name} is {kind}, whatever its name says.",
                "Unpack or export it as a text log (CSV, candump) or MF4 first.",
            )
    if not head.encoding.startswith("utf-16") and b"\0" in head.raw:
        raise BinaryLogError(
            f"{head.path.name} holds binary data, whatever its name says.",
            f"Understood are {', '.join(FORMATS.values())}.",
        )


def _unknown(head: Head) -> UnknownFormatError:
    return UnknownFormatError(
        f"{head.path.name} is of no format that is understood; its first line is {head.first_line!r}.",
        f"Understood are {', '.join(FORMATS.values())}. A CSV needs a header line and columns of numbers.",
    )
