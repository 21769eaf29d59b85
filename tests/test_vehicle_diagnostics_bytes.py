"""Exact bytes of diagnoses: what decodes to what, and what contradicts itself and is refused."""

import pytest

from vehicle.diagnostics.monitor_tests import MonitorResultError, decode_can_results, decode_legacy_results
from vehicle.diagnostics.readiness import decode_readiness
from vehicle.diagnostics.scaling import as_number, monitor_name, scalings
from vehicle.diagnostics.trouble_codes import CodeListError, code_text, decode_codes
from vehicle.diagnostics.vehicle_info import InfoError, _checks, _items, _name, _use, _vin


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("0133", "P0133"),
        ("0420", "P0420"),
        ("1234", "P1234"),
        ("3FFF", "P3FFF"),
        ("4123", "C0123"),
        ("9A01", "B1A01"),
        ("C100", "U0100"),
        ("D555", "U1555"),
    ],
)
def test_two_bytes_are_a_code(word: str, code: str) -> None:
    assert code_text(bytes.fromhex(word)) == code


@pytest.mark.parametrize(
    ("data", "is_can", "codes"),
    [
        ("00", True, []),
        ("0201330420", True, ["P0133", "P0420"]),
        ("010000", True, ["P0000"]),
        ("000000000000", False, []),
        ("013304200000", False, ["P0133", "P0420"]),
        ("013300000000C10000000000", False, ["P0133", "U0100"]),
    ],
)
def test_code_lists(data: str, is_can: bool, codes: list[str]) -> None:
    assert decode_codes(bytes.fromhex(data), is_can=is_can) == codes


@pytest.mark.parametrize(
    ("data", "is_can"),
    [
        ("", True),
        ("01", True),
        ("014301960234C123", True),
        ("000133", True),
        ("020133", True),
        ("013304", False),
    ],
)
def test_a_code_list_that_contradicts_itself_is_refused(data: str, is_can: bool) -> None:
    with pytest.raises(CodeListError):
        decode_codes(bytes.fromhex(data), is_can=is_can)


def test_readiness_of_petrol_and_diesel_engines() -> None:
    petrol = decode_readiness("7E8", bytes.fromhex("830765A4"), since_clear=True)
    assert (petrol.mil_on, petrol.code_count, petrol.ignition) == (True, 3, "spark")
    assert {monitor.name: monitor.complete for monitor in petrol.monitors} == {
        "misfire": True,
        "fuel_system": True,
        "components": True,
        "catalyst": True,
        "evaporative": False,
        "oxygen_sensor": False,
        "oxygen_sensor_heater": True,
    }
    diesel = decode_readiness("7E8", bytes.fromhex("001EFB43"), since_clear=False)
    assert (diesel.mil_on, diesel.code_count, diesel.ignition) == (None, None, "compression")
    assert {monitor.name: monitor.complete for monitor in diesel.monitors} == {
        "fuel_system": True,
        "components": True,
        "nmhc_catalyst": False,
        "nox_scr": False,
        "boost_pressure": True,
        "exhaust_gas_sensor": True,
        "pm_filter": False,
        "egr_vvt": True,
    }


def test_a_test_result_is_scaled_with_limits_and_judged() -> None:
    [test] = decode_can_results("7E8", bytes.fromhex("01070A0BB80000157C"))
    assert (test.test_name, test.unit) == ("minimum sensor voltage for test cycle", "V")
    assert (test.value, test.low, test.high) == pytest.approx((0.366, 0.0, 0.671), abs=5e-4)
    assert test.verdict == "passed"
    below, signed = decode_can_results("7E8", bytes.fromhex("21802000100020FFFF2181AFFF38F63C09C4"))
    assert below.verdict == "failed"
    assert (signed.value, signed.low, signed.high, signed.verdict) == (-2.0, -25.0, 25.0, "passed")
    [unknown] = decode_can_results("7E8", bytes.fromhex("E18077000100000002"))
    assert (unknown.value, unknown.raw, unknown.verdict) == (None, (1, 0, 2), "passed")
    [idle] = decode_can_results("7E8", bytes.fromhex("A10B24000000000000"))
    assert (idle.value, idle.verdict) == (None, "not_run")
    for damaged in ("", "01070A0BB8000015", "01070A0BB80000157C00", "01070A0BB80000157C02070A0BB80000157C"):
        with pytest.raises(MonitorResultError):
            decode_can_results("7E8", bytes.fromhex(damaged))


def test_results_outside_can_have_one_limit_and_no_scaling() -> None:
    [high] = decode_legacy_results("10", bytes.fromhex("010200640096"))
    [low] = decode_legacy_results("10", bytes.fromhex("018200640096"))
    assert (high.verdict, high.raw) == ("passed", (100, None, 150))
    assert (low.verdict, low.raw) == ("failed", (100, 150, None))
    assert high.value is None


def test_a_vin_has_seventeen_characters_and_none_is_stripped() -> None:
    for vin in (b"1HGCM82633A004352", b"2T1BURHE0JC012120", b"01234567890123210"):
        assert _vin(_items(b"\x01" + vin, True)) == {"vin": vin.decode()}
        assert _vin(_items(b"\0\0\0" + vin, False)) == {"vin": vin.decode()}
    for damaged in (b"\x01HGCM82633A004352", b"\x011HGCM82633A00435\x01", b"\x01", b""):
        with pytest.raises(InfoError):
            _vin(_items(damaged, True))


def test_counts_that_do_not_fit_are_refused() -> None:
    assert _checks(_items(bytes.fromhex("025A3C91E00D47B2F6"), True)) == {
        "calibration_checks": ["5A3C91E0", "0D47B2F6"]
    }
    with pytest.raises(InfoError):
        _checks(_items(bytes.fromhex("035A3C91E00D47B2F6"), True))
    with pytest.raises(InfoError):
        _use(("catalyst bank 1",))(_items(bytes.fromhex("010001"), True))
    assert _name(_items(b"\x01ECM\0-EngineControl\0\0", True)) == {"name": "ECM-EngineControl"}


def test_scalings_agree_with_python_obd() -> None:
    obd = pytest.importorskip("obd.UnitsAndScaling", reason="python-OBD is an optional extra")
    compared = 0
    for number, scaling in scalings().items():
        theirs = obd.UAS_IDS.get(number)
        if theirs is None or number == 0x2E:  # 2E: python-OBD makes a truth value of it
            continue
        for raw in (b"\x12\x34", b"\xff\xf0"):
            value = theirs(raw).magnitude
            ratio = scaling.apply(as_number(raw, number)) / value
            # the same quantity in the same unit, in thousands of it (mV, ms, mΩ, Pa/s) or in inches
            assert any(ratio == pytest.approx(unit, rel=2e-3) for unit in (1.0, 0.001, 25.4)), f"{number:02X}"
        compared += 1
    assert compared > 70


def test_monitors_have_names_and_makers_own_are_called_so() -> None:
    assert monitor_name(0x21) == "catalyst bank 1"
    assert monitor_name(0x42) == "exhaust gas sensor heater bank 1 sensor 2"
    assert "manufacturer" in monitor_name(0xE3)
    assert monitor_name(0x7F) == "monitor 7F"
