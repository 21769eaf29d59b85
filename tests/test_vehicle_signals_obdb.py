"""Every answer of the OBDb Ford F-150 recordings that our table covers decodes to the value expected there."""

import json
import re

import pytest
from recordings import recording

from vehicle.elm327.protocols import Family
from vehicle.elm327.replies import parse_reply
from vehicle.signals import decode_mode01, split_mode01

# OBDb's signal -> ours; one line per name so that a wrong mapping is easy to see.
NAMES = {
    "LOAD_PCT": "engine_load",
    "ECT": "coolant_temp",
    "SHRTFT1": "short_fuel_trim_1",
    "LONGFT1": "long_fuel_trim_1",
    "SHRTFT2": "short_fuel_trim_2",
    "LONGFT2": "long_fuel_trim_2",
    "FP": "fuel_pressure",
    "MAP": "intake_pressure",
    "RPM": "rpm",
    "VSS": "speed",
    "SPARKADV": "timing_advance",
    "IAT": "intake_temp",
    "MAF": "maf",
    "TP": "throttle_pos",
    "O2S12": "o2_b1s2",
    "O2S22": "o2_b2s2",
    "RUNTM": "run_time",
    "MIL_DIST": "distance_w_mil",
    "FRP": "fuel_rail_pressure_direct",
    "EVAP_PCT": "evaporative_purge",
    "FLI": "fuel_level",
    "WARM_UPS": "warmups_since_dtc_clear",
    "CLR_DIST": "distance_since_dtc_clear",
    "BARO": "barometric_pressure",
    "LAMBDA11_CURRENT": "o2_s1_wr_current_lambda",
    "O2S11_CURRENT": "o2_s1_wr_current",
    "CATEMP11": "catalyst_temp_b1s1",
    "CATEMP21": "catalyst_temp_b2s1",
    "VPWR": "control_module_voltage",
    "LOAD_ABS": "absolute_load",
    "EQ_RAT": "commanded_equiv_ratio",
    "TP_R": "relative_throttle_pos",
    "AAT": "ambiant_air_temp",
    "TP_B": "throttle_pos_b",
    "APP_D": "accelerator_pos_d",
    "APP_E": "accelerator_pos_e",
    "TAC_PCT": "throttle_actuator",
    "ALCH_PCT": "ethanol_percent",
    "EVAP_VPA": "evap_vapor_pressure_abs",
    "EVAP_VP_WIDE": "evap_vapor_pressure_alt",
    "LGSO2FT1": "long_o2_trim_b1",
    "LGSO2FT2": "long_o2_trim_b2",
    "FUEL_RATE": "fuel_rate",
    "TQ_ACT": "engine_torque_actual",
    "TQ_REF": "engine_reference_torque",
    "IAT_11": "intake_temp_b1s1",
    "IAT_12": "intake_temp_b1s2",
    "EGR_A_CMD": "commanded_egr_a",
    "EGR_A_ACT": "actual_egr_a",
    "EGR_A_ERR": "egr_error_a",
    "EGR_B_CMD": "commanded_egr_b",
    "EGR_B_ACT": "actual_egr_b",
    "EGR_B_ERR": "egr_error_b",
    "TAC_A_CMD": "commanded_throttle_a",
    "TP_A_REL": "relative_throttle_a",
    "TAC_B_CMD": "commanded_throttle_b",
    "TP_B_REL": "relative_throttle_b",
    "WG_A_CMD": "commanded_wastegate_a",
    "WG_A_ACT": "wastegate_pos_a",
    "WG_B_CMD": "commanded_wastegate_b",
    "WG_B_ACT": "wastegate_pos_b",
    "TQ_FR": "engine_friction_torque",
    "HEV_BATT_V": "hybrid_battery_voltage",
    "HEV_BATT_A": "hybrid_battery_current",
    "FUEL_RATE_ALT": "engine_fuel_rate_mass",
    "VFUEL_RATE": "vehicle_fuel_rate_mass",
    "EXH_RATE": "exhaust_flow",
    "ODO": "odometer",
    "FUELSYSA_B1": "fuel_use_a_b1",
    "FUELSYSB_B1": "fuel_use_b_b1",
    "FUELSYSA_B2": "fuel_use_a_b2",
    "FUELSYSB_B2": "fuel_use_b_b2",
    "FUELSYSA_B3": "fuel_use_a_b3",
    "FUELSYSB_B3": "fuel_use_b_b3",
    "FUELSYSA_B4": "fuel_use_a_b4",
    "FUELSYSB_B4": "fuel_use_b_b4",
    "MIL": "mil_on",
    "DTC_CNT": "dtc_count",
    "EGRTA": "egr_temp_b1s1",
    "EGRTC": "egr_temp_b1s2",
    "EGRTB": "egr_temp_b2s1",
    "EGRTD": "egr_temp_b2s2",
    "FUELSYS1": "fuel_status",
    "FUELSYS2": "fuel_status_2",
    "FUEL_TYP": "fuel_type",
    "OBDSUP": "obd_compliance",
    "SHRTFT11": "o2_b1s1_trim",
    "SHRTFT12": "o2_b1s2_trim",
    "SHRTFT22": "o2_b2s2_trim",
    "EHEV_MODE": "hybrid_charge_mode_enhanced",
    "HEV_MODE": "hybrid_charge_mode",
}
CODES = {
    "OFF": 0,
    "OL": 1,
    "CL": 2,
    "OL-Drive": 4,
    "OL-Fault": 8,
    "CL-Fault": 16,
    "GAS": 1,
    "OBD II": 1,
    "OBD": 2,
    "OBD & OBD II": 3,
    "EOBD": 6,
    "CSM": 0,
    "CDM": 1,
    "CIM": 2,
}
SUPPORT = {
    "TAC_A_CMD": "CTAC_A_SUP",
    "TAC_B_CMD": "CTAC_B_SUP",
    "TP_A_REL": "RTP_A_SUP",
    "TP_B_REL": "RTP_B_SUP",
}
PASCAL_PER_UNIT = {"EVAP_VP_WIDE": 1000}
# OBDb cuts these at a maximum of its own; SAE J1979's range goes on to 1.99997.
CLIPPED = {"LAMBDA11_CURRENT": 1.99, "EQ_RAT": 1.99}
# Where the ECU's own support bits decide: OBDb decodes the bytes of absent parts all the same.
DISAGREEMENTS = {
    "SHRTFT11": "FF means: sensor not used in trim calculation (SAE J1979); OBDb decodes it, with a wrong scale",
    "SHRTFT22": "the same",
    "EGRTB": "the ECU marks it as wide range, 4 °C per bit; OBDb decodes it with 1 °C per bit",
}


