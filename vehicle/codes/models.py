"""What a question about a trouble code is answered with; imports pydantic only."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Assigner = Literal["SAE", "manufacturer", "unknown"]
Severity = Literal["info", "advice", "warning", "critical", "unknown"]
Check = Literal["agrees", "single source", "conflict", "unverified", "own rules"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class SourcedText(_Answer):
    """A text with the source and licence it comes from, and how far it was checked.

    `check`: "agrees" = a second, independent list says the same; "single source" = only this list has it;
    "conflict" = lists disagreed and the text is our own wording of what most of them say;
    "unverified" = not compared with anything; "own rules" = follows from rules of this program.
    `generic` texts describe the kind of fault, not this vehicle.
    """

    text: str
    source: str
    licence: str
    check: Check
    generic: bool = False
    note: str | None = None


class FailureType(_Answer):
    """The failure-type byte some ECUs append to a code (P0171:1A)."""

    value: str
    category: str
    meaning: str | None
    source: str
    reason: str | None = None


class CodeStructure(_Answer):
    """What the characters of a trouble code say by themselves, whatever its meaning."""

    code: str
    system: str
    assigned_by: Assigner
    assigned_by_reason: str
    subsystem: str | None
    subsystem_reason: str | None = None
    failure_type: FailureType | None = None
    source: str
    notes: list[str] = []


class Cause(_Answer):
    """A likely cause: generic, never a diagnosis of this vehicle."""

    text: str
    likelihood: Literal["high", "medium", "low", "unknown"]
    source: str
    licence: str
    generic: Literal[True] = True


class Step(_Answer):
    """A test that tells causes apart: generic."""

    text: str
    source: str
    generic: Literal[True] = True


class SeverityVerdict(_Answer):
    """How urgent codes of this kind usually are, with the rule that says so."""

    value: Severity
    reason: str
    rule: str | None
    source: str
    generic: Literal[True] = True


class CodeAnswer(_Answer):
    """The meaning of one trouble code with its provenance, or why it is not known."""

    asked: str
    code: str
    notes: list[str]
    provenance: Assigner
    meaning: SourcedText | None
    reason: str | None
    title_conflict: bool
    description: SourcedText | None
    structure: CodeStructure
    severity: SeverityVerdict
    causes: list[Cause]
    tests: list[Step]
    related: list[str]


class CodeHit(_Answer):
    """One code found by text."""

    code: str
    title: str
    provenance: Assigner
    check: Check
    system: str
    severity: Severity
    score: float
    matched: list[str]


class CodePage(_Answer):
    """One page of codes found, best first."""

    text: str
    hits: list[CodeHit]
    total: int
    limit: int
    offset: int
    next_offset: int | None
    corrected: dict[str, str]
    ignored: list[str]
    source: str
    licence: str
    notes: list[str]
