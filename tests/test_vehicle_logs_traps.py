"""What goes wrong inside tables: nothing raises, nothing is lost without being counted."""

import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vehicle.errors import LogError
from vehicle.logs import open_log
from vehicle.logs.notes import Notes
from vehicle.logs.reader import BATCH_READINGS
from vehicle.logs.rotation import Rotation, is_rotation
from vehicle.logs.ticks import place_rows
from vehicle.logs.timeline import Timeline


@pytest.fixture
def log(tmp_path):
    """Return a function that writes a log, reads it, and gives the reader and {signal: (seconds, values)}."""

    def read(content, name="log.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        reader = open_log(path)
        found = {}
        for batch in reader.batches():
            for run in batch:
                times, values = found.setdefault(run.signal, ([], []))
                times += (run.times_us / 1e6).tolist()
                values += run.values.tolist()
        return reader, found

    return read


def told(reader, part):
    found = [warning for warning in reader.warnings if part in warning]
    assert len(found) == 1, reader.warnings
    return found[0]


def test_rows_with_another_number_of_fields_are_dropped_and_counted_by_line(log):
    reader, found = log("time (s),rpm,speed (km/h)\n0,800,1\n1,801\n2,802,3,4\n3,803,4\n4,804,5,,\n5,805,6\n")
    assert found["rpm"] == ([0, 3, 4, 5], [800, 803, 804, 805])  # more separators without values do no harm
    assert "2 (line 3: 2; line 4: 4)" in told(reader, "another number of fields")


def test_a_last_line_cut_in_its_number_loses_that_number_only(log):
    reader, found = log("time (s),rpm,speed (km/h)\n0,800,1\n1,801,2\n2,80")
    assert found["rpm"] == ([0, 1], [800, 801])
    assert "line, 4" in told(reader, "cut off")
    assert reader.rows == 3


def test_a_file_that_ends_without_a_line_end_warns_about_its_last_value(log):
    reader, found = log("time (s),rpm\n0,800\n1,801")
    assert found["rpm"][1] == [800, 801]
    assert told(reader, "may be cut short")


def test_blank_lines_hold_nothing_and_cost_nothing(log):
    reader, found = log("\n\ntime (s),rpm\n\n0,800\n   \n1,801\n\n")
    assert found["rpm"] == ([0, 1], [800, 801])
    assert reader.rows == 2


@pytest.mark.parametrize("mark", ["", "-", "--", "NaN", "nan", "N/A", "inf", "-inf", "∞", "null", "No Data"])
def test_marks_of_a_missing_value_are_counted_and_never_numbers(log, mark):
    reader, found = log(f"time (s),rpm\n0,800\n1,{mark}\n2,802\n")
    assert found["rpm"] == ([0, 2], [800, 802])
    assert "'rpm' 1, first in line 3" in told(reader, "Empty cells")


@pytest.mark.parametrize("wrong", ["8OO", "0x10", "1_000", "True", "1.2.3", "٣", "1e", "--5"])
def test_a_cell_that_is_no_number_is_named_with_its_line(log, wrong):
    reader, found = log(f"time (s),rpm\n0,800\n1,{wrong}\n2,802\n")
    assert found["rpm"] == ([0, 2], [800, 802])
    assert f"1 (line 3 {wrong!r})" in told(reader, "Cells of 'rpm' that are not numbers")


def test_quotation_marks_in_every_place_move_no_value_to_another_column(log):
    reader, found = log(
        'time (s),rpm,speed (km/h)\n"0","800","1"\n1,"801",2\n2,80"2,3\n3,"803,4\n4,"8,04",5\n5,805,6\n'
    )
    assert found["rpm"] == ([0, 1, 4, 5], [800, 801, 8.04, 805])
    assert found["speed"] == ([0, 1, 2, 4, 5], [1, 2, 3, 5, 6])
    assert "line 4" in told(reader, "not numbers")
    assert "line 5" in told(reader, "another number of fields")


def test_decimal_commas_between_quotation_marks_are_read(log):
    _, found = log('time,rpm,speed (km/h)\n"10:00:00","800,5","1,5"\n"10:00:01","801,5","2,5"\n')
    assert found["rpm"] == ([0, 1], [800.5, 801.5])
    assert found["speed"][1] == [1.5, 2.5]


def test_the_tab_and_the_semicolon_separate_too(log):
    for separator in "\t;":
        _, found = log(f"time (s){separator}rpm\n0{separator}800\n1{separator}801\n")
        assert found["rpm"] == ([0, 1], [800, 801])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_heading_with_a_degree_sign_is_read_in_every_encoding(log, encoding):
    reader, found = log("time (s),coolant temp (°C)\n0,80\n1,81\n", encoding=encoding)
    assert found == {"coolant_temp": ([0, 1], [80, 81])}
    assert reader.columns[0].source == "time (s)"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(log, end):
    _, found = log(end.join(["time (s),rpm", "0,800", "1,801", ""]))
    assert found["rpm"] == ([0, 1], [800, 801])


def test_a_line_of_a_megabyte_is_dropped_and_reported(log):
    reader, found = log("time (s),rpm\n0,800\n1," + "9" * 1_500_000 + "\n2,802\n" * 2)
    assert found["rpm"] == ([0, 2, 2], [800, 802, 802])
    assert "line 3" in told(reader, "too long")


def test_steps_back_repeats_and_gaps_are_reported_and_times_kept(log):
    times = [0, 1, 2, 2, 3, 4, 5, 6, 4.5, 7, 100, 101]
    reader, found = log("time (s),rpm\n" + "".join(f"{time},800\n" for time in times))
    assert found["rpm"][0] == times
    assert "1 (line 5)" in told(reader, "the time of the row before")
    assert "1 (line 10)" in told(reader, "Time steps back")
    assert "1.500 s" in told(reader, "largest step back")
    assert "1 (7.0 s: 93.0 s, line 12)" in told(reader, "Gaps longer than 10 s")


def test_rows_without_a_readable_time_are_dropped_and_counted(log):
    reader, found = log(
        "time,rpm\n10:00:00,800\nsoon,801\n,802\n10:00:03,803\n10:00:04,804\n" + "10:00:05,805\n" * 9
    )
    assert found["rpm"][0][:3] == [0, 3, 4]
    assert "2 (line 3; line 4)" in told(reader, "without a readable time")


def test_midnight_is_passed_once_even_with_a_late_row(log):
    reader, found = log("time,rpm\n23:59:58,1\n23:59:59,2\n00:00:01,3\n23:59:59.5,4\n00:00:02,5\n")
    assert found["rpm"][0] == [0, 1, 3, 1.5, 4]
    assert told(reader, "passed midnight")


@pytest.mark.parametrize(
    ("cells", "utc", "local", "span"),
    [
        (["1700000000", "1700000002"], datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), None, 2),
        (["1700000000000", "1700000002500"], datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), None, 2.5),
        (["2024-01-01T10:00:00Z", "2024-01-01T10:00:01.5Z"], datetime(2024, 1, 1, 10, tzinfo=UTC), None, 1.5),
        (
            ["2024-01-01T10:00:00+02:00", "2024-01-01T10:00:01+02:00"],
            datetime(2024, 1, 1, 8, tzinfo=UTC),
            None,
            1,
        ),
        (["2024-01-01 10:00:00", "2024-01-01 10:00:03"], None, datetime(2024, 1, 1, 10), 3),
        (["31/12/2023 10:00:00", "31/12/2023 10:00:03"], None, datetime(2023, 12, 31, 10), 3),
        (["12/31/2023 10:00:00 PM", "12/31/2023 10:00:03 PM"], None, datetime(2023, 12, 31, 22), 3),
        (["3-Okt-2023 10:00:00", "3-Okt-2023 10:00:03.5"], None, datetime(2023, 10, 3, 10), 3.5),
        (["1 févr. 2023 10:00:00", "1 févr. 2023 10:00:02"], None, datetime(2023, 2, 1, 10), 2),
        (["05/06/2023 10:00:00", "05/06/2023 10:00:03"], None, None, 3),
    ],
)
def test_times_of_many_forms_are_read_as_far_as_they_go(log, cells, utc, local, span):
    reader, _ = log("timestamp,rpm\n" + "".join(f"{cell},800\n" for cell in cells))
    assert (reader.started_at, reader.local_start, reader.duration_s) == (utc, local, pytest.approx(span))
    assert reader.timing == "measured"