def _frames(response: str) -> list[bytes]:
    lines = (re.sub(r"\s", "", line) for line in response.splitlines())
    return [bytes.fromhex(line[3:]) for line in lines if re.fullmatch(r"7E8([0-9A-F]{2})+", line)]


def _answers(response: str) -> list[bytes]:
    """Put single frames and first + consecutive frames together; stray consecutive frames are dropped."""
    answers: list[bytes] = []
    pending, length = b"", 0
    for frame in _frames(response):
        kind = frame[0] >> 4
        if kind == 0:
            answers.append(frame[1 : 1 + frame[0]])
        elif kind == 1:
            pending, length = frame[2:], (frame[0] & 15) << 8 | frame[1]
        elif pending:
            pending += frame[1:]
            if len(pending) >= length:
                answers.append(pending[:length])
                pending = b""
    return answers


def _cases() -> list[tuple[str, dict[str, object], list[bytes]]]:
    rows = json.loads(recording("obdb_raw_hex/ford_f150_mode01_responses.json").read_text(encoding="utf-8"))
    found = []
    for row in rows:
        pid = bytes.fromhex("41" + row["pid"][2:])
        answers = [answer for answer in _answers(row["response"]) if answer[:2] == pid]
        found.append((row["pid"], row["expected"], answers))
    return found


def test_all_1602_answers_decode_to_the_recorded_values() -> None:
    checked = 0
    disagreed: set[str] = set()
    cases = _cases()
    for pid, expected, answers in cases:
        assert answers, f"no answer to {pid}"
        parts = dict(split_mode01(answers[-1][1:]))
        values = decode_mode01(int(pid[2:], 16), parts[int(pid[2:], 16)])
        for name, wanted in expected.items():
            if name.endswith("_SUP") or name not in NAMES:
                continue
            if not expected.get(SUPPORT.get(name, name + "_SUP"), True) and name != "EGRTB":
                assert NAMES[name] not in values, f"{name} is marked as absent"
                continue
            if name in DISAGREEMENTS and values.get(NAMES[name]) != wanted:
                disagreed.add(name)
                continue
            number = CODES[wanted] if isinstance(wanted, str) else float(str(wanted))
            number *= PASCAL_PER_UNIT.get(name, 1)
            if number == CLIPPED.get(name):
                assert values[NAMES[name]] >= number
                continue
            # OBDb rounds to five places and scales lambda by 2/65535 where SAE J1979 has 2/65536
            assert values[NAMES[name]] == pytest.approx(number, rel=3e-5, abs=1e-5), (pid, name, answers)
            checked += 1
    assert len(cases) == 1602
    assert checked > 1700
    assert disagreed == set(DISAGREEMENTS)


def test_every_value_name_of_the_recordings_is_mapped() -> None:
    seen = {name for _, expected, _ in _cases() for name in expected if not name.endswith("_SUP")}
    bits = {name for name in seen if re.search(r"_RDY|_ENA|_CMPL|CMPL$|_EXISTS|CIM_SUP_FLAG", name)}
    assert seen - bits - {"MIL", "DTC_CNT"} <= set(NAMES)


def test_read_as_adapter_replies_the_recordings_give_the_recorded_value_or_none() -> None:
    rows = json.loads(recording("obdb_raw_hex/ford_f150_mode01_responses.json").read_text(encoding="utf-8"))
    answered = 0
    for row in rows:
        pid = int(row["pid"][2:], 16)
        reply = parse_reply(row["response"], bytes([0x01, pid, 0x00]), Family.CAN11)
        for answer in reply.answers:
            data = dict(split_mode01(answer.data[1:])).get(pid)
            if data is not None:
                wanted = _answers(row["response"])
                assert any(data in one for one in wanted)
                answered += 1
                _check_value(row, decode_mode01(pid, data))
    # the rest hold several different answers of one ECU, which nobody can tell apart, or torn lines
    assert answered > 1500


def _check_value(row: dict[str, dict[str, object]], values: dict[str, float]) -> None:
    for name in ("RPM", "VSS", "ECT", "LOAD_PCT", "MAF", "ODO", "VPWR"):
        if name in row["expected"]:
            assert values[NAMES[name]] == pytest.approx(float(str(row["expected"][name])), rel=3e-5, abs=1e-5)
