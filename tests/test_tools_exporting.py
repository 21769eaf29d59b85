"""An exported session holds every reading, in a format other programs read."""

import csv
import io
import json
from pathlib import Path

import pytest
from stored_drives import START, store_drive

from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.exporting import export_session
from tools.importing import import_log


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


@pytest.fixture
def drive(context: ToolContext) -> str:
    return store_drive(context.store)


def exported(context: ToolContext, drive: str, form: str) -> bytes:
    answer = export_session.run(context, {"session_id": drive, "format": form}).structured()
    return context.store.artifacts.get(answer["file"]["artifact_id"]).data or b""


def test_csv_has_every_reading_with_unit_and_ecu(context: ToolContext, drive: str) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(context, drive, "csv").decode())))
    assert len(rows) == 241 + 241 + 121 + 61
    speed = [row for row in rows if row["signal"] == "speed"]
    assert {row["unit"] for row in speed} == {"km/h"}
    assert [float(row["value"]) for row in speed[-2:]] == [72.0, 72.0]
    assert {row["ecu"] for row in rows if row["signal"] == "rpm"} == {"7E8", "7E9"}


def test_json_keeps_the_start_and_one_list_a_signal(context: ToolContext, drive: str) -> None:
    whole = json.loads(exported(context, drive, "json"))
    assert whole["started_at"] == START.isoformat()
    assert len(whole["signals"]) == 4


def test_parquet_keeps_microseconds_and_units(context: ToolContext, drive: str) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(exported(context, drive, "parquet")))
    assert table.num_rows == 664
    assert set(table.column("unit").to_pylist()) == {"rpm", "km/h", "°C"}
    assert max(table.column("time_us").to_pylist()) == 120_000_000


def test_mf4_comes_back_through_a_strangers_reader(context: ToolContext, drive: str, tmp_path: Path) -> None:
    asammdf = pytest.importorskip("asammdf")
    path = tmp_path / "drive.mf4"
    path.write_bytes(exported(context, drive, "mf4"))
    with asammdf.MDF(path) as file:
        speed = file.get("speed@7E8")
    assert speed.unit == "km/h"
    assert speed.samples.max() == 72.0


def test_an_exported_csv_can_be_imported_again(context: ToolContext, drive: str, tmp_path: Path) -> None:
    path = tmp_path / "drive.csv"
    path.write_bytes(exported(context, drive, "csv"))
    answer = import_log(context, str(path))
    assert "speed" in answer.signals


def test_an_empty_window_is_refused(context: ToolContext, drive: str) -> None:
    with pytest.raises(ToolError) as refused:
        export_session.run(context, {"session_id": drive, "start_s": 1000})
    assert refused.value.code == "bad_arguments"
