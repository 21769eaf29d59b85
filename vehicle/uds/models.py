"""What UDS diagnostics are answered with; imports pydantic only.

What could not be learned stands in `absent` with its reason.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from vehicle.diagnostics.models import Absence

CodeFormat = Literal["SAE J2012", "ISO 14229-1", "SAE J1939-73", "ISO 11992-4", "not told"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class CodeStatus(_Answer):
    """The status bits of a code (ISO 14229-1, annex D); None where the ECU does not keep that bit."""

    test_failed: bool | None
    failed_this_cycle: bool | None
    pending: bool | None
    confirmed: bool | None
    not_tested_since_clear: bool | None
    failed_since_clear: bool | None
    not_tested_this_cycle: bool | None
    warning_lamp: bool | None


class UdsCode(_Answer):
    """One code as the ECU keeps it: three bytes, and the status byte.

    `code` and `failure_type` (the third byte) are None where the ECU says that its numbers are no SAE J2012 codes.
    """

    number: str
    code: str | None
    failure_type: int | None
    status_byte: int
    status: CodeStatus


class UdsEcuCodes(_Answer):
    """The codes of one ECU whose status matched; an empty list means that the ECU said so.

    With `format` "not told", codes are read as SAE J2012, which nearly all cars use.
    """

    ecu: str
    format: CodeFormat
    codes: list[UdsCode]


class UdsCodesReport(_Answer):
    """Codes with status by ECU (service 19 02)."""

    lists: list[UdsEcuCodes]
    absent: list[Absence]


class IdentifierValue(_Answer):
    """One data identifier (service 22); `text` is None where the bytes are no plain ASCII."""

    ecu: str
    identifier: str
    name: str
    raw: str
    text: str | None


class IdentifierReport(_Answer):
    """Data identifiers by ECU."""

    values: list[IdentifierValue]
    absent: list[Absence]
