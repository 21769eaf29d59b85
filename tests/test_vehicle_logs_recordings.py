"""Every real recording, against numbers read from its raw text here and against the traps it is known for."""

import csv
import json
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from recordings import recording

from vehicle.logs import open_log
from vehicle.logs.errors import NoUsableSignalError

KIT = {  # file: data rows, span in seconds, readings
    "2017-07-10_Seat_Leon_KA_KA_Stau.csv": (14570, 1243.113, 14570),
    "2017-07-14_Seat_Leon_KA_KA_Frei.csv": (6829, 731.282, 6661),
    "2017-07-26_Seat_Leon_S_KA_Normal.csv": (21618, 3440.821, 21618),
    "2017-07-27_Seat_Leon_KA_KA_Normal.csv": (13583, 1156.649, 13583),
    "2018-02-23_Seat_Leon_RT_RT_Frei_Beschleunigung.csv": (10176, 862.363, 10176),
    "2018-02-26_Seat_Leon_RT_RT_Frei.csv": (11534, 980.554, 11534),
}
CAROBD = {  # file: data rows, engine run time at the end
    "drive5.csv": (627, 304),
    "drive7.csv": (557, 271),
    "idle17.csv": (1903, 933),
    "idle8.csv": (795, 387),
    "live12.csv": (1151, 611),
    "live16.csv": (3082, 1512),
    "live6.csv": (2287, 1245),
    "long6.csv": (4342, 2134),
    "ufpe3.csv": (808, 395),
}


def read(path):
    """Return the reader, and per signal the times in seconds and the values."""
    reader = open_log(path)
    parts = {}
    for batch in reader.batches():
        assert sum(len(run.values) for run in batch) <= 50_000
        for run in batch:
            assert (run.times_us.dtype, run.values.dtype) == (np.int64, np.float64)
            parts.setdefault(run.signal, []).append(run)
    assert reader.position_bytes == reader.size_bytes
    return reader, {
        name: (
            np.concatenate([run.times_us for run in runs]) / 1e6,
            np.concatenate([run.values for run in runs]),
        )
        for name, runs in parts.items()
    }


def told(reader, part):
    found = [warning for warning in reader.warnings if part in warning]
    assert len(found) == 1, reader.warnings
    return found[0]


def how(reader):
    return {column.source: column.how for column in reader.columns}


def day_seconds(text):
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def test_the_torque_track_log():
    path = recording("torque_csv/torqueTrackLog1.txt")
    rows = [line.split(",") for line in path.read_text(encoding="utf-8-sig").splitlines()[1:]]
    reader, found = read(path)
    assert (reader.format, reader.rows) == ("torque", len(rows))
    assert len(rows) == 2832
    assert (reader.clock, reader.started_at) == ("local", None)
    assert reader.local_start == datetime(2014, 9, 27, 13, 40, 39, 474000)
    assert reader.duration_s == pytest.approx(day_seconds("14:27:50.469") - day_seconds("13:40:39.474"))
    for signal, column in (
        ("engine_load", 12),
        ("coolant_temp", 13),
        ("intake_pressure", 14),
        ("rpm", 15),
        ("timing_advance", 17),
        ("intake_temp", 18),
        ("o2_b1s1_trim", 19),
        ("x_g_z", 10),
    ):
        assert found[signal][1].tolist() == [float(row[column]) for row in rows], signal
    assert found["rpm"][0].tolist() == pytest.approx(
        [day_seconds(row[1].split()[1]) - day_seconds("13:40:39.474") for row in rows]
    )


def test_the_torque_track_log_reports_its_empty_columns_and_the_unused_sensor():
    reader, found = read(recording("torque_csv/torqueTrackLog1.txt"))
    empty = told(reader, "Columns without a single value")
    for name in (
        "Longitude",
        "Latitude",
        "GPS Speed (Meters/second)",
        "Mass Air Flow Rate(g/s)",
        "Fuel trim bank 1 sensor 3(%)",
        "Fuel trim bank 1 sensor 4(%)",
    ):
        assert repr(name) in empty
        assert how(reader)[name] == "ignored"
    assert "2,832 values of 'Fuel trim bank 1 sensor 2(%)'" in told(reader, "not used for fuel trim")
    assert not {"speed", "maf", "gps_speed", "o2_b1s2_trim"} & set(found)