def test_a_date_and_a_time_column_are_joined(log):
    reader, found = log("Date,Time,rpm\n2024-05-01,10:00:00,800\n2024-05-01,10:00:02,810\n")
    assert reader.local_start == datetime(2024, 5, 1, 10)
    assert found == {"rpm": ([0, 2], [800, 810])}


def test_the_better_clock_is_chosen_among_two(log):
    reader, found = log("elapsed (s),timestamp,rpm\n0,2024-05-01T10:00:00Z,800\n1,2024-05-01T10:00:02Z,810\n")
    assert reader.started_at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert found["rpm"][0] == [0, 2]


def test_a_time_without_a_unit_is_taken_as_seconds_and_said_so(log):
    reader, found = log("time,rpm\n0,800\n1,810\n")
    assert found["rpm"][0] == [0, 1]
    assert told(reader, "taken as seconds")


def test_one_row_per_reading_is_understood_in_plain_csv(log):
    reader, found = log(
        "timestamp,signal,value,unit\n2024-01-01T00:00:00Z,rpm,800,rpm\n"
        "2024-01-01T00:00:00Z,Vehicle speed,10,mph\n2024-01-01T00:00:01Z,rpm,nan,rpm\n"
        "2024-01-01T00:00:02Z,rpm,810,rpm\n2024-01-01T00:00:02Z,,5,\n"
    )
    assert (reader.format, reader.rows) == ("csv", 5)
    assert found == {"rpm": ([0, 2], [800, 810]), "speed": ([0], [pytest.approx(16.09344)])}
    assert "line 6" in told(reader, "without a name")


