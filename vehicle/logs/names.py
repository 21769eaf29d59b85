"""What a column's heading means: our signal and unit, matched, guessed or unknown, with the reason."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from vehicle.logs.preview import How
from vehicle.logs.text import clean, mended
from vehicle.signals import SIGNALS
from vehicle.units import scale

_DATA = Path(__file__).parent / "data"
_ECU = re.compile(r"^ECU\(([0-9A-Fa-f]{2,8})\):\s*")
_BRACKET = re.compile(r"^(.*?)\s*[\[(]([^\[\]()]*)[\])]$")
_SPLIT_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-Z])")
# Units that nothing else is ever written in: a heading without a unit leaves no doubt.
_ONLY_ONE_WAY = frozenset({"rpm", "%", "°", "V", "ratio", "code", "count", "ppm", "L/h"})


class Spelling(NamedTuple):
    """One line of the name table: what a spelling stands for in some formats."""

    signal: str
    unit: str
    how: str
    reason: str


@dataclass(frozen=True)
class Meaning:
    """What one column holds: `signal` in `unit` is the value found, times `factor`, plus `offset`."""

    source: str
    unit_found: str | None
    signal: str
    unit: str
    how: How
    reason: str
    ecu: str = ""
    factor: float = 1.0
    offset: float = 0.0

    def as_found(self, reason: str) -> Meaning:
        """Return the meaning of a column whose signal cannot be told after all."""
        kept = self.unit_found or ""
        return Meaning(self.source, self.unit_found, slug(self.source), kept, "unknown", reason, self.ecu)


def key(name: str) -> str:
    """Return a name reduced to what matters for comparing spellings."""
    name = unicodedata.normalize("NFC", mended(name))
    words = _SPLIT_CAMEL.sub(" ", name).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in words).split())


def unit_of(text: str) -> tuple[str, str] | None:
    """Return (unit, doubt) for a spelling of a unit, or None where it is not known."""
    return _units().get(_unit_key(text))


def meaning_of(heading: str, log_format: str = "", unit_text: str | None = None) -> Meaning:
    """Return what a column heading (or a name with its unit beside it) stands for in a format."""
    source = clean(mended(heading))
    ecu = _ECU.match(source)
    bare = source[ecu.end() :] if ecu else source
    name, found = (bare, unit_text) if unit_text is not None else _divided(bare, log_format)
    meaning = _meaning(source, name, clean(mended(found or ""), 20) or None, log_format)
    return meaning if ecu is None else replace(meaning, ecu=ecu[1].upper())


def unit_in(heading: str) -> str | None:
    """Return the text of the unit that a heading states, such as `ms` in `time (ms)` or `time_ms`."""
    name, found = _divided(clean(mended(heading)), "")
    return found or _divided_by_suffix(name)[1]


def slug(source: str) -> str:
    """Return the name under which a column without a known signal is kept."""
    bracket = _BRACKET.match(source)
    name = bracket[1] if bracket and (unit_of(bracket[2]) or not bracket[2]) else source
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "x_" + (re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60].strip("_") or "column")


def _meaning(source: str, name: str, found: str | None, log_format: str) -> Meaning:
    spellings = _spellings(key(name), log_format)
    unknown = Meaning(source, found, slug(source), found or "", "unknown", "")
    if not spellings:
        return unknown.as_found("no signal of this name is known")
    first = spellings[0]
    if not first.signal:
        return Meaning(source, found, slug(source), found or first.unit, "unknown", first.reason)
    if found and unit_of(found) is None:
        return unknown.as_found(f"would be {first.signal}, but the unit {found!r} is not known")
    fitting = (_in_unit(unknown, spelling, found) for spelling in spellings)
    refusal = f"would be {first.signal}, but {found} cannot become {SIGNALS[first.signal].unit}"
    return next((meaning for meaning in fitting if meaning), unknown.as_found(refusal))


def _in_unit(unknown: Meaning, spelling: Spelling, found: str | None) -> Meaning | None:
    signal, wanted = spelling.signal, SIGNALS[spelling.signal].unit
    unit, doubt = (unit_of(found) if found else None) or (spelling.unit or wanted, "")
    how = scale(unit, wanted)
    if how is None:
        return None
    reasons = [reason for reason in (spelling.reason, doubt) if reason]
    guessed = spelling.how == "guessed" or bool(doubt)
    if not found and not spelling.unit and wanted not in _ONLY_ONE_WAY:
        reasons.append(f"no unit stated; taken as {wanted}")
        guessed = True
    return Meaning(
        unknown.source,
        unknown.unit_found,
        signal,
        wanted,
        "guessed" if guessed else "matched",
        "; ".join(reasons),
        factor=how[0],
        offset=how[1],
    )


def _divided(heading: str, log_format: str) -> tuple[str, str | None]:
    bracket = _BRACKET.match(heading)
    if bracket and not bracket[2].strip():
        return bracket[1], None
    if bracket and (unit_of(bracket[2]) or not _spellings(key(heading), log_format)):
        known = bool(_spellings(key(bracket[1]), log_format))
        return (bracket[1], bracket[2]) if known or unit_of(bracket[2]) else (heading, None)
    if _spellings(key(heading), log_format):
        return heading, None
    return _divided_by_suffix(heading)


def _divided_by_suffix(heading: str) -> tuple[str, str | None]:
    words = key(heading).split()
    for length, joint in ((2, "/"), (1, "")):
        unit = joint.join(words[-length:])
        if len(words) > length and unit_of(unit):
            return " ".join(words[:-length]), unit
    return heading, None


def _spellings(name: str, log_format: str) -> tuple[Spelling, ...]:
    table = _names()
    return (*table.get((log_format, name), ()), *table.get(("", name), ()))


def _unit_key(text: str) -> str:
    return "".join(mended(text).casefold().split()).rstrip(".")


@cache
def _units() -> dict[str, tuple[str, str]]:
    units: dict[str, tuple[str, str]] = {}
    with (_DATA / "units.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for text in (*row["spellings"].split("|"), row["unit"]):
                units.setdefault(_unit_key(text), (row["unit"], row["doubt"]))
    return units


@cache
def _names() -> dict[tuple[str, str], tuple[Spelling, ...]]:
    # Several lines may share a spelling: the first whose unit can be had from the unit found is meant.
    table: dict[tuple[str, str], tuple[Spelling, ...]] = {}
    for row in name_rows():
        spelling = Spelling(row["signal"], row["unit"], row["how"], row["reason"])
        for text in row["spellings"].split("|"):
            known = table.setdefault((row["formats"], key(text)), ())
            table[row["formats"], key(text)] = (*known, spelling)
    for name in SIGNALS:
        table.setdefault(("", key(name)), (Spelling(name, "", "", ""),))
    return table


def name_rows() -> list[dict[str, str]]:
    """Return the name table as it stands in its file."""
    with (_DATA / "names.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