def test_the_car_scanner_log():
    path = recording("car_scanner_csv/nov_4_test_data.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))[1:]
    reader, found = read(path)
    assert (reader.format, reader.rows, reader.readings) == ("car_scanner", 14733, 14733)
    assert len(rows) == 14733
    assert reader.duration_s == pytest.approx(74049.329182 - 73664.344182)
    assert (reader.clock, reader.local_start) == ("local", None)
    raw = [(float(row[0]) - 73664.344182, float(row[2])) for row in rows if row[1] == "Vehicle speed"]
    assert found["speed"][0].tolist() == pytest.approx([time for time, _ in raw])
    assert found["speed"][1].tolist() == pytest.approx([mph * 1.609344 for _, mph in raw])
    raw = [float(row[2]) for row in rows if row[1] == "Intake air temperature"]
    assert found["intake_temp"][1].tolist() == pytest.approx([(f - 32) * 5 / 9 for f in raw])
    assert found["rpm"][1].tolist() == [float(row[2]) for row in rows if row[1] == "Engine RPM"]
    assert sum(len(values) for _, values in found.values()) == len(rows)


def test_the_car_scanner_log_keeps_derived_channels_apart_from_measured_ones():
    reader, found = read(recording("car_scanner_csv/nov_4_test_data.csv"))
    reasons = {column.source: (column.signal, column.reason) for column in reader.columns}
    for name in (
        "Calculated boost",
        "Power from MAF",
        "Average speed",
        "Engine RPM x1000",
        "Vehicle acceleration",
    ):
        assert reasons[name][0].startswith("x_")
        assert reasons[name][1] == "computed by the app, not read from the car"
    # Ratios shown as air-fuel ratios (12 to 22) are no lambdas.
    assert "commanded_equiv_ratio" not in found
    assert "air-fuel ratio" in reasons["Fuel/Air commanded equivalence ratio"][1]
    assert "air-fuel ratio" in reasons["Oxygen sensor 1 Wide Range Equivalence ratio"][1]


@pytest.mark.parametrize("name", KIT)
def test_a_kit_drive(name):
    path = recording(f"kit_seat_leon_diesel/{name}")
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    reader, found = read(path)
    count, span, readings = KIT[name]
    assert (reader.format, reader.rows, len(rows), reader.readings) == (
        "obd_auto_doctor",
        count,
        count,
        readings,
    )
    assert reader.duration_s == pytest.approx(span)
    assert reader.duration_s == pytest.approx(day_seconds(rows[-1][0]) - day_seconds(rows[0][0]))
    assert f"{reader.local_start:%Y-%m-%d %H:%M:%S}" == f"{name[:10]} {rows[0][0][:8]}"
    assert reader.columns[1].source == "Engine Coolant Temperature [°C]"  # the file has Â°C
    assert {column.how for column in reader.columns[1:]} == {"matched"}
    assert len(found) == 10


@pytest.mark.parametrize("name", KIT)
def test_a_kit_reading_stands_at_the_row_where_it_was_read(name):
    path = recording(f"kit_seat_leon_diesel/{name}")
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    _, found = read(path)
    start = day_seconds(rows[0][0])
    times = [round(day_seconds(row[0]) - start, 6) for row in rows]
    for column, signal in ((2, "intake_pressure"), (3, "rpm"), (4, "speed"), (6, "maf")):
        kept = dict(zip(found[signal][0].round(6).tolist(), found[signal][1].tolist(), strict=True))
        by_time = {time: row[column] for time, row in zip(times, rows, strict=True)}
        assert all(float(by_time[time]) == value for time, value in kept.items())
        changes = {
            time
            for time, (above, row) in zip(times[1:], pairwise(rows), strict=True)
            if row[column] != above[column]
        }
        assert changes <= set(kept)  # a changed cell was surely read in its row
        assert len(kept) < len(rows) / 8  # and a repeated one was not


def test_the_gaps_of_a_kit_drive_are_reported_with_their_places():
    reader, _ = read(recording("kit_seat_leon_diesel/2017-07-14_Seat_Leon_KA_KA_Frei.csv"))
    gaps = told(reader, "Gaps longer than 2 s: 7")
    assert "20.7 s, line 6821" in gaps
    assert "lasts 62.1 s" in told(reader, "longest gap")
    assert "168" in told(reader, "cannot be told what was read")


@pytest.mark.parametrize("name", CAROBD)
def test_a_carobd_recording(name):
    path = recording(f"carobd_toyota_etios/{name}")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines()[1:] if line]
    rows = [[cell.strip() for cell in line.rstrip(",").split(",")] for line in lines]
    reader, found = read(path)
    count, run_time = CAROBD[name]
    assert (reader.format, reader.rows, len(rows)) == ("carobd", count, count)
    for column, signal in (
        (0, "run_time"),
        (1, "rpm"),
        (2, "speed"),
        (5, "coolant_temp"),
        (8, "intake_pressure"),
    ):
        assert found[signal][1].tolist() == [float(row[column]) for row in rows], signal
    assert found["run_time"][1][-1] == run_time
    assert (reader.clock, reader.timing, reader.started_at, reader.local_start) == (
        "none",
        "interpolated",
        None,
        None,
    )
    assert "not measured" in told(reader, "Row times are interpolated")


