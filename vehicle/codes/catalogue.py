"""The shipped list of SAE codes: read once, on the first question."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from vehicle.codes.models import Cause, Check
from vehicle.codes.tables import rows

SOURCE = "OBDex catalogue (commit 5563d7b1, as packed in obd-diag 0.2.2)"
LICENCE = "CC0-1.0"
OWN_SOURCE = "obd-agent correction"
OWN_LICENCE = "MIT"

_LIKELIHOODS: Mapping[str, Literal["high", "medium", "low"]] = {"h": "high", "m": "medium", "l": "low"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One code of the catalogue: its texts as found, or our wording where lists conflict.

    `conflict` says what conflicts, if anything; `corrected` that the title is our own.
    """

    code: str
    title: str
    description: str
    causes: str
    related: str
    check: Check
    conflict: str | None = None
    corrected: bool = False

    def listed_causes(self) -> list[Cause]:
        """Return the catalogue's causes, most likely first; template-made, so generic."""
        pairs = (part.split(":", 1) for part in self.causes.split("|") if part)
        ordered = sorted(pairs, key=lambda pair: "hml".index(pair[0]))
        return [
            Cause(text=text, likelihood=_LIKELIHOODS[key], source=SOURCE, licence=LICENCE)
            for key, text in ordered
        ]


@cache
def catalogue() -> Mapping[str, Entry]:
    """Return every code we have a text for, by code; about 40 ms the first time."""
    entries = {row[0]: _entry(*row) for row in rows("catalogue.csv.gz")}
    for code, title, evidence in rows("corrections.csv"):
        entries[code] = _corrected(entries[code], title, evidence)
    return entries


def _entry(code: str, title: str, description: str, causes: str, related: str, checked: str) -> Entry:
    entry = Entry(code, title, description, causes, related, "single source")
    if code[0] in "BC":
        return replace(entry, check="unverified")
    if checked == "agrees":
        return replace(entry, check="agrees")
    if twins := checked.removeprefix("same as "):
        note = f"doubtful: the catalogue gives {twins} the same text, and they cannot all be right"
        return replace(entry, check="conflict", conflict=note)
    return entry


def _corrected(old: Entry, title: str, evidence: str) -> Entry:
    # The description and causes explain the title that was wrong, so they go with it.
    note = f"the OBDex catalogue says {old.title!r}; {evidence}"
    return Entry(old.code, title, "", "", "", "conflict", note, corrected=True)
