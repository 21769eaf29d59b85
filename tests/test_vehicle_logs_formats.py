"""One small log per format: told by its content, read to the exact numbers, every trap in it reported."""

import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vehicle.logs import FORMATS, open_log, preview_log
from vehicle.logs.errors import (
    BinaryLogError,
    LogNotFoundError,
    NoUsableSignalError,
    UnknownFormatError,
)

LOGS = Path(__file__).parent / "data" / "logs"


def read(path, log_format=None):
    """Return the reader, and per signal the seconds and values of all its readings."""
    reader = open_log(path, log_format)
    found = defaultdict(lambda: ([], []))
    for batch in reader.batches():
        for run in batch:
            times, values = found[run.signal]
            times += (run.times_us / 1e6).tolist()
            values += run.values.tolist()
    return reader, dict(found)


def told(reader, part):
    """Return the one warning that holds `part`."""
    found = [warning for warning in reader.warnings if part in warning]
    assert len(found) == 1, reader.warnings
    return found[0]


@pytest.mark.parametrize(
    ("name", "log_format"),
    [
        ("torque.csv", "torque"),
        ("2024-03-01 23-59-59.csv", "car_scanner"),
        ("car_scanner_wide.csv", "car_scanner"),
        ("2017-07-10_obd_auto_doctor.csv", "obd_auto_doctor"),
        ("carobd.csv", "carobd"),
        ("german_cp1252.csv", "csv"),
        ("units_row.msl", "csv"),
        ("candump.log", "candump"),
        ("openxc.json", "openxc"),
        ("openxc_no_time.json", "openxc"),
        ("kw330.txt", "kw330"),
        ("kw330.json", "kw330"),
    ],
)
def test_the_format_is_told_by_the_content_and_never_by_the_name(tmp_path, name, log_format):
    disguised = tmp_path / "drive.mf4.gz.xlsx"
    shutil.copy(LOGS / name, disguised)
    assert open_log(disguised).format == log_format
    assert log_format in FORMATS


def test_a_torque_log_with_repeated_and_changed_headers():
    reader, found = read(LOGS / "torque.csv")
    assert (reader.rows, reader.clock) == (6, "utc")
    assert reader.started_at == datetime(2026, 8, 5, 16, 57, 50, 250000, tzinfo=UTC)  # 18:57:50.25 at UTC+2
    assert found["rpm"] == ([0, 1, 2, 3, 5], [800, 801, 802, 803, 900])
    assert found["coolant_temp"] == ([0, 1, 2, 3, 4], [70, 71, 72, 73, 74])  # until its column goes
    assert found["speed"] == ([5], [pytest.approx(10 * 1.609344)])  # mph, from the new header
    assert found["gps_speed"][1] == pytest.approx([1.8, 5.4, 9.0, 12.6])  # metres per second
    assert found["intake_pressure"][1][0] == pytest.approx(4 * 6.894757, rel=1e-6)  # psi
    assert found["x_g_x"][1] == [0.1, 0.1, 0.1, 0.1, -0.2, -0.2]
    assert "line 6" in told(reader, "header is repeated")
    assert "line 8" in told(reader, "Another header begins")
    assert "6 values" in told(reader, "not used for fuel trim")
    assert "o2_b1s2_trim" not in found


def test_a_car_scanner_log_that_crosses_midnight():
    reader, found = read(LOGS / "2024-03-01 23-59-59.csv")
    assert (reader.rows, reader.clock, reader.started_at) == (9, "local", None)
    assert reader.local_start == datetime(2024, 3, 1, 23, 59, 59, 100000)
    assert reader.duration_s == pytest.approx(1.4)
    assert found["speed"] == ([0, 1], [pytest.approx(16.09344), pytest.approx(32.18688)])
    assert found["rpm"] == ([pytest.approx(0.1), pytest.approx(1.1)], [2000, 2100])
    assert found["intake_temp"][1] == [pytest.approx(30.0)]  # 86 °F
    assert "line 6" in told(reader, "passed midnight")
    how = {column.source: column.how for column in reader.columns}
    assert how["Fuel system status"] == "ignored"
    assert how["Calculated boost"] == how["Engine RPM x1000"] == "unknown"


def test_an_air_fuel_ratio_is_not_taken_for_a_lambda():
    reader, found = read(LOGS / "2024-03-01 23-59-59.csv")
    assert "commanded_equiv_ratio" not in found
    assert found["x_fuel_air_commanded_equivalence_ratio"][1] == [14.7]
    assert "air-fuel ratio" in told(reader, "cannot be commanded_equiv_ratio")


