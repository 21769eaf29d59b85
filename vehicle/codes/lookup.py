"""Answers one trouble code: its meaning with provenance, or why the meaning is not known."""

from vehicle.codes import catalogue as texts
from vehicle.codes.catalogue import Entry, catalogue
from vehicle.codes.form import read_code
from vehicle.codes.models import CodeAnswer, CodeStructure, SourcedText
from vehicle.codes.rules import judge
from vehicle.codes.structure import structure_of


def lookup_code(code: str, make: str | None = None) -> CodeAnswer:
    """Say what a trouble code means, where the text comes from and what usually causes it.

    `make` only sharpens the answer to manufacturer codes, whose meaning is never guessed.
    Raises BadCodeError for text that is not a trouble code.
    """
    read = read_code(code)
    structure = structure_of(read)
    entry = catalogue().get(read.code)
    if structure.assigned_by == "manufacturer":
        entry = None
    judged = judge(read.code, entry.title if entry else None)
    return CodeAnswer(
        asked=code,
        code=read.code,
        notes=read.notes,
        provenance=structure.assigned_by if entry or structure.assigned_by == "manufacturer" else "unknown",
        meaning=_meaning(entry),
        reason=None if entry else _why_unknown(structure, make),
        title_conflict=bool(entry and entry.conflict),
        description=_description(entry),
        structure=structure,
        severity=judged.severity,
        causes=judged.causes + (entry.listed_causes() if entry else []),
        tests=judged.tests,
        related=entry.related.split(",") if entry and entry.related else [],
    )


def _why_unknown(structure: CodeStructure, make: str | None) -> str:
    if structure.assigned_by == "manufacturer":
        whose = f" of {make.strip()}" if make and make.strip() else ""
        return (
            f"manufacturer-specific: unknown ({structure.assigned_by_reason}). "
            f"Look it up in the service information{whose}; other makes use the same code for something else."
        )
    return f"not in the catalogue: unknown ({structure.assigned_by_reason})"


def _meaning(entry: Entry | None) -> SourcedText | None:
    if entry is None:
        return None
    own = entry.corrected
    return SourcedText(
        text=entry.title,
        source=texts.OWN_SOURCE if own else texts.SOURCE,
        licence=texts.OWN_LICENCE if own else texts.LICENCE,
        check=entry.check,
        note=entry.conflict,
    )


def _description(entry: Entry | None) -> SourcedText | None:
    if entry is None or not entry.description:
        return None
    return SourcedText(
        text=entry.description,
        source=texts.SOURCE,
        licence=texts.LICENCE,
        check="unverified",
        generic=True,
    )