@pytest.mark.parametrize("name", CAROBD)
def test_carobd_rows_agree_with_every_tick_of_the_engines_clock(name):
    _, found = read(recording(f"carobd_toyota_etios/{name}"))
    times, clock = found["run_time"]
    assert (np.diff(times) > 0).all()
    ticks = np.flatnonzero(np.diff(clock) > 0) + 1
    lead = times[ticks] - clock[ticks]  # constant but for the second's length and the row's age
    assert np.ptp(lead) <= (2.0 if name == "live6.csv" else 1.5)  # its end has rows that came in a rush
    assert np.median(np.diff(times)) == pytest.approx(
        0.4923, abs=0.005
    )  # 2.03 rows/s, not the 1 Hz of its readme


def test_the_comma_after_every_carobd_row_shifts_nothing():
    reader, found = read(recording("carobd_toyota_etios/drive5.csv"))
    assert "separator" in told(reader, "Every row ends")
    assert found["warmups_since_dtc_clear"][1].tolist() == [255.0] * 627  # the last named column
    assert how(reader)["FUEL_AIR_COMMANDED_EQUIV_RATIO ()"] == "ignored"  # zeros throughout


def test_the_cut_line_of_live16_gives_its_whole_fields_only():
    reader, found = read(recording("carobd_toyota_etios/live16.csv"))
    assert "first 17 of 28 fields" in told(reader, "cut off")
    assert len(found["relative_throttle_pos"][1]) == 3082  # field 17
    assert len(found["intake_temp"][1]) == 3081  # field 18


def test_the_absent_columns_of_live6_are_named():
    reader, found = read(recording("carobd_toyota_etios/live6.csv"))
    assert "TIME_SINCE_TROUBLE_CODES_CLEARED" in told(reader, "Rows have 24 fields, the header 27")
    assert found["run_time_mil"][1].tolist() == [0.0] * 2287
    assert "time_since_dtc_cleared" not in found
    assert "Pauses" in told(reader, "clock jumps ahead")


@pytest.mark.parametrize(
    ("name", "frames", "readings", "span"),
    [
        ("3BA199E2_00000164_00000005.MF4", 5477, 541, 44.57),
        ("3BA199E2_00000165_00000001.MF4", 45096, 4610, 380.67),
    ],
)
def test_an_mdf_recording_of_a_bus_logger(name, frames, readings, span):
    pytest.importorskip("asammdf")
    reader, found = read(recording(f"css_mf4/{name}"))
    assert (reader.format, reader.rows, reader.readings) == ("mf4", frames, readings)
    assert reader.duration_s == pytest.approx(span, abs=0.01)
    assert reader.clock == "utc"
    assert set(found) == {
        "engine_load",
        "coolant_temp",
        "intake_pressure",
        "rpm",
        "speed",
        "throttle_pos",
        "fuel_level",
        "barometric_pressure",
        "control_module_voltage",
        "engine_torque_actual",
    }
    assert (found["speed"][1] == found["speed"][1].round()).all()


def test_the_same_frames_as_text_and_as_mdf_give_the_same_readings():
    pytest.importorskip("asammdf")
    binary, from_mdf = read(recording("css_mf4/3BA199E2_00000164_00000005.MF4"))
    text, from_text = read(recording("css_mf4/3BA199E2_00000164_00000005.derived.candump.log"))
    assert from_mdf.keys() == from_text.keys()
    for signal, (times, values) in from_text.items():
        assert values.tolist() == from_mdf[signal][1].tolist()
        assert times.tolist() == pytest.approx(from_mdf[signal][0].tolist(), abs=2e-5)
    # The derived text counts from the file's header; the frames begin 2345.7 s later.
    assert binary.started_at - text.started_at == pytest.approx(
        datetime.resolution * 2345721150, abs=datetime.resolution * 50
    )


def test_the_candump_recording_against_its_raw_lines():
    path = recording("css_mf4/3BA199E2_00000164_00000005.derived.candump.log")
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    reader, found = read(path)
    assert (reader.rows, reader.started_at) == (len(lines), datetime(2021, 7, 26, 4, 40, 54, tzinfo=UTC))
    raw = [
        (float(time.strip("()")) - 1627274454, int(frame[10:14], 16) / 4)
        for time, _, frame in lines
        if frame.startswith("7E8#04410C")
    ]
    assert found["rpm"][0].tolist() == pytest.approx([time for time, _ in raw], abs=1e-6)
    assert found["rpm"][1].tolist() == [rpm for _, rpm in raw]
    others = sum(not frame.startswith("7E8#") for _, _, frame in lines)
    assert f"{others:,} frames of 10 other identifiers" in told(reader, "no OBD traffic")


