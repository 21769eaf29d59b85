"""Diagnostics by UDS (ISO 14229-1) over any link: codes with status, data identifiers, clearing."""

from vehicle.uds.codes import clear_uds_codes, read_uds_codes
from vehicle.uds.errors import NegativeResponseError, UdsAnswerError
from vehicle.uds.identifiers import read_identifiers, read_uds_vin
from vehicle.uds.models import (
    CodeStatus,
    IdentifierReport,
    IdentifierValue,
    UdsCode,
    UdsCodesReport,
    UdsEcuCodes,
)

__all__ = [
    "CodeStatus",
    "IdentifierReport",
    "IdentifierValue",
    "NegativeResponseError",
    "UdsAnswerError",
    "UdsCode",
    "UdsCodesReport",
    "UdsEcuCodes",
    "clear_uds_codes",
    "read_identifiers",
    "read_uds_codes",
    "read_uds_vin",
]