def test_positions_repeated_in_every_row_are_kept_where_they_change():
    reader, found = read(LOGS / "2024-03-01 23-59-59.csv")
    assert found["latitude"] == ([0, 1], [45.79, 45.8])
    assert found["longitude"] == ([0], [15.72])
    assert "15" in told(reader, "Repeated positions")


def test_a_sparse_car_scanner_table_gives_only_what_was_read():
    reader, found = read(LOGS / "car_scanner_wide.csv")
    assert found == {"rpm": ([0.5, 1.7], [800, 810]), "coolant_temp": ([0], [90]), "speed": ([1.2], [5])}
    assert "no date" in told(reader, "time of day")


def test_forward_filled_cells_are_kept_once_in_the_row_where_they_were_read():
    reader, found = read(LOGS / "2017-07-10_obd_auto_doctor.csv")
    assert reader.rows == 45
    assert reader.local_start == datetime(2017, 7, 10, 8, 0, 0)
    assert found["coolant_temp"][0][:3] == pytest.approx([0, 0.27, 0.54])
    assert found["rpm"][0][:3] == pytest.approx([0.09, 0.36, 0.63])
    assert found["speed"][1][:3] == [10, 11, 12]
    assert sum(len(values) for _, values in found.values()) == 43
    assert "2 (line 32; line 33)" in told(reader, "cannot be told what was read")
    assert reader.columns[1].source == "Engine Coolant Temperature [°C]"


def test_a_carobd_log_is_placed_by_the_ticks_of_the_engines_clock():
    reader, found = read(LOGS / "carobd.csv")
    assert (reader.rows, reader.clock, reader.timing, reader.local_start) == (
        41,
        "none",
        "interpolated",
        None,
    )
    times, values = found["rpm"]
    assert times == pytest.approx([i * 0.5 for i in range(41)])
    assert values == [800 + i for i in range(41)]  # nothing is shifted by the comma after each row
    assert found["run_time"][1][:6] == [0, 0, 0, 0, 1, 1]
    assert len(found["speed"][1]) == 40  # the cut field of the last line is not kept
    assert "commanded_equiv_ratio" not in found
    assert "not measured" in told(reader, "Row times are interpolated")
    assert "line, 42" in told(reader, "cut off")
    assert "separator" in told(reader, "Every row ends")


def test_a_german_table_in_windows_1252_with_decimal_commas():
    reader, found = read(LOGS / "german_cp1252.csv")
    assert reader.local_start == datetime(2026, 8, 18, 10, 11, 0, 500000)
    assert found["rpm"] == ([0, 1, 2, 3, 4], [800.25, 801.25, 802.25, 803.25, 804.25])
    assert found["coolant_temp"][1][0] == 70.5
    assert "'Bemerkung'" in told(reader, "no numbers")


def test_a_row_of_units_below_the_header_counts_and_a_preamble_does_not():
    reader, found = read(LOGS / "units_row.msl")
    assert reader.rows == 6
    assert found["rpm"][0] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])  # milliseconds
    assert found["coolant_temp"][1][0] == pytest.approx((180 - 32) / 1.8)


def test_openxc_messages_that_are_no_numbers_are_named():
    reader, found = read(LOGS / "openxc.json")
    assert (reader.rows, reader.clock) == (5, "utc")
    assert reader.started_at == datetime(2013, 3, 26, 18, 52, 19, 12000, tzinfo=UTC)
    assert found["rpm"] == ([0, 1], [772, 780])
    assert found["x_brake_pedal_status"] == ([pytest.approx(0.006)], [1])
    assert "line 4: 'first'" in told(reader, "'transmission_gear_position'")
    assert "line 5" in told(reader, "no OpenXC message")
    assert "line, 7" in told(reader, "cut off")
    assert "line 3" in told(reader, "Time steps back")


def test_messages_without_times_are_only_numbered():
    reader, found = read(LOGS / "openxc_no_time.json")
    assert (reader.clock, reader.timing, reader.duration_s) == ("none", "order", None)
    assert found["rpm"][0] == pytest.approx([0, 2e-6])
    assert "mean no duration" in told(reader, "carry no time")