def test_the_truck_recording_is_called_a_j1939_network():
    pytest.importorskip("asammdf")
    with pytest.raises(NoUsableSignalError, match=r"J1939 network .*EEC1 engine speed") as refusal:
        open_log(recording("css_mf4/FCBF0606_J1939_truck.MF4"))
    assert "DBC" in refusal.value.hint


@pytest.mark.parametrize("name", ["driving2.json", "py_trace-shorter.json"])
def test_an_openxc_trace_against_its_raw_messages(name):
    path = recording(f"openxc_json/{name}")
    messages = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    reader, found = read(path)
    assert (reader.format, reader.rows) == ("openxc", len(messages))
    names = {
        "engine_speed": "rpm",
        "vehicle_speed": "speed",
        "latitude": "latitude",
        "odometer": "odometer",
        "fuel_consumed_since_restart": "x_fuel_consumed_since_restart",
    }
    for source, signal in names.items():
        raw = [message["value"] for message in messages if message["name"] == source]
        assert found[signal][1].tolist() == raw, signal
    texts = sum(isinstance(message["value"], str) for message in messages)
    assert reader.readings == len(messages) - texts


def test_a_trace_without_times_says_that_it_has_only_an_order():
    reader, found = read(recording("openxc_json/driving2.json"))
    assert (reader.clock, reader.timing, reader.duration_s, reader.started_at) == (
        "none",
        "order",
        None,
        None,
    )
    assert "mean no duration" in told(reader, "carry no time")
    assert max(times[-1] for times, _ in found.values()) < 0.02
    assert how(reader)["door_status"] == how(reader)["transmission_gear_position"] == "ignored"


def test_a_trace_with_times_keeps_them_and_reports_steps_back():
    reader, found = read(recording("openxc_json/py_trace-shorter.json"))
    assert (reader.clock, reader.timing) == ("utc", "measured")
    assert reader.started_at == datetime.fromtimestamp(1364323939.012, UTC)
    assert reader.duration_s == pytest.approx(2.326)
    assert told(reader, "Time steps back").startswith("Time steps back: 27 (line 5;")
    fuel = found["x_fuel_consumed_since_restart"][1]
    assert (fuel[0], fuel[-1]) == (7.729793, 7.73049)


def test_the_kw330_page():
    reader, found = read(recording("kw330/raw_datastream_frame.txt"))
    assert {name: values.tolist() for name, (_, values) in found.items()} == {
        "engine_load": [35.3],
        "coolant_temp": [85],
        "short_fuel_trim_1": [3.1],
        "long_fuel_trim_1": [3.9],
        "intake_pressure": [81],
        "rpm": [674],
        "speed": [2],
        "control_module_voltage": [13.82],
        "absolute_load": [34.1],
        "commanded_equiv_ratio": [0.999],
        "relative_throttle_pos": [4.3],
        "ambiant_air_temp": [30],
    }
    assert "line 23" in told(reader, "run into")
    assert reader.timing == "order"


def test_the_kw330_capture():
    path = recording("kw330/timeseries_example.json")
    samples = json.loads(path.read_text(encoding="utf-8"))["samples"]
    reader, found = read(path)
    assert (reader.rows, len(samples), reader.timing) == (52, 52, "interpolated")
    raw = [
        (sample["t_sec"] - samples[0]["t_sec"], sample["engine_rpm"])
        for sample in samples
        if sample.get("engine_rpm") is not None
    ]
    assert found["rpm"][0].tolist() == pytest.approx([time for time, _ in raw])
    assert found["rpm"][1].tolist() == [rpm for _, rpm in raw]
    estimated = sum(sample["t_sec_estimated"] for sample in samples)
    assert f": {estimated} (frame" in told(reader, "itself marks as interpolated")


def test_a_series_of_another_kind_is_kept_under_its_own_name():
    path = recording("nab/data/realTraffic/speed_7578.csv")
    rows = path.read_text(encoding="utf-8").splitlines()[1:]
    reader, found = read(path)
    assert (reader.format, reader.rows) == ("csv", len(rows))
    assert found["x_value"][1].tolist() == [float(row.split(",")[1]) for row in rows]
    assert "Gaps longer than" in " ".join(reader.warnings)
