"""Taking an answer that carries several parameters apart by their known lengths."""

from __future__ import annotations

from collections.abc import Collection

from vehicle.errors import CarError
from vehicle.signals.table import load_pids


class SplitError(CarError, ValueError):
    """An answer with several parameters that comes apart in no way, or in more than one."""

    code = "car_refused"


def _ways(body: bytes, asked: Collection[int], seen: tuple[int, ...]) -> list[list[tuple[int, bytes]]]:
    if not body:
        return [[]]
    known = load_pids().get(body[0])
    if known is None or body[0] in seen or (asked and body[0] not in asked):
        return []
    found: list[list[tuple[int, bytes]]] = []
    for length in known.lengths:
        data = body[1 : 1 + length]
        if len(data) == length:
            rest = _ways(body[1 + length :], asked, (*seen, body[0]))
            found += [[(body[0], data), *way] for way in rest]
    return found


def split_mode01(body: bytes, asked: Collection[int] = ()) -> list[tuple[int, bytes]]:
    """Split what stands behind `41` into (pid, data), using the lengths of SAE J1979.

    With `asked`, only those pids may appear; each at most once. Raises SplitError where the bytes do not come
    apart exactly, or could in two ways: a guess would be an invented value.
    """
    ways = _ways(body, asked, ())
    if len(ways) != 1:
        reason = "in more than one way" if ways else "in no way"
        raise SplitError(
            f"The answer 41 {body.hex(' ').upper()} comes apart into parameters {reason}.",
            "Ask for these parameters one by one.",
        )
    return ways[0]
