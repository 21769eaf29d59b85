"""Trouble codes with their status (service 19 02), and clearing them (service 14)."""

from __future__ import annotations

from vehicle.codes.form import bytes_to_code
from vehicle.diagnostics.models import Absence, ClearReport
from vehicle.errors import BadAddressError, CannotConnectError, CarError, NoAnswerError
from vehicle.links.link import Link
from vehicle.uds.asking import ask_ecu, ecus_of
from vehicle.uds.errors import NegativeResponseError, UdsAnswerError
from vehicle.uds.models import CodeFormat, CodeStatus, UdsCode, UdsCodesReport, UdsEcuCodes

READ, COUNT, BY_STATUS = 0x19, 0x01, 0x02
CLEAR = 0x14
ALL_GROUPS = 0xFFFFFF
CLEAR_DEADLINE_S = 6.0
ANY_STATUS = 0xFF
_RECORD = 4
# DTCFormatIdentifier of ISO 14229-1; 0 and 4 are two issues of SAE J2012-DA.
_FORMATS: dict[int, CodeFormat] = {
    0: "SAE J2012",
    1: "ISO 14229-1",
    2: "SAE J1939-73",
    3: "ISO 11992-4",
    4: "SAE J2012",
}
_READ_AS_J2012 = ("SAE J2012", "not told")
_BITS = tuple(CodeStatus.model_fields)


def read_uds_codes(link: Link, ecu: str = "", *, status_mask: int = ANY_STATUS) -> UdsCodesReport:
    """Read codes whose status has a bit of `status_mask`, from one ECU or each in turn.

    Raises CannotConnectError, NoAnswerError where no ECU is known, and BadAddressError for an impossible mask.
    """
    if not 1 <= status_mask <= 0xFF:
        raise BadAddressError(f"{status_mask:#x} is no status mask.", "Allowed: 0x01 to 0xFF.")
    lists: list[UdsEcuCodes] = []
    absent: list[Absence] = []
    for one in ecus_of(link, ecu):
        try:
            answer = ask_ecu(link, bytes([READ, BY_STATUS, status_mask]), one)
            found = decode_codes(one, answer, _format(link, one, status_mask))
        except CannotConnectError:
            raise
        except CarError as error:
            absent.append(Absence(what="codes with status", ecu=one, reason=error.message))
        else:
            lists.append(found)
    return UdsCodesReport(lists=lists, absent=absent)


def _format(link: Link, ecu: str, status_mask: int) -> CodeFormat:
    """Ask what kind of numbers the codes are; many ECUs do not tell."""
    try:
        answer = ask_ecu(link, bytes([READ, COUNT, status_mask]), ecu)
    except (NegativeResponseError, NoAnswerError):
        return "not told"
    if len(answer) != 6:
        raise UdsAnswerError(f"The count of codes has {len(answer)} bytes, not 6.")
    if answer[3] not in _FORMATS:
        raise UdsAnswerError(f"Codes are of an unknown format {answer[3]:02X}.")
    return _FORMATS[answer[3]]


def decode_codes(ecu: str, answer: bytes, code_format: CodeFormat) -> UdsEcuCodes:
    """Decode a whole answer 59 02: the status bits kept, then four bytes per code; raises UdsAnswerError."""
    if answer[:2] != bytes([READ + 0x40, BY_STATUS]) or len(answer) == 2:
        raise UdsAnswerError("This is no list of codes with status.")
    if (len(answer) - 3) % _RECORD:
        raise UdsAnswerError(f"{len(answer) - 3} bytes are no whole number of codes of four.")
    kept = answer[2]
    records = [answer[start : start + _RECORD] for start in range(3, len(answer), _RECORD)]
    # Some ECUs fill their answers up with zeros: no code has the number 0 and no status.
    codes = [_code(record, kept, code_format) for record in records if any(record)]
    return UdsEcuCodes(ecu=ecu, format=code_format, codes=codes)


def _code(record: bytes, kept: int, code_format: CodeFormat) -> UdsCode:
    is_j2012 = code_format in _READ_AS_J2012
    status = record[3]
    return UdsCode(
        number=record[:3].hex().upper(),
        code=bytes_to_code(int.from_bytes(record[:2], "big")) if is_j2012 else None,
        failure_type=record[2] if is_j2012 else None,
        status_byte=status,
        status=CodeStatus.model_validate(
            {name: bool(status >> bit & 1) if kept >> bit & 1 else None for bit, name in enumerate(_BITS)}
        ),
    )


def clear_uds_codes(link: Link, ecu: str, group: int = ALL_GROUPS) -> ClearReport:
    """Tell one ECU to clear its codes, or a group of them (service 14); raises CannotConnectError.

    This changes the car. Whether it may be done, and a copy of what is lost, are the caller's business.
    """
    if not ecu or not 0 <= group <= ALL_GROUPS:
        raise BadAddressError(
            f"{ecu!r}, {group:#x}: one ECU and a group are needed.", "Groups: 0 to 0xFFFFFF."
        )
    try:
        ask_ecu(link, bytes([CLEAR]) + group.to_bytes(3, "big"), ecu, deadline_s=CLEAR_DEADLINE_S)
    except CannotConnectError:
        raise
    except CarError as error:
        return ClearReport(cleared=[], absent=[Absence(what="clearing", ecu=ecu, reason=error.message)])
    return ClearReport(cleared=[ecu], absent=[])
