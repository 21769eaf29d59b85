"""From values to the data bytes that decode to them: the table's formulas turned around, and verified by decoding.

Needed where recorded values travel as bytes again. Nothing is made up: what has no value must come out as not there.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

from vehicle.errors import CarError
from vehicle.signals.decode import decode_mode01
from vehicle.signals.formula import Formula, FormulaError, byte_index, compile_formula
from vehicle.signals.lookup import signals_of_pid
from vehicle.signals.table import load_pids

_BYTE = 256
_BLANK = 0xFF  # what SAE J1979 has for "not used"
_SWITCH = 0  # the byte whose bits say which parts of an answer are there
_ROUNDING = 1 + 1e-6
_HINT = "No answer of a car can say so."


class NotEncodableError(CarError, ValueError):
    """Values that no data bytes of their parameter say, or that cannot be said without saying more."""

    code = "unsupported"


class _Field(NamedTuple):
    """A signal's place in an answer: its formula, and the bytes that carry its value, highest first."""

    name: str
    formula: Formula
    places: tuple[int, ...]
    condition: Formula | None


def encode_mode01(pid: int, values: Mapping[str, float]) -> bytes:
    """Return data bytes for service 01 `pid` that decode to just these signals, each to half a step or better.

    What the same bytes say by another name as well (the lamp is a bit of `status`) is known with them. Raises
    NotEncodableError where a value is outside what the bytes can say, or where they would also say something of a
    signal that has no value.
    """
    for name, value in values.items():
        if not math.isfinite(value):
            raise NotEncodableError(f"{name} {value} is no number.", _HINT)
    return _encode(pid, tuple(sorted(values.items())))


@lru_cache(maxsize=65536)
def _encode(pid: int, items: tuple[tuple[str, float], ...]) -> bytes:
    values = dict(items)
    names = frozenset(values)
    problem = _unsayable(pid, names)
    for blank in _blanks(pid, names):
        data = bytearray(blank)
        steps = _set_values(pid, data, values)
        problem = _problem(pid, bytes(data), values, steps)
        if not problem:
            return bytes(data)
    raise NotEncodableError(problem, _HINT)


def _unsayable(pid: int, names: frozenset[str]) -> str:
    carried = {field.name for field in _fields(pid)}
    if names - carried:
        return f"PID {pid:02X} does not carry {', '.join(sorted(names - carried))}"
    others = ", ".join(sorted(carried - names))
    return f"PID {pid:02X} also carries {others}, which has no value, and its bytes cannot say so"


@cache
def _fields(pid: int) -> tuple[_Field, ...]:
    """Return the signals of a parameter, those of most bytes first."""
    fields = [
        _Field(
            signal.name,
            compile_formula(signal.formula),
            tuple(_places(ast.parse(signal.formula, mode="eval").body)),
            compile_formula(signal.condition) if signal.condition else None,
        )
        for signal in signals_of_pid(pid)
    ]
    return tuple(sorted(fields, key=lambda field: -len(field.places)))


def _places(node: ast.AST) -> dict[int, None]:
    """Return the bytes a value is made of, in the order of the formula; what a choice depends on is not among them."""
    if isinstance(node, ast.IfExp):
        return _places(node.body) | _places(node.orelse)
    if isinstance(node, ast.Name) and (index := byte_index(node.id)) is not None:
        return {index: None}
    return {place: None for child in ast.iter_child_nodes(node) for place in _places(child)}


@cache
def _blanks(pid: int, names: frozenset[str]) -> tuple[bytes, ...]:
    """Return every start from which just these signals are there, once their values are set."""
    lengths = sorted(load_pids()[pid].lengths) if pid in load_pids() else ()
    return tuple(
        data
        for length in lengths
        for data in _starts(pid, names, length)
        if _there(pid, data) - _implied(pid, names) == names
    )


def _starts(pid: int, names: frozenset[str], length: int) -> list[bytes]:
    carried = {place for field in _fields(pid) if field.name in names for place in field.places}
    start = bytearray(0 if place in carried else _BLANK for place in range(length))
    switched = any(field.condition for field in _fields(pid)) and _SWITCH not in carried
    if not switched:
        return [bytes(start)]
    return [bytes([switch, *start[1:]]) for switch in range(_BYTE)]