def test_a_reading_given_twice_at_one_time_is_kept_twice_and_reported(log):
    reader, found = log(
        "timestamp,signal,value\n2024-01-01T00:00:00Z,rpm,800\n2024-01-01T00:00:00Z,rpm,805\n"
        "2024-01-01T00:00:00Z,engine_load,20\n2024-01-01T00:00:01Z,rpm,810\n"
    )
    assert found["rpm"] == ([0, 0, 1], [800, 805, 810])
    assert "'rpm'" in told(reader, "the time of the one before; both are kept: 1 (line 3)")


def test_two_columns_of_one_signal_are_not_mixed(log):
    reader, found = log("time (s),Speed (km/h),Vehicle speed (mph),foo,foo\n0,10,6,1,2\n1,20,12,3,4\n")
    assert found["speed"][1] == [10, 20]
    assert found["x_vehicle_speed"][1] == [6, 12]
    assert (found["x_foo"][1], found["x_foo_2"][1]) == ([1, 3], [2, 4])
    assert "'Speed (km/h)' is already kept as speed" in {column.reason for column in reader.columns}


def test_a_unit_that_cannot_be_right_is_seen_at_the_values(log):
    reader, found = log("time (s),Engine Coolant Temperature (°C)\n0,400\n1,401\n2,402\n")
    assert found == {"x_engine_coolant_temperature": ([0, 1, 2], [400, 401, 402])}
    assert told(reader, "another unit or quantity is meant")


def test_a_single_wild_value_is_kept_and_reported(log):
    reader, found = log("time (s),rpm\n0,800\n1,99999\n2,801\n")
    assert found["rpm"][1] == [800, 99999, 801]
    assert "line 3: 99999" in told(reader, "Values of rpm beyond")


def test_rows_below_a_header_that_moves_the_clock_are_dropped(log):
    reader, found = log(
        "time (s),rpm\n0,800\n1,801\ntime (s)\n2\ntime (s),rpm\n3,803\ntime (s),speed (km/h)\n4,5\n"
    )
    assert found == {"rpm": ([0, 1, 3], [800, 801, 803]), "speed": ([4], [5])}
    reader, found = log("SECONDS;PID;VALUE;UNITS\n1;Engine RPM;800;rpm\nSECONDS;VALUE\n2;801\n")
    assert found == {"rpm": ([0], [800])}
    assert "line 3" in told(reader, "moves the time column")
    assert told(reader, "Rows below a header").endswith(": 1.")