def test_a_printed_kw330_page_gives_only_values_that_stand_alone():
    reader, found = read(LOGS / "kw330.txt")
    assert {name: values for name, (_, values) in found.items()} == {
        "coolant_temp": [85.0],
        "rpm": [674.0],
        "control_module_voltage": [13.82],
    }
    assert reader.timing == "order"
    assert "line 8" in told(reader, "run into")
    assert "line 10" in told(reader, "run into")


def test_a_kw330_capture_says_which_times_were_interpolated():
    reader, found = read(LOGS / "kw330.json")
    assert found == {"rpm": ([0], [700]), "coolant_temp": ([9.5], [80])}
    assert reader.timing == "interpolated"
    assert "frame 0" in told(reader, "marks as interpolated")
    assert told(reader, "Samples without a time").endswith(": 1.")


def test_a_preview_is_what_an_import_gives():
    preview = preview_log(LOGS / "torque.csv")
    reader, _ = read(LOGS / "torque.csv")
    assert (preview.rows, preview.rows_estimated, preview.duration_s) == (6, False, 5.0)
    assert preview.warnings == reader.warnings
    assert preview.columns == reader.columns
    assert {column.how for column in preview.columns} == {"matched", "unknown", "ignored"}


def test_a_long_file_is_previewed_by_its_beginning(tmp_path):
    path = tmp_path / "long.csv"
    rows = 250_000
    path.write_text(
        "time (s),rpm,speed (km/h)\n" + "".join(f"{i},{800 + i % 90},50\n" for i in range(rows)),
        encoding="utf-8",
    )
    preview = preview_log(path)
    assert preview.rows_estimated
    assert preview.rows == pytest.approx(rows, rel=0.05)
    assert preview.duration_s is None


def test_a_missing_file_a_folder_and_an_impossible_path_are_refused(tmp_path):
    for path in (tmp_path / "no.csv", tmp_path, "a\0b"):
        with pytest.raises(LogNotFoundError) as refusal:
            open_log(path)
        assert refusal.value.hint


def test_an_unknown_file_is_refused_with_the_formats_and_its_first_line(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text("Sing, O goddess\nthe anger\n", encoding="utf-8")
    with pytest.raises(UnknownFormatError, match="Sing, O goddess") as refusal:
        preview_log(path)
    assert "Torque" in refusal.value.hint
    assert "candump" in refusal.value.hint


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x1f\x8b\x08\x00rest", "gzip"),
        (b"PK\x03\x04rest", "zip"),
        (b"\x89PNG\r\n", "picture"),
        (b"time,rpm\n\x00\x01\x02\x00", "binary"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"PAR1", "Parquet"),
    ],
)
def test_a_binary_file_called_csv_is_named_for_what_it_is(tmp_path, content, kind):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(BinaryLogError, match=kind):
        open_log(path)


def test_an_empty_file_and_a_header_without_rows_are_refused(tmp_path):
    path = tmp_path / "log.csv"
    for content in ("", " \n\n", "time,rpm\n"):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(UnknownFormatError):
            open_log(path)


def test_a_format_that_does_not_exist_is_refused_and_the_right_ones_are_named():
    with pytest.raises(UnknownFormatError, match="'torq'") as refusal:
        open_log(LOGS / "torque.csv", "torq")
    assert "torque" in refusal.value.hint


def test_a_named_format_that_does_not_fit_is_refused():
    with pytest.raises(UnknownFormatError):
        open_log(LOGS / "openxc.json", "torque")


def test_a_table_that_is_no_log_is_refused(tmp_path):
    path = tmp_path / "cars.csv"
    path.write_text("make,model,year\nFord,F-150,2019\nKia,Ceed,2020\n", encoding="utf-8")
    with pytest.raises(NoUsableSignalError, match="no column tells the time"):
        open_log(path)


def test_a_table_without_a_clock_is_only_numbered(tmp_path):
    path = tmp_path / "bare.csv"
    path.write_text("rpm,Vehicle speed (km/h)\n800,0\n900,10\n", encoding="utf-8")
    reader, found = read(path)
    assert (reader.timing, reader.clock, reader.duration_s) == ("order", "none", None)
    assert found["rpm"] == ([0, pytest.approx(1e-6)], [800, 900])


def test_importing_the_room_costs_no_numpy_and_no_pandas():
    code = "import sys, vehicle.logs; print([m for m in ('numpy', 'pandas', 'asammdf') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert done.stdout.strip() == "[]"