@cache
def _implied(pid: int, names: frozenset[str]) -> frozenset[str]:
    """Return the further signals whose bytes are settled, each to its last bit, by those that have values."""
    settled = {
        place for field in _fields(pid) if field.name in names and _settles(field) for place in field.places
    }
    return frozenset(
        field.name
        for field in _fields(pid)
        if field.name not in names and field.condition is None and settled.issuperset(field.places)
    )


def _settles(field: _Field) -> bool:
    """Whether a value of the signal leaves no bit of its bytes open."""
    data = bytearray(field.formula.needs)
    if len(field.places) == 1:
        return len(set(_sayings((field.formula,), field.places[0], len(data), 0))) == _BYTE
    return _said(data, field, 0) != _said(data, field, 1)


def _there(pid: int, data: bytes) -> frozenset[str]:
    return frozenset(
        field.name
        for field in _fields(pid)
        if field.formula.needs <= len(data) and (field.condition is None or field.condition(data))
    )


def _set_values(pid: int, data: bytearray, values: Mapping[str, float]) -> dict[str, float]:
    """Set the bytes of each value; returns how far apart two neighbouring values of each signal are."""
    steps: dict[str, float] = {}
    fixed: set[int] = set()
    for field in _fields(pid):
        if field.name not in values:
            continue
        if len(field.places) == 1:
            place = field.places[0]
            sharing = [one for one in _fields(pid) if one.name in values and one.places == (place,)]
            steps |= _set_byte(data, sharing, values, fixed=place in fixed)
        elif fixed.isdisjoint(field.places):
            steps[field.name] = _set_number(data, field, values[field.name])
        fixed.update(field.places)
    return steps


def _set_byte(
    data: bytearray, sharing: list[_Field], values: Mapping[str, float], *, fixed: bool
) -> dict[str, float]:
    """Set one byte so that it suits all the signals it carries best, by trying all it can be."""
    place = sharing[0].places[0]
    said = _sayings(tuple(field.formula for field in sharing), place, len(data), data[_SWITCH])
    if not fixed:
        wanted = [values[field.name] for field in sharing]
        data[place] = min(range(_BYTE), key=lambda number: _distance(said[number], wanted))
    return {field.name: _step({row[column] for row in said}) for column, field in enumerate(sharing)}


@lru_cache(maxsize=1024)
def _sayings(
    formulas: tuple[Formula, ...], place: int, length: int, switch: int
) -> tuple[tuple[float, ...], ...]:
    """Return what each number in one byte says by these formulas."""
    trial = bytearray(length)
    trial[_SWITCH] = switch
    said = []
    for number in range(_BYTE):
        trial[place] = number
        said.append(tuple(float(formula(bytes(trial))) for formula in formulas))
    return tuple(said)


def _step(different: set[float]) -> float:
    return min((b - a for a, b in pairwise(sorted(different))), default=0.0)


def _distance(said: Sequence[float], wanted: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(said, wanted, strict=True))


def _set_number(data: bytearray, field: _Field, value: float) -> float:
    """Set the bytes of a straight-line formula over one number of several bytes; returns its slope."""
    zero, one = (_said(data, field, number) for number in (0, 1))
    slope = one - zero
    if not slope:
        return 0.0
    _said(data, field, round((value - zero) / slope))
    return abs(slope)


def _said(data: bytearray, field: _Field, number: int) -> float:
    """Write a number over a field's bytes, negative ones as two's complement, and return what it decodes to."""
    size = len(field.places)
    wrapped = (number % _BYTE**size).to_bytes(size, "big")
    for place, byte in zip(field.places, wrapped, strict=True):
        data[place] = byte
    try:
        return float(field.formula(bytes(data)))
    except FormulaError:
        return float("nan")


def _problem(pid: int, data: bytes, values: Mapping[str, float], steps: Mapping[str, float]) -> str:
    """Say what is wrong with the bytes by decoding them; empty where they say just what they should."""
    said = decode_mode01(pid, data)
    if said.keys() - _implied(pid, frozenset(values)) != values.keys():
        return _unsayable(pid, frozenset(values))
    for name, value in values.items():
        if not abs(said[name] - value) <= steps.get(name, 0.0) / 2 * _ROUNDING:
            return f"{name} {value:g} does not fit the bytes of PID {pid:02X}"
    return ""
