"""Formulas as data: a small arithmetic language over the bytes A, B, C … of an answer, never Python's eval."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from functools import lru_cache

from vehicle.errors import CarError

Number = int | float
Step = Callable[[bytes], Number]

LONGEST = 500
LARGEST = 2**64

_BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_BITS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Number, Number], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class FormulaError(CarError, ValueError):
    """A formula that is not arithmetic over bytes, or that cannot be worked out for these bytes."""

    code = "bad_arguments"


def _unsigned(*parts: int) -> int:
    value = 0
    for part in parts:
        value = value << 8 | part
    return value


def _signed(*parts: int) -> int:
    value = _unsigned(*parts)
    half = 1 << (8 * len(parts) - 1)
    return value - 2 * half if value >= half else value


def _bit(value: int, number: int) -> int:
    return value >> number & 1


# name -> (function, how many arguments it takes)
_FUNCTIONS: dict[str, tuple[Callable[..., Number], int]] = {
    "u16": (_unsigned, 2),
    "u24": (_unsigned, 3),
    "u32": (_unsigned, 4),
    "s8": (_signed, 1),
    "s16": (_signed, 2),
    "s24": (_signed, 3),
    "s32": (_signed, 4),
    "bit": (_bit, 2),
    "abs": (abs, 1),
    "min": (min, 2),
    "max": (max, 2),
}
_INTEGERS_ONLY = {name for name in _FUNCTIONS if name[0] in "us" or name == "bit"}


class Formula:
    """A checked formula; calling it with the data bytes gives its value."""

    __slots__ = ("_step", "needs", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.needs = 0
        self._step = self._build(_parse(text).body)

    def __call__(self, data: bytes) -> Number:
        """Work the formula out; FormulaError where bytes are missing or the arithmetic fails."""
        try:
            return self._step(data)
        except (IndexError, ArithmeticError, TypeError, ValueError) as error:
            raise FormulaError(
                f"Formula {self.text!r} has no value for {data.hex().upper() or 'no bytes'}: {error}.",
                f"It needs {self.needs} bytes.",
            ) from error

    def _build(self, node: ast.AST) -> Step:
        builder = _BUILDERS.get(type(node))
        if builder is None:
            raise _refuse(self.text, f"{type(node).__name__} is not allowed")
        return builder(self, node)

    def _constant(self, node: ast.Constant) -> Step:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
            raise _refuse(self.text, f"{value!r} is not a number this language takes")
        return lambda data: value

    def _name(self, node: ast.Name) -> Step:
        index = byte_index(node.id)
        if index is None:
            raise _refuse(self.text, f"{node.id!r} is not a byte (A … Z, AA …)")
        self.needs = max(self.needs, index + 1)
        return operator.itemgetter(index)

    def _binary(self, node: ast.BinOp) -> Step:
        left, right, kind = self._build(node.left), self._build(node.right), type(node.op)
        if kind in (ast.LShift, ast.RShift):
            self._check_shift(node.right)
        work: Callable[..., Number] | None = _BINARY.get(kind) or _BITS.get(kind)
        if work is None:
            raise _refuse(self.text, f"{kind.__name__} is not allowed")
        return lambda data: work(left(data), right(data))

    def _check_shift(self, node: ast.expr) -> None:
        if not (isinstance(node, ast.Constant) and isinstance(node.value, int) and 0 <= node.value <= 64):
            raise _refuse(self.text, "shift only by a number from 0 to 64")

    def _unary(self, node: ast.UnaryOp) -> Step:
        value = self._build(node.operand)
        if isinstance(node.op, ast.USub):
            return lambda data: -value(data)
        if isinstance(node.op, ast.Not):
            return lambda data: not value(data)
        raise _refuse(self.text, f"{type(node.op).__name__} is not allowed")

    def _logic(self, node: ast.BoolOp) -> Step:
        parts = [self._build(value) for value in node.values]
        if isinstance(node.op, ast.And):
            return lambda data: all(part(data) for part in parts)
        return lambda data: any(part(data) for part in parts)

    def _compare(self, node: ast.Compare) -> Step:
        if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARE:
            raise _refuse(self.text, "compare two values with == != < <= > >=")
        work = _COMPARE[type(node.ops[0])]
        left, right = self._build(node.left), self._build(node.comparators[0])
        return lambda data: work(left(data), right(data))

    def _choice(self, node: ast.IfExp) -> Step:
        test, yes, no = self._build(node.test), self._build(node.body), self._build(node.orelse)
        return lambda data: yes(data) if test(data) else no(data)

    def _call(self, node: ast.Call) -> Step:
        known = _FUNCTIONS.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if known is None or node.keywords or len(node.args) != known[1]:
            allowed = ", ".join(f"{name}({count})" for name, (_, count) in _FUNCTIONS.items())
            raise _refuse(self.text, f"functions and how many values they take: {allowed}")
        work, parts = known[0], [self._build(argument) for argument in node.args]
        if isinstance(node.func, ast.Name) and node.func.id in _INTEGERS_ONLY:
            self._check_bytes(node)
        return lambda data: work(*[part(data) for part in parts])

    def _check_bytes(self, node: ast.Call) -> None:
        """Refuse u16(A*300, B): joining anything but plain bytes would give a number nobody sent."""
        plain = [isinstance(argument, ast.Name) for argument in node.args]
        shift_ok = isinstance(node.func, ast.Name) and node.func.id == "bit"
        if shift_ok:
            self._check_shift(node.args[1])
        elif not all(plain):
            raise _refuse(self.text, "u16, s16 … join plain bytes such as u16(A,B)")


_BUILDERS: dict[type[ast.AST], Callable[..., Step]] = {
    ast.Constant: Formula._constant,
    ast.Name: Formula._name,
    ast.BinOp: Formula._binary,
    ast.UnaryOp: Formula._unary,
    ast.BoolOp: Formula._logic,
    ast.Compare: Formula._compare,
    ast.IfExp: Formula._choice,
    ast.Call: Formula._call,
}


def _refuse(text: str, reason: str) -> FormulaError:
    return FormulaError(
        f"Formula {text!r}: {reason}.",
        "Allowed: the bytes A, B, C …, numbers, + - * / // % & | ^ << >>, comparisons, 'x if y else z', "
        "and u16 u24 u32 s8 s16 s24 s32 bit abs min max.",
    )


def _parse(text: str) -> ast.Expression:
    if len(text) > LONGEST:
        raise _refuse(text[:40] + "…", f"longer than {LONGEST} characters")
    try:
        return ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise _refuse(text, "not an expression") from error


def byte_index(name: str) -> int | None:
    """Return 0 for A, 25 for Z, 26 for AA …; None for anything else."""
    if not (1 <= len(name) <= 2 and name.isascii() and name.isalpha() and name.isupper()):
        return None
    index = 0
    for letter in name:
        index = index * 26 + ord(letter) - 64
    return index - 1


@lru_cache(maxsize=2048)
def compile_formula(text: str) -> Formula:
    """Check and compile a formula once; raises FormulaError naming what is not allowed."""
    return Formula(text)
