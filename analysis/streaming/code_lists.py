"""What changed between two readings of a car's trouble codes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

_RANK = ("stored", "permanent", "pending")
"""A code stands in several lists at once; the first of these says most about it."""

Codes = Mapping[tuple[str, str], frozenset[str]]
"""By ECU and kind of list; a list that was not answered is not there, one answered empty is."""


class CodeChange(NamedTuple):
    """A code that came or went as one of this kind; `still` is the kind it is listed as now, None where it is gone."""

    ecu: str
    code: str
    kind: str
    is_new: bool
    still: str | None


def codes_of(lists: Iterable[tuple[str, str, Sequence[str]]]) -> Codes:
    """Make codes of (ecu, kind, codes)."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for ecu, kind, codes in lists:
        found[ecu, kind] = found.get((ecu, kind), frozenset()) | frozenset(codes)
    return found


def code_changes(before: Codes, now: Codes) -> list[CodeChange]:
    """Return each code that is new, or gone from a list that was answered again; one change a code and ECU.

    A code counts as the most telling kind it is listed as: pending that becomes stored is new once more.
    """
    earlier, later = _kinds(before), _kinds(now)
    changes = []
    for (ecu, code), kinds in later.items():
        known = earlier.get((ecu, code), [])
        if kinds[0] not in known and not (known and _is_unanswered(ecu, known[0], kinds[0], now)):
            changes.append(CodeChange(ecu, code, kinds[0], True, kinds[0]))
    for (ecu, code), known in earlier.items():
        kinds = later.get((ecu, code), [])
        if (ecu, known[0]) in now and known[0] not in kinds:
            changes.append(CodeChange(ecu, code, known[0], False, kinds[0] if kinds else None))
    return sorted(changes)


def _kinds(codes: Codes) -> dict[tuple[str, str], list[str]]:
    """Return the kinds of each code of each ECU, the most telling first."""
    found: dict[tuple[str, str], list[str]] = {}
    for kind in _RANK:
        for (ecu, listed), several in codes.items():
            for code in several if listed == kind else ():
                found.setdefault((ecu, code), []).append(kind)
    return found


def _is_unanswered(ecu: str, known: str, kind: str, now: Codes) -> bool:
    """Tell whether the code may still stand in a more telling list, which nobody answered this time."""
    return _RANK.index(known) < _RANK.index(kind) and (ecu, known) not in now
