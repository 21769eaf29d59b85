"""The signal table itself: names, units, limits, lengths, sources; finding a signal; decoding exactly."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vehicle.errors import CarError, UnknownSignalError
from vehicle.signals import (
    SIGNALS,
    DataLengthError,
    SplitError,
    decode_mode01,
    find_signal,
    load_pids,
    meaning_of,
    signals_of_pid,
    split_mode01,
)
from vehicle.signals.formula import compile_formula

UNITS = {
    "rpm",
    "km/h",
    "°C",
    "kPa",
    "Pa",
    "g/s",
    "%",
    "V",
    "mA",
    "A",
    "L/h",
    "Nm",
    "kW",
    "s",
    "min",
    "km",
    "°",
    "ratio",
    "count",
    "ppm",
    "kg/h",
    "mg/stroke",
    "g",
    "L",
    "m",
    "m/s²",
    "code",
}
CORE = {
    "rpm",
    "speed",
    "coolant_temp",
    "engine_load",
    "absolute_load",
    "throttle_pos",
    "relative_throttle_pos",
    "accelerator_pos_d",
    "accelerator_pos_e",
    "throttle_actuator",
    "maf",
    "intake_pressure",
    "barometric_pressure",
    "intake_temp",
    "ambiant_air_temp",
    "oil_temp",
    "short_fuel_trim_1",
    "short_fuel_trim_2",
    "long_fuel_trim_1",
    "long_fuel_trim_2",
    "o2_b1s1",
    "o2_b1s2",
    "o2_b2s1",
    "o2_b2s2",
    "commanded_equiv_ratio",
    "timing_advance",
    "control_module_voltage",
    "fuel_rate",
    "fuel_level",
    "fuel_status",
    "fuel_type",
    "fuel_pressure",
    "fuel_rail_pressure_direct",
    "run_time",
    "distance_w_mil",
    "distance_since_dtc_clear",
    "warmups_since_dtc_clear",
    "time_since_dtc_cleared",
    "catalyst_temp_b1s1",
    "ethanol_percent",
    "odometer",
    "engine_torque_actual",
    "latitude",
    "longitude",
    "altitude",
    "gps_speed",
}


def test_the_core_names_are_in_the_table_and_units_are_spelled_in_one_way() -> None:
    assert set(SIGNALS) >= CORE
    assert len(SIGNALS) >= 300
    assert {signal.unit for signal in SIGNALS.values()} <= UNITS
    assert all(signal.source and signal.description for signal in SIGNALS.values())


def test_every_formula_fits_its_answer_and_stays_inside_its_limits() -> None:
    patterns = [bytes([value]) * 41 for value in (0, 1, 0x55, 0x7F, 0x80, 0xAA, 0xFE, 0xFF)]
    for signal in SIGNALS.values():
        if not signal.formula:
            continue
        formula = compile_formula(signal.formula)
        assert formula.needs <= max(signal.lengths), signal.name
        for data in patterns:
            value = formula(data)
            assert signal.low - 1e-6 <= value <= signal.high + 1e-6, (signal.name, data[:2])


@given(st.sampled_from(sorted(load_pids())), st.binary(max_size=45))
@settings(max_examples=400, deadline=None)
def test_bytes_of_any_length_give_values_inside_the_limits_or_a_refusal(pid: int, data: bytes) -> None:
    if len(data) not in load_pids()[pid].lengths:
        with pytest.raises(DataLengthError):
            decode_mode01(pid, data)
        return
    for name, value in decode_mode01(pid, data).items():
        assert SIGNALS[name].low - 1e-6 <= value <= SIGNALS[name].high + 1e-6


@pytest.mark.parametrize(
    ("pid", "data", "expected"),
    [
        (0x0C, "1AF8", {"rpm": 1726.0}),
        (0x05, "7B", {"coolant_temp": 83.0}),
        (0x0E, "80", {"timing_advance": 0.0}),
        (0x10, "0A28", {"maf": 26.0}),
        (0x32, "FFFC", {"evap_vapor_pressure": -1.0}),
        (0x54, "8000", {"evap_vapor_pressure_alt": -32768.0}),
        (0x34, "80007FFF", {"o2_s1_wr_current_lambda": 1.0, "o2_s1_wr_current": -0.00390625}),
        (0x06, "8090", {"short_fuel_trim_1": 0.0, "short_fuel_trim_3": 12.5}),
        (0x06, "80", {"short_fuel_trim_1": 0.0}),
        (0x14, "5AFF", {"o2_b1s1": 0.45}),
        (0x67, "01787B", {"coolant_temp_1": 80.0}),
        (0x6B, "100F000000", {"egr_temp_b1s1": 20.0}),
        (0x6B, "014F000000", {"egr_temp_b1s1": 39.0}),
        (0x83, "01FFFF00000000000000"[:18], {}),
        (0x83, "030064FFFF00000000", {"nox_b1s1": 100.0}),
        (0x7A, "01FF38000A0000", {"dpf_delta_pressure_b1": -2.0}),
        (0xA4, "0330000BB8", None),
        (0xA4, "03300BB8", {"transmission_gear": 3.0, "transmission_gear_ratio": 3.0}),
        (0xA6, "00184D47", {"odometer": 159264.7}),
        (
            0x9A,
            "0E0040200248",
            {
                "hybrid_battery_voltage": 256.5,
                "hybrid_battery_current": 58.4,
                "hybrid_charge_mode_enhanced": 0.0,
            },
        ),
    ],
)
def test_exact_bytes_give_exact_values(pid: int, data: str, expected: dict[str, float] | None) -> None:
    if expected is None:
        with pytest.raises(DataLengthError, match="data bytes"):
            decode_mode01(pid, bytes.fromhex(data))
    else:
        assert decode_mode01(pid, bytes.fromhex(data)) == pytest.approx(expected)


def test_an_unknown_pid_gives_no_value() -> None:
    assert decode_mode01(0xE7, b"\x01\x02") == {}


def test_signals_are_found_by_name_in_any_case_and_by_request() -> None:
    assert find_signal(" Coolant-Temp ").name == "coolant_temp"
    assert find_signal("010C").name == find_signal("0x0C").name == "rpm"
    assert [signal.name for signal in signals_of_pid(0x66)] == ["maf_a", "maf_b"]
    with pytest.raises(UnknownSignalError, match="colant_temp") as caught:
        find_signal("colant_temp")
    assert "coolant_temp" in caught.value.hint
    assert isinstance(caught.value, CarError)


def test_coded_values_have_words_only_where_the_table_has_them() -> None:
    assert meaning_of("fuel_type", 4) == "diesel"
    assert meaning_of("fuel_type", 99) is None
    assert meaning_of("rpm", 900.5) is None


def test_a_joined_answer_comes_apart_by_the_known_lengths() -> None:
    assert split_mode01(bytes.fromhex("0C1AF80D32057B")) == [(0x0C, b"\x1a\xf8"), (0x0D, b"2"), (5, b"{")]
    assert split_mode01(bytes.fromhex("06800780"), asked=(6, 7)) == [(6, b"\x80"), (7, b"\x80")]
    assert split_mode01(bytes.fromhex("068081078082"), asked=(6, 7)) == [(6, b"\x80\x81"), (7, b"\x80\x82")]


@pytest.mark.parametrize("body", ["0C1A", "0C1AF8FF", "0D32", "0C1AF80C1AF8"])
def test_an_answer_that_does_not_come_apart_exactly_is_refused(body: str) -> None:
    with pytest.raises(SplitError, match="in no way"):
        split_mode01(bytes.fromhex(body), asked=(0x0C, 0x06))


def test_an_answer_that_comes_apart_in_two_ways_is_refused() -> None:
    with pytest.raises(SplitError, match="more than one way"):
        split_mode01(bytes.fromhex("0607071111"), asked=(0x06, 0x07, 0x11))


def test_importing_the_table_reads_no_file_and_pulls_in_nothing_heavy() -> None:
    code = (
        "import sys; import vehicle.signals as s; from vehicle.signals.table import load_signals;"
        "assert load_signals.cache_info().currsize == 0;"
        "heavy = {'numpy', 'pandas', 'serial', 'pydantic', 'obd'} & set(sys.modules); assert not heavy, heavy;"
        "assert len(s.SIGNALS) > 300"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=30)
