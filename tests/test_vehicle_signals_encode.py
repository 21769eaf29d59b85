"""Values turned back into bytes: what is decoded again is what was meant, and nothing else."""

import random

import pytest

from vehicle.errors import CarError
from vehicle.signals import decode_mode01, load_pids, signals_of_pid
from vehicle.signals.encode import NotEncodableError, encode_mode01

# Formulas that are no straight line over one number: nothing claims to turn them around.
NOT_TURNED = {0x92}


@pytest.mark.parametrize("pid", sorted({pid for pid in load_pids() if signals_of_pid(pid)} - NOT_TURNED))
def test_what_random_bytes_say_is_said_again_by_the_bytes_made_of_it(pid: int) -> None:
    dice = random.Random(pid)
    made = 0
    for _ in range(30):
        values = decode_mode01(pid, dice.randbytes(dice.choice(load_pids()[pid].lengths)))
        if values:
            assert decode_mode01(pid, encode_mode01(pid, values)) == values
            made += 1
    assert made > 5


def test_a_value_between_two_steps_is_off_by_half_a_step_at_most() -> None:
    for value in (0.0, 0.1, 820.13, 6000.126, 16383.75):
        assert abs(decode_mode01(0x0C, encode_mode01(0x0C, {"rpm": value}))["rpm"] - value) <= 0.125


@pytest.mark.parametrize(
    ("pid", "values", "reason"),
    [
        (0x0D, {"speed": 256.0}, "does not fit"),
        (0x0D, {"speed": -1.0}, "does not fit"),
        (0x0C, {"rpm": 16384.0}, "does not fit"),
        (0x0C, {"rpm": -0.25}, "does not fit"),
        (0x0C, {"rpm": float("inf")}, "no number"),
        (0x01, {"mil_on": 1.0}, "also carries dtc_count, status"),
        (0x01, {"mil_on": 1.0, "dtc_count": 2.0}, "also carries status"),
        (0x01, {"status": 0x82000000, "mil_on": 0.0, "dtc_count": 2.0}, "does not fit"),
        (0x03, {"fuel_status": 2.0}, "also carries fuel_status_2"),
        (0x0C, {"speed": 3.0}, "does not carry speed"),
        (0xFE, {"speed": 3.0}, "does not carry speed"),
    ],
)
def test_what_cannot_be_said_truly_is_refused_with_the_reason(
    pid: int, values: dict[str, float], reason: str
) -> None:
    with pytest.raises(NotEncodableError, match=reason) as refused:
        encode_mode01(pid, values)
    assert isinstance(refused.value, CarError)


def test_what_the_same_bytes_say_by_another_name_comes_along() -> None:
    said = decode_mode01(0x01, encode_mode01(0x01, {"status": float(0x8207E504)}))
    assert said == {"status": 0x8207E504, "mil_on": 1, "dtc_count": 2}


def test_a_part_without_a_value_is_marked_as_not_there() -> None:
    assert encode_mode01(0x14, {"o2_b1s1": 0.45}) == bytes([90, 0xFF])
    assert encode_mode01(0x06, {"short_fuel_trim_1": 0.0}) == bytes([128])
    only = encode_mode01(0x78, {"exhaust_temp_b1s2": 400.0})
    assert decode_mode01(0x78, only) == {"exhaust_temp_b1s2": 400.0}
