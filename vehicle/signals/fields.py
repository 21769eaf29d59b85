"""Where in an answer's bytes each signal stands, and how a value is written there: formulas turned around."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

from vehicle.signals.formula import Formula, FormulaError, byte_index, compile_formula
from vehicle.signals.lookup import signals_of_pid

BYTE = 256
SWITCH = 0  # the byte whose bits say which parts of an answer are there


class Field(NamedTuple):
    """A signal's place in an answer: its formula, and the bytes that carry its value, highest first."""

    name: str
    formula: Formula
    places: tuple[int, ...]
    condition: Formula | None


@cache
def fields_of(pid: int) -> tuple[Field, ...]:
    """Return the signals of a parameter, those of most bytes first."""
    fields = [
        Field(
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


def settles(field: Field) -> bool:
    """Whether a value of the signal leaves no bit of its bytes open."""
    data = bytearray(field.formula.needs)
    if len(field.places) == 1:
        return len(set(_sayings((field.formula,), field.places[0], len(data), 0))) == BYTE
    return _said(data, field, 0) != _said(data, field, 1)


def set_values(pid: int, data: bytearray, values: Mapping[str, float]) -> dict[str, float]:
    """Set the bytes of each value; returns how far apart two neighbouring values of each signal are."""
    steps: dict[str, float] = {}
    fixed: set[int] = set()
    for field in fields_of(pid):
        if field.name not in values:
            continue
        if len(field.places) == 1:
            place = field.places[0]
            sharing = [one for one in fields_of(pid) if one.name in values and one.places == (place,)]
            steps |= _set_byte(data, sharing, values, fixed=place in fixed)
        elif fixed.isdisjoint(field.places):
            steps[field.name] = _set_number(data, field, values[field.name])
        fixed.update(field.places)
    return steps


def _set_byte(
    data: bytearray, sharing: list[Field], values: Mapping[str, float], *, fixed: bool
) -> dict[str, float]:
    """Set one byte so that it suits all the signals it carries best, by trying all it can be."""
    place = sharing[0].places[0]
    said = _sayings(tuple(field.formula for field in sharing), place, len(data), data[SWITCH])
    if not fixed:
        wanted = [values[field.name] for field in sharing]
        data[place] = min(range(BYTE), key=lambda number: _distance(said[number], wanted))
    return {field.name: _step({row[column] for row in said}) for column, field in enumerate(sharing)}


@lru_cache(maxsize=1024)
def _sayings(
    formulas: tuple[Formula, ...], place: int, length: int, switch: int
) -> tuple[tuple[float, ...], ...]:
    """Return what each number in one byte says by these formulas."""
    trial = bytearray(length)
    trial[SWITCH] = switch
    said = []
    for number in range(BYTE):
        trial[place] = number
        said.append(tuple(float(formula(bytes(trial))) for formula in formulas))
    return tuple(said)


def _step(different: set[float]) -> float:
    return min((b - a for a, b in pairwise(sorted(different))), default=0.0)


def _distance(said: Sequence[float], wanted: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(said, wanted, strict=True))


def _set_number(data: bytearray, field: Field, value: float) -> float:
    """Set the bytes of a straight-line formula over one number of several bytes; returns its slope."""
    zero, one = (_said(data, field, number) for number in (0, 1))
    slope = one - zero
    if not slope:
        return 0.0
    _said(data, field, round((value - zero) / slope))
    return abs(slope)


def _said(data: bytearray, field: Field, number: int) -> float:
    """Write a number over a field's bytes, negative ones as two's complement, and return what it decodes to."""
    size = len(field.places)
    wrapped = (number % BYTE**size).to_bytes(size, "big")
    for place, byte in zip(field.places, wrapped, strict=True):
        data[place] = byte
    try:
        return float(field.formula(bytes(data)))
    except FormulaError:
        return float("nan")