def test_values_in_a_column_without_a_name_are_counted(log):
    reader, found = log("time (s),rpm,\n0,800,5\n1,801,6\n")
    assert found == {"rpm": ([0, 1], [800, 801])}
    assert "2 (line 2; line 3)" in told(reader, "without a name")


def test_a_hundred_thousand_readings_come_in_bounded_batches(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        "time (s),rpm,speed (km/h),engine load (%)\n"
        + "".join(f"{i / 10},{800 + i % 50},{i % 100},{i % 90}\n" for i in range(60_000)),
        encoding="utf-8",
    )
    reader = open_log(path)
    sizes, last = [], -1.0
    for batch in reader.batches():
        sizes.append(sum(len(run.values) for run in batch))
        times = {run.signal: run.times_us for run in batch}
        assert times["rpm"][0] > last
        last = times["rpm"][-1]
    assert sum(sizes) == 180_000
    assert max(sizes) <= BATCH_READINGS


def test_warnings_stay_short_however_much_is_wrong(log):
    header = "time (s)," + ",".join(f"c{i} (V)" for i in range(300))
    reader, _ = log(header + "\n" + "\n".join(f"{t}," + ",".join(["x", "1"] * 150) for t in range(20)) + "\n")
    assert len(reader.warnings) < 70
    assert max(len(warning) for warning in reader.warnings) < 1_500


def test_notes_keep_the_first_places_and_the_whole_count():
    notes = Notes()
    notes.count_lines("Odd", list(range(100)))
    notes.count_lines("Odd", list(range(100, 150)))
    assert notes.texts() == ["Odd: 150 (line 0; line 1; line 2; line 3; line 4 and 145 more)."]


def test_the_turn_of_requests_is_found_and_followed_over_a_slip():
    rng = np.random.default_rng(1)
    values, current, truth = [], np.full(4, np.nan), []
    for row in range(400):
        column = (row + (row >= 201)) % 4
        current = current.copy()
        current[column] = rng.integers(0, 3)  # often the same value again
        values.append(current)
        truth.append(column)
    table = np.array(values)
    assert is_rotation(table[:200])
    rotation, kept, at = Rotation(4), [], 0
    while at < len(table):
        fresh, settled = rotation.fresh(table[at : at + 90], last=at + 90 >= len(table))
        kept += fresh.cells.tolist()
        at += settled
    found = np.array(kept)
    read = found.sum(axis=1)
    assert (read <= 1).all()
    assert [int(row.argmax()) for row in found[read == 1]] == [
        c for c, n in zip(truth, read, strict=True) if n
    ]
    assert (read == 0).sum() < 10  # only around the slip


def test_a_table_whose_rows_are_new_throughout_is_no_rotation():
    rng = np.random.default_rng(2)
    assert not is_rotation(rng.normal(size=(200, 4)))
    assert not is_rotation(np.ones((200, 4)))


def test_rows_are_placed_within_the_stated_error_of_their_true_time():
    rng = np.random.default_rng(3)
    period, pauses = 0.4923, {300: 4.0, 700: 2.5}
    truth = np.cumsum([period + pauses.get(row, 0.0) for row in range(1500)])
    clock, shown = np.empty(1500), 0.0
    for row, time in enumerate(truth):
        if rng.random() < 0.27:
            shown = np.floor(time - rng.uniform(0, period))
        clock[row] = max(shown, 0.0)
    placed = place_rows(clock)
    assert placed.period_s == pytest.approx(period, abs=0.003)
    error = placed.times_s - truth
    beside = (
        np.abs(np.arange(1500)[:, None] - [300, 700]).min(axis=1) < 12
    )  # where the pause was is not known
    assert np.abs(error - np.median(error))[~beside].max() < placed.error_s
    assert [row for row, _ in placed.pauses] == pytest.approx([300, 700], abs=8)


def test_an_engine_clock_that_starts_again_goes_on_behind_the_first_part():
    clock = np.repeat(np.r_[np.arange(30.0), np.arange(20.0)], 2)
    placed = place_rows(clock)
    assert placed.restarts == [60]
    assert (np.diff(placed.times_s) > 0).all()
    assert placed.times_s[-1] == pytest.approx(49.5, abs=0.6)


