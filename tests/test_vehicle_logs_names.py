"""Which signal and unit a heading stands for."""

import csv
from pathlib import Path

import pytest

from vehicle.logs.names import key, meaning_of, name_rows, unit_in, unit_of
from vehicle.signals import SIGNALS
from vehicle.units import accepted, scale


def test_every_name_in_the_table_leads_to_a_signal_that_exists():
    assert [row["signal"] for row in name_rows() if row["signal"] and row["signal"] not in SIGNALS] == []


def test_every_unit_a_name_assumes_can_become_the_unit_of_its_signal():
    wrong = [
        (row["signal"], row["unit"])
        for row in name_rows()
        if row["signal"] and row["unit"] and scale(row["unit"], SIGNALS[row["signal"]].unit) is None
    ]
    assert wrong == []


def test_no_spelling_stands_twice_for_one_format_unless_the_unit_tells_which_is_meant():
    units = {}
    for row in name_rows():
        for text in row["spellings"].split("|"):
            units.setdefault((row["formats"], key(text)), []).append(
                SIGNALS[row["signal"]].unit if row["signal"] else ""
            )
    assert [name for name, found in units.items() if len(found) != len(set(found))] == []


def test_every_guess_gives_its_reason():
    assert [row for row in name_rows() if row["how"] == "guessed" and not row["reason"]] == []


def test_every_unit_of_a_signal_can_be_spelled():
    assert [signal.unit for signal in SIGNALS.values() if unit_of(signal.unit) is None] == []


def test_every_spelling_of_a_unit_leads_to_one_unit():
    path = Path(__file__).parents[1] / "vehicle" / "logs" / "data" / "units.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for text in row["spellings"].split("|"):
                assert unit_of(text)[0] == row["unit"], text


def test_every_signal_is_found_by_its_own_name():
    for name, signal in SIGNALS.items():
        meaning = meaning_of(f"{name} [{signal.unit}]")
        assert (meaning.signal, meaning.unit, meaning.factor) == (name, signal.unit, 1.0)


@pytest.mark.parametrize(
    ("heading", "signal", "unit", "how"),
    [
        ("Engine RPM(rpm)", "rpm", "rpm", "matched"),
        (" Speed (OBD)(mph)", "speed", "km/h", "matched"),
        ("Speed (GPS)(km/h)", "gps_speed", "km/h", "matched"),
        ("Intake Air Temperature [Â°C]", "intake_temp", "°C", "matched"),
        ("Engine coolant temperature (℃)", "coolant_temp", "°C", "matched"),
        ("Engine coolant temperature (â„ƒ)", "coolant_temp", "°C", "matched"),
        ("Motordrehzahl (1/min)", "rpm", "rpm", "matched"),
        ("Kühlmitteltemperatur [°C]", "coolant_temp", "°C", "matched"),
        ("speed_kmh", "speed", "km/h", "matched"),
        ("coolant_temp_f", "coolant_temp", "°C", "matched"),
        ("maf_g_s", "maf", "g/s", "matched"),
        ("engineRPM", "rpm", "rpm", "matched"),
        ("Accelerator PedalPosition D(%)", "accelerator_pos_d", "%", "matched"),
        ("Fuel trim bank 1 sensor 2(%)", "o2_b1s2_trim", "%", "matched"),
        ("Fuel Trim Bank 1 Short Term(%)", "short_fuel_trim_1", "%", "matched"),
        ("Voltage (OBD Adapter)(V)", "elm_voltage", "V", "matched"),
        ("Engine Fuel Rate (g/s)", "engine_fuel_rate_mass", "g/s", "matched"),
        ("Engine Fuel Rate (L/h)", "fuel_rate", "L/h", "matched"),
        ("Vehicle speed", "speed", "km/h", "guessed"),
        ("Battery Voltage (V)", "control_module_voltage", "V", "guessed"),
        ("STFT (%)", "short_fuel_trim_1", "%", "guessed"),
        ("Fuel rate (gal/h)", "fuel_rate", "L/h", "guessed"),
        ("G(x)", "x_g_x", "", "unknown"),
        ("Vehicle Speed (furlongs)", "x_vehicle_speed_furlongs", "furlongs", "unknown"),
        ("Engine Load (kPa)", "x_engine_load", "kPa", "unknown"),
        ("Barometer (on Android device)(mb)", "x_barometer_on_android_device", "mb", "unknown"),
        ("Скорость вентилятора", "x_column", "", "unknown"),
    ],
)
def test_a_heading_is_understood_or_kept_under_its_own_name(heading, signal, unit, how):
    meaning = meaning_of(heading)
    assert (meaning.signal, meaning.unit, meaning.how) == (signal, unit, how)
    assert meaning.reason or how == "matched"


def test_a_name_of_one_format_means_nothing_in_another():
    assert meaning_of("PEDAL_D ()", "carobd").signal == "accelerator_pos_d"
    assert (
        meaning_of("Average speed", "car_scanner", "mph").reason
        == "computed by the app, not read from the car"
    )
    assert meaning_of("Average speed", "csv", "mph").reason == "no signal of this name is known"


def test_the_ecu_in_front_of_a_torque_name_is_kept():
    meaning = meaning_of("ECU(7ea): Engine Coolant Temperature(°F)", "torque")
    assert (meaning.signal, meaning.ecu, meaning.factor) == ("coolant_temp", "7EA", pytest.approx(5 / 9))


def test_a_name_is_bounded_and_holds_no_control_characters():
    meaning = meaning_of("a\x1b[31m\x00\n" + "b" * 5000 + "\u202e")
    assert len(meaning.source) <= 120
    assert meaning.source.isprintable()
    assert len(meaning.signal) <= 64


@pytest.mark.parametrize(
    ("heading", "unit"),
    [("time (ms)", "ms"), ("t_s", "s"), ("timestamp_ms", "ms"), ("Time", None), ("Elapsed [min]", "min")],
)
def test_the_unit_of_a_time_column_is_read_from_its_heading(heading, unit):
    assert unit_in(heading) == unit


def test_every_unit_that_can_be_converted_can_be_spelled():
    assert [
        unit
        for wanted in ("kPa", "km/h", "°C", "g/s", "L/h", "km", "m", "Nm", "kW", "s", "min", "g", "m/s²")
        for unit in accepted(wanted)
        if unit_of(unit) is None
    ] == []
