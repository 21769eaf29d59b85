"""Our decoders against py-obdii's formulas: the same value for the parameter, or listed here with the reason."""

import random
from typing import Any

import pytest

from vehicle.signals import decode_mode01
from vehicle.signals.table import load_pids

obdii = pytest.importorskip("obdii", reason="py-obdii is in the development group")

_PRESENCE = (
    "py-obdii's formula does not look at the byte that says which parts are there; we leave absent parts out"
)
REASONS = {
    "DPF_TEMP": "py-obdii takes the byte that says which parts are there for the first byte of a temperature",
    "ENGINE_RUN_TIME_ALT": _PRESENCE,
    "NOX_REAGENT_SYSTEM": _PRESENCE,
}


def commands() -> list[Any]:
    """Return py-obdii's commands of service 01 that decode by a formula."""
    return [
        one
        for one in obdii.commands
        if getattr(one.mode, "value", one.mode) == 1 and type(one.resolver).__name__ == "Formula"
    ]


def test_values_agree_with_py_obdii_or_the_reason_is_known() -> None:
    rng = random.Random(1979)
    disagree: dict[str, tuple[float, dict[str, float]]] = {}
    compared = 0
    for command in commands():
        for _ in range(40):
            data = rng.randbytes(load_pids()[command.pid].lengths[0])
            ours, theirs = decode_mode01(command.pid, data), command.resolver(list(data))
            compared += bool(ours)
            if ours and not any(
                value == pytest.approx(theirs, rel=1e-3, abs=1e-3) for value in ours.values()
            ):
                disagree[command.name] = theirs, ours
    assert compared > 1500
    assert {name: values for name, values in disagree.items() if name not in REASONS} == {}
    assert set(REASONS) <= set(disagree), "a disagreement that is listed is gone"
