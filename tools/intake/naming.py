"""Which signal a sent name, request and unit mean, and how its values become the signal's unit."""

from functools import lru_cache
from typing import NamedTuple

_OWN_UNIT = "no unit stated"


class Meaning(NamedTuple):
    """The signal that is meant: `value * factor + offset` is in `unit`; `note` says what is doubtful."""

    signal: str
    unit: str
    factor: float = 1.0
    offset: float = 0.0
    low: float = float("-inf")
    high: float = float("inf")
    source: str | None = None
    known: bool = True
    note: str = ""


@lru_cache(maxsize=4096)
def meaning_of(name: str | None, unit: str | None, request: str | None = None) -> Meaning:
    """Return what a name with its unit, or a request such as `010C`, stands for; unknown ones keep their name."""
    if request:
        found = _by_request(name, unit, request)
        if found is not None:
            return found
    return _by_name(name or request or "value", unit)


def _by_name(name: str, unit: str | None) -> Meaning:
    from vehicle.logs import names
    from vehicle.signals import SIGNALS

    own = SIGNALS.get(name)
    if own is not None and unit in (None, "", own.unit):
        return Meaning(own.name, own.unit, low=own.low, high=own.high)
    told = names.meaning_of(name, "", unit or "") if unit else names.meaning_of(name)
    source = None if told.signal == name else name
    if told.how == "unknown":
        reason = f"{name}: {told.reason}; kept as {told.signal}"
        return Meaning(told.signal, told.unit, source=source, known=False, note=reason)
    limits = SIGNALS[told.signal]
    note = f"{name}: taken as {told.signal}; {told.reason}" if told.how == "guessed" else ""
    return Meaning(
        told.signal, told.unit, told.factor, told.offset, limits.low, limits.high, source, True, note
    )


def _by_request(name: str | None, unit: str | None, request: str) -> Meaning | None:
    """Return the signal of a service 01 request; None where it has none, or several and nothing tells which."""
    from vehicle.signals import signals_of_pid

    pid = _pid(request)
    candidates = [] if pid is None else [signal.name for signal in signals_of_pid(pid)]
    named = _by_name(name, unit) if name else None
    if named is not None and named.known:
        if candidates and named.signal not in candidates:
            note = (
                f"{name}: {request} is {' or '.join(candidates)}, its name says {named.signal}; kept as found"
            )
            return Meaning(_slug(name or request), unit or "", source=name, known=False, note=note)
        return named
    if len(candidates) != 1:
        return None
    found = _by_name(candidates[0], unit)
    return found if found.known else None


def _pid(request: str) -> int | None:
    """Return the parameter of `010C`, `0C` or `0x0C`; None for other services."""
    digits = request.strip().lower().removeprefix("0x")
    if len(digits) == 4 and digits.startswith("01"):
        digits = digits[2:]
    try:
        return int(digits, 16) if len(digits) == 2 else None
    except ValueError:
        return None


def _slug(name: str) -> str:
    from vehicle.logs.names import slug

    return slug(name)
