"""The whole analysis: its parts, its refusals, and real recordings."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recordings import recording
from test_analysis_tables import mapped, series, table_of, trip

from analysis.errors import NotEnoughDataError, UnknownChoiceError
from analysis.session import PARTS, analyze
from analysis.table import SignalSeries, SignalTable

KIT_COLUMNS = (
    "coolant_temp", "intake_pressure", "rpm", "speed", "intake_temp", "maf", "throttle_pos",
    "ambiant_air_temp", "accelerator_pos_d", "accelerator_pos_e",
)  # fmt: skip
CAROBD_COLUMNS = {
    "ENGINE_RPM ()": "rpm",
    "VEHICLE_SPEED ()": "speed",
    "ENGINE_LOAD ()": "engine_load",
    "COOLANT_TEMPERATURE ()": "coolant_temp",
    "INTAKE_MANIFOLD_PRESSURE ()": "intake_pressure",
    "PEDAL_D ()": "accelerator_pos_d",
    "INTAKE_AIR_TEMP ()": "intake_temp",
    "CONTROL_MODULE_VOLTAGE ()": "control_module_voltage",
}


def seconds_of_day(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def kit(name: str) -> SignalTable:
    """Read a Seat Leon drive as it is: full rows, one new value each."""
    with recording(f"kit_seat_leon_diesel/{name}").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    start = seconds_of_day(rows[0][0])
    columns: dict[str, list[tuple[float, float]]] = {column: [] for column in KIT_COLUMNS}
    for row in rows:
        for column, text in zip(KIT_COLUMNS, row[1:], strict=False):
            if text:
                columns[column].append((seconds_of_day(row[0]) - start, float(text)))
    return SignalTable({n: series(n, *np.array(pairs).T) for n, pairs in columns.items()})


def carobd(name: str) -> SignalTable:
    """Read a Toyota Etios drive; rows come at 2.03 Hz and end in a comma too many."""
    with recording(f"carobd_toyota_etios/{name}").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, skipinitialspace=True)
    rows = [row for row in rows if len(row) >= len(header)]
    times = np.arange(len(rows)) / 2.03
    columns: dict[str, SignalSeries] = {}
    for place, title in enumerate(header):
        if title in CAROBD_COLUMNS:
            values = np.array([float(row[place]) if row[place] else np.nan for row in rows])
            columns[CAROBD_COLUMNS[title]] = series(CAROBD_COLUMNS[title], times, values)
    return SignalTable(columns)


def test_every_part_is_there_and_only_those_asked_for() -> None:
    table = trip(300)
    whole = analyze(table)
    assert all(getattr(whole, part) is not None for part in PARTS)
    some = analyze(table, parts=["driving"])
    assert some.driving is not None
    assert [part for part in PARTS if getattr(some, part) is not None] == ["driving"]


def test_the_answer_survives_json() -> None:
    whole = analyze(trip(300))
    assert type(whole).model_validate_json(whole.model_dump_json()) == whole


@pytest.mark.parametrize(
    ("arguments", "told"), [({"parts": ["speeed"]}, "speeed"), ({"confidence_level": 95}, "95")]
)
def test_a_choice_that_does_not_exist_is_refused_with_what_does(arguments: dict, told: str) -> None:
    with pytest.raises(UnknownChoiceError, match=told) as caught:
        analyze(trip(60), **arguments)
    assert caught.value.hint


def test_a_window_without_readings_is_refused_with_the_span_there_is() -> None:
    with pytest.raises(NotEnoughDataError) as caught:
        analyze(trip(60), start_s=1000)
    assert "0.0 to 59.9 s" in caught.value.hint


def test_a_window_limits_every_part() -> None:
    whole = analyze(trip(600), start_s=100, end_s=300)
    assert (whole.window.start_s, whole.window.end_s) == (100, 300)
    assert whole.driving is not None
    assert whole.driving.duration_s.value == pytest.approx(200)
    assert whole.statistics is not None
    assert whole.statistics[0].count == 2001


def test_a_single_reading_can_be_analysed() -> None:
    whole = analyze(table_of(np.array([3.0]), rpm=np.array([800.0])))
    assert whole.statistics is not None
    assert whole.statistics[0].mean == 800
    assert whole.driving is not None
    assert whole.driving.distance_km.kind == "absent"


def test_a_shift_in_time_and_another_order_of_signals_change_no_number() -> None:
    table = trip(400)
    moved = mapped(table, lambda s: series(s.signal, s.times_s + 4096.0, s.values))
    there = analyze(
        SignalTable({name: moved[name] for name in reversed(list(moved))}), parts=["driving", "states"]
    )
    here = analyze(table, parts=["driving", "states"])
    assert here.driving is not None
    assert there.driving is not None
    for name, quantity in here.driving:
        if hasattr(quantity, "value") and quantity.value is not None:
            assert getattr(there.driving, name).value == pytest.approx(quantity.value, rel=1e-6, abs=0.21), (
                name
            )


def test_units_are_those_of_the_signals() -> None:
    whole = analyze(trip(300))
    assert whole.statistics is not None
    assert whole.quality is not None
    units = {one.signal: one.unit for one in whole.statistics}
    assert units == {one.signal: one.unit for one in whole.quality.signals}
    assert units["maf"] == "g/s"


def test_result_models_load_neither_numpy_nor_scipy() -> None:
    code = (
        "import sys, analysis.results, analysis.facts, analysis.findings, analysis.errors;"
        "sys.exit(any(m in sys.modules for m in ('numpy', 'scipy', 'pandas', 'matplotlib')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], check=False)
    assert done.returncode == 0


def test_the_diesel_drives_gears_come_out_the_same_in_every_drive() -> None:
    for name in ("2017-07-27_Seat_Leon_KA_KA_Normal.csv", "2018-02-26_Seat_Leon_RT_RT_Frei.csv"):
        whole = analyze(kit(name), parts=["quality", "driving"])
        assert whole.quality is not None
        assert whole.driving is not None
        assert "every 10 rows" in (whole.quality.held_values or "")
        ratios = [gear.rpm_per_kmh.value for gear in whole.driving.gears]
        assert ratios[-5:] == pytest.approx([58.4, 37.3, 25.7, 20.2, 16.9], rel=0.01)
        assert whole.driving.harsh_brakings.value == 0


def test_a_drive_that_ends_in_gaps_leaves_them_out_and_says_so() -> None:
    whole = analyze(kit("2017-07-14_Seat_Leon_KA_KA_Frei.csv"), parts=["quality", "driving"])
    assert whole.quality is not None
    assert whole.driving is not None
    assert whole.quality.gap_s == pytest.approx(137, abs=2)
    assert whole.quality.verdict == "usable"
    assert "left out" in (whole.driving.distance_km.method or "")
    assert [finding.rule for finding in whole.findings] == ["recording-gaps"]


def test_a_petrol_drive_reads_as_its_recorders_described_it() -> None:
    whole = analyze(carobd("long6.csv"))
    assert whole.driving is not None
    assert whole.states is not None
    assert whole.driving.engine_starts.value == 1
    assert 0.05 < (whole.driving.overrun_share.value or 0) < 0.2
    assert [round(gear.rpm_per_kmh.value or 0) for gear in whole.driving.gears][-2:] == [35, 29]
    assert not [finding for finding in whole.findings if finding.severity in ("warning", "critical")]


def test_the_cars_odometer_confirms_the_distance() -> None:
    table = car_scanner()
    driving = analyze(table, parts=["driving"]).driving
    assert driving is not None
    assert driving.odometer_km.value == pytest.approx(1.526, abs=0.001)
    assert driving.distance_km.value == pytest.approx(driving.odometer_km.value, rel=0.015)


def car_scanner() -> SignalTable:
    """Read speed, rpm and total distance of a Car Scanner log, given in miles."""
    wanted = {"Vehicle speed": "speed", "Distance travelled (total)": "odometer", "Engine RPM": "rpm"}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in wanted.values()}
    with recording("car_scanner_csv/nov_4_test_data.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file, delimiter=";"):
            if row[1] in wanted:
                factor = 1.609344 if row[3].startswith("m") else 1.0
                found[wanted[row[1]]].append((float(row[0]), float(row[2]) * factor))
    return SignalTable({name: series(name, *np.array(pairs).T) for name, pairs in found.items()})