def test_a_clock_that_never_ticks_places_nothing():
    assert place_rows(np.zeros(50)) is None
    assert place_rows(np.full(50, np.nan)) is None


def test_a_timeline_knows_its_start_over_several_pieces():
    notes = Notes()
    line = Timeline(notes, wraps=True)
    first = line.place(np.array([86_399_000_000]), np.array([2]))
    then = line.place(np.array([500_000, 1_500_000]), np.array([3, 4]))
    assert (first.tolist(), then.tolist()) == ([0], [1_500_000, 2_500_000])
    assert line.end_us == 2_500_000


def swallow(path):
    """Read a whole log; any LogError is an answer, anything else is a defect."""
    try:
        reader = open_log(path)
        for batch in reader.batches():
            for run in batch:
                assert len(run.times_us) == len(run.values) > 0
                assert np.isfinite(run.values).all()
        assert all(isinstance(warning, str) for warning in reader.warnings)
    except LogError as error:
        refusal = error
    else:
        refusal = None
    assert refusal is None or (refusal.message and refusal.hint)


CELLS = st.one_of(
    st.floats().map(repr),
    st.integers().map(str),
    st.sampled_from(["", "-", '"', '""', "NaN", "10:00:00", "a;b", "°"]),
    st.text(max_size=6),
)
HEADINGS = st.one_of(
    st.sampled_from(
        [
            "time",
            "Time",
            "rpm",
            "Device Time",
            "GPS Time",
            "SECONDS",
            "PID",
            "VALUE",
            "UNITS",
            "Vehicle speed (km/h)",
            "ENGINE_RUN_TINE ()",
            "Engine RPM [RPM]",
            "timestamp",
            "signal",
            "value",
            "unit",
        ]
    ),
    st.text(max_size=8),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.lists(HEADINGS, min_size=1, max_size=5),
    rows=st.lists(st.lists(CELLS, max_size=6), max_size=12),
    separator=st.sampled_from([",", ";", "\t"]),
    end=st.sampled_from(["\n", "\r\n", "\r", ""]),
)
def test_no_table_raises_anything_but_a_log_error(tmp_path, header, rows, separator, end):
    path = tmp_path / "table.csv"
    lines = [separator.join(header), *(separator.join(row) for row in rows)]
    path.write_bytes(((end or "\n").join(lines) + end).encode("utf-8", "surrogatepass"))
    swallow(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8"))),
    start=st.sampled_from(
        [
            b"",
            b"time,rpm\n0,800\n1,801\n",
            b"(1700000000.000000) can0 7E8#04410C1AF8000000\n",
            b'{"name":"a","value":1}\n',
            b"Datastream*****\n",
            b"MDF     4.10    ",
            b'{"capture_meta":"KW330","parameters":',
        ]
    ),
)
def test_no_bytes_raise_anything_but_a_log_error(tmp_path, content, start):
    path = tmp_path / "log.bin"
    path.write_bytes(start + content)
    swallow(path)


WHOLE = sorted(
    path for path in (Path(__file__).parent / "data" / "logs").iterdir() if path.name != "README.md"
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    whole=st.sampled_from(WHOLE),
    begin=st.floats(0, 1),
    length=st.integers(0, 40),
    filling=st.one_of(
        st.binary(max_size=8), st.sampled_from([b",", b";", b'"', b"\n", b"-", b"1e9", b"\r", b"\0"])
    ),
)
def test_no_damage_to_a_log_raises_anything_but_a_log_error(tmp_path, whole, begin, length, filling):
    raw = whole.read_bytes()
    at = int(begin * len(raw))
    path = tmp_path / whole.name
    path.write_bytes(raw[:at] + filling + raw[at + length :])
    swallow(path)


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "log.csv"
    header, row = "time (s),rpm,speed (km/h),engine load (%)\n", "{},812.25,45.0,31.5\n"
    peaks = []
    for rows in (100_000, 200_000):
        path.write_text(header + "".join(row.format(i) for i in range(rows)), encoding="utf-8")
        tracemalloc.start()
        readings = sum(len(run.values) for batch in open_log(path).batches() for run in batch)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert readings == 3 * rows
    assert peaks[1] < 1.2 * peaks[0]
