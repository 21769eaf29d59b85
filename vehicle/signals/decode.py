"""From the data bytes of an answer to values: exact lengths only, nothing padded, nothing guessed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from vehicle.errors import CarError
from vehicle.signals.formula import Formula, FormulaError, compile_formula
from vehicle.signals.table import Signal, load_pids, load_signals


class DataLengthError(CarError, ValueError):
    """An answer whose data is longer or shorter than its parameter has bytes."""

    code = "car_refused"


class _Decoder(NamedTuple):
    name: str
    value: Formula
    condition: Formula | None


def _decoder(signal: Signal) -> _Decoder:
    condition = compile_formula(signal.condition) if signal.condition else None
    return _Decoder(signal.name, compile_formula(signal.formula), condition)


@cache
def _mode01_decoders() -> dict[int, tuple[_Decoder, ...]]:
    found: dict[int, list[_Decoder]] = {}
    for signal in load_signals().values():
        if signal.service == 1 and signal.pid is not None:
            found.setdefault(signal.pid, []).append(_decoder(signal))
    return {pid: tuple(decoders) for pid, decoders in found.items()}


def _value(decoder: _Decoder, data: bytes) -> float | None:
    """None where the ECU says this part is not there, or sent no bytes for it."""
    if decoder.value.needs > len(data):
        return None
    if decoder.condition is not None and not decoder.condition(data):
        return None
    value = float(decoder.value(data))
    return value if math.isfinite(value) else None


def _check_length(what: str, allowed: Sequence[int], data: bytes) -> None:
    if len(data) not in allowed:
        expected = " or ".join(str(length) for length in allowed)
        raise DataLengthError(
            f"{what} has {expected} data bytes, got {len(data)}: {data.hex(' ').upper()}.",
            "The answer is damaged or the car does not follow SAE J1979 here; it is not decoded.",
        )


def decode_mode01(pid: int, data: bytes) -> dict[str, float]:
    """Decode the data bytes behind `41 pid` into values by signal name, in each signal's unit.

    A signal the ECU marks as not present is left out; an unknown pid gives an empty dict.
    Raises DataLengthError where the length is not the one SAE J1979 gives the pid.
    """
    known = load_pids().get(pid)
    if known is None:
        return {}
    _check_length(f"PID {pid:02X}", known.lengths, data)
    decoded = ((decoder.name, _value(decoder, data)) for decoder in _mode01_decoders().get(pid, ()))
    return {name: value for name, value in decoded if value is not None}


def decode_signal(signal: Signal, data: bytes) -> float | None:
    """Decode one signal, of the table or of a user's file, from its answer's data bytes.

    None where the ECU marks it as not present. Raises DataLengthError and FormulaError.
    """
    if not signal.formula:
        raise FormulaError(f"{signal.name} has no formula.", "It is not read by a request.")
    if signal.lengths:
        _check_length(signal.name, signal.lengths, data)
    return _value(_decoder(signal), data)
