"""Our decoders against python-OBD's, where both have one: equal, or listed here with the reason."""

import random

import pytest

from vehicle.signals import SIGNALS, decode_mode01

obd = pytest.importorskip("obd", reason="python-OBD is an optional extra")

# name -> why python-OBD says something else
REASONS = {
    "commanded_equiv_ratio": "python-OBD scales by 0.0000305 where SAE J1979 has 2/65536 = 0.000030518",
    "evap_vapor_pressure": "python-OBD takes the two's complement of each byte by itself",
    "evap_vapor_pressure_alt": "python-OBD subtracts 32767; SAE J1979 has a signed number, 0000 is 0 Pa",
} | {
    f"o2_s{sensor}_wr_voltage": "python-OBD scales by 8/65535 where SAE J1979 has 8/65536"
    for sensor in range(1, 9)
}
TEXTS = {
    "status",
    "status_drive_cycle",
    "freeze_dtc",
    "fuel_status",
    "air_status",
    "o2_sensors",
    "obd_compliance",
    "o2_sensors_alt",
    "aux_input_status",
    "fuel_type",
    "emission_req",
}


def _theirs(command: object, pid: int, data: bytes) -> float | None:
    from obd.protocols.protocol import Frame, Message

    message = Message([Frame("7E8" + (bytes([0x41, pid]) + data).hex())])
    message.data = bytearray(bytes([0x41, pid]) + data)
    value = command.decode([message])  # type: ignore[attr-defined]  # python-OBD ships no types
    return None if value is None else float(getattr(value, "magnitude", value))


def _commands() -> list[tuple[str, int, object]]:
    found = []
    for command in obd.commands[1]:
        name = command.name.lower()
        if name in SIGNALS and name not in TEXTS:
            found.append((name, int(command.command[2:], 16), command))
    return found


def test_values_agree_with_python_obd_or_the_reason_is_known() -> None:
    rng = random.Random(1979)
    disagree: dict[str, tuple[str, float, float | None]] = {}
    compared = 0
    for name, pid, command in _commands():
        length = SIGNALS[name].lengths[0]
        for _ in range(40):
            data = rng.randbytes(length)
            ours, theirs = decode_mode01(pid, data)[name], _theirs(command, pid, data)
            compared += 1
            if theirs is None or ours != pytest.approx(theirs, rel=1e-6, abs=1e-6):
                disagree[name] = (data.hex(), ours, theirs)
    assert compared >= 40 * 75
    assert set(disagree) == set(REASONS), disagree


def test_every_python_obd_name_of_service_01_is_ours_too() -> None:
    bitmaps_and_dropped = {"pids_a", "pids_b", "pids_c", "max_values"}
    names = {command.name.lower() for command in obd.commands[1]}
    assert names - bitmaps_and_dropped <= set(SIGNALS)
