"""From values to the data bytes that decode to them: the table's formulas turned around, and verified by decoding.

Needed where recorded values travel as bytes again. Nothing is made up: what has no value must come out as not there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, lru_cache

from vehicle.errors import CarError
from vehicle.signals.decode import decode_mode01
from vehicle.signals.fields import BYTE, SWITCH, fields_of, set_values, settles
from vehicle.signals.table import load_pids

_BLANK = 0xFF  # what SAE J1979 has for "not used"
_ROUNDING = 1 + 1e-6
_HINT = "No answer of a car can say so."


class NotEncodableError(CarError, ValueError):
    """Values that no data bytes of their parameter say, or that cannot be said without saying more."""

    code = "unsupported"


def encode_mode01(pid: int, values: Mapping[str, float], unsaid: frozenset[str] = frozenset()) -> bytes:
    """Return data bytes for service 01 `pid` that decode to just these signals, each to half a step or better.

    Signals that are `unsaid` may come out as anything: whoever sends the bytes sees to it that nobody believes them.
    What the same bytes say by another name as well (the lamp is a bit of `status`) is known with them. Raises
    NotEncodableError where a value is outside what the bytes can say, or where they would also say something of a
    signal that has no value.
    """
    for name, value in values.items():
        if not math.isfinite(value):
            raise NotEncodableError(f"{name} {value} is no number.", _HINT)
    return _encode(pid, tuple(sorted(values.items())), unsaid)


@lru_cache(maxsize=65536)
def _encode(pid: int, items: tuple[tuple[str, float], ...], unsaid: frozenset[str]) -> bytes:
    values = dict(items)
    names = frozenset(values)
    problem = _unsayable(pid, names)
    for blank in _blanks(pid, names, unsaid):
        data = bytearray(blank)
        steps = set_values(pid, data, values)
        problem = _problem(pid, bytes(data), values, steps, unsaid)
        if not problem:
            return bytes(data)
    raise NotEncodableError(problem, _HINT)


def _unsayable(pid: int, names: frozenset[str]) -> str:
    carried = {field.name for field in fields_of(pid)}
    if names - carried:
        return f"PID {pid:02X} does not carry {', '.join(sorted(names - carried))}"
    others = ", ".join(sorted(carried - names))
    return f"PID {pid:02X} also carries {others}, which has no value, and its bytes cannot say so"


@cache
def _blanks(pid: int, names: frozenset[str], unsaid: frozenset[str]) -> tuple[bytes, ...]:
    """Return every start from which just these signals are there, once their values are set."""
    lengths = sorted(load_pids()[pid].lengths) if pid in load_pids() else ()
    return tuple(
        data
        for length in lengths
        for data in _starts(pid, names, length)
        if _there(pid, data) - _implied(pid, names) - unsaid == names
    )


def _starts(pid: int, names: frozenset[str], length: int) -> list[bytes]:
    carried = {place for field in fields_of(pid) if field.name in names for place in field.places}
    start = bytearray(0 if place in carried else _BLANK for place in range(length))
    switched = any(field.condition for field in fields_of(pid)) and SWITCH not in carried
    if not switched:
        return [bytes(start)]
    return [bytes([switch, *start[1:]]) for switch in range(BYTE)]


@cache
def _implied(pid: int, names: frozenset[str]) -> frozenset[str]:
    """Return the further signals whose bytes are settled, each to its last bit, by those that have values."""
    settled = {
        place for field in fields_of(pid) if field.name in names and settles(field) for place in field.places
    }
    return frozenset(
        field.name
        for field in fields_of(pid)
        if field.name not in names and field.condition is None and settled.issuperset(field.places)
    )


def _there(pid: int, data: bytes) -> frozenset[str]:
    return frozenset(
        field.name
        for field in fields_of(pid)
        if field.formula.needs <= len(data) and (field.condition is None or field.condition(data))
    )


def _problem(
    pid: int,
    data: bytes,
    values: Mapping[str, float],
    steps: Mapping[str, float],
    unsaid: frozenset[str],
) -> str:
    """Say what is wrong with the bytes by decoding them; empty where they say just what they should."""
    said = decode_mode01(pid, data)
    if said.keys() - _implied(pid, frozenset(values)) - unsaid != values.keys():
        return _unsayable(pid, frozenset(values))
    for name, value in values.items():
        if not abs(said[name] - value) <= steps.get(name, 0.0) / 2 * _ROUNDING:
            return f"{name} {value:g} does not fit the bytes of PID {pid:02X}"
    return ""
