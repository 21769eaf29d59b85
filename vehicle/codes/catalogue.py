"""The shipped list of SAE codes: read once, on the first question."""

import csv
import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal

from vehicle.codes.models import Cause, Check

SOURCE = "OBDex catalogue (commit 5563d7b1, as packed in obd-diag 0.2.2)"
LICENCE = "CC0-1.0"
OWN_SOURCE = "obd-agent correction"
OWN_LICENCE = "MIT"

_LIKELIHOODS: Mapping[str, Literal["high", "medium", "low"]] = {"h": "high", "m": "medium", "l": "low"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One code of the catalogue: its texts as found, and our correction where lists conflict."""

    code: str
    title: str
    description: str
    causes: str
    related: str
    check: Check
    conflict: str | None = None

    def listed_causes(self) -> list[Cause]:
        """Return the catalogue's causes, most likely first; template-made, so generic."""
        pairs = (part.split(":", 1) for part in self.causes.split("|") if part)
        causes = [
            Cause(text=text, likelihood=_LIKELIHOODS[key], source=SOURCE, licence=LICENCE)
            for key, text in pairs
        ]
        return sorted(causes, key=lambda cause: cause.likelihood)  # "high" before "medium"


@cache
def catalogue() -> Mapping[str, Entry]:
    """Return every code we have a text for, by code; about 40 ms the first time."""
    entries = {entry.code: entry for entry in map(_entry, _rows("catalogue.csv.gz"))}
    for code, title, note in _rows("corrections.csv"):
        old = entries.get(code)
        entries[code] = _corrected(old, code, title, note)
    return entries


def _corrected(old: Entry | None, code: str, title: str, note: str) -> Entry:
    if old is None:
        return Entry(code, title, "", "", "", "conflict", note)
    # The description and causes explain the title that was wrong, so they go with it.
    return replace(old, title=title, description="", causes="", related="", check="conflict", conflict=note)


def _entry(row: list[str]) -> Entry:
    code, title, description, causes, related, agrees = row
    check: Check = "agrees" if agrees else "single source"
    return Entry(code, title, description, causes, related, "unverified" if code[0] in "BC" else check)


def _rows(name: str) -> list[list[str]]:
    raw = (files("vehicle.codes") / "data" / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode("utf-8")
    return list(csv.reader(io.StringIO(text, newline="")))
