"""Data by identifier (service 22): VIN, part numbers, software versions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from vehicle.diagnostics.models import Absence
from vehicle.errors import CannotConnectError, CarError
from vehicle.links.link import Link
from vehicle.uds.asking import ask_ecu, ecus_of, two_bytes
from vehicle.uds.errors import UdsAnswerError
from vehicle.uds.models import IdentifierReport, IdentifierValue

READ = 0x22
VIN = 0xF190
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
# Identifiers with one meaning everywhere (ISO 14229-1, annex C.1); dates and sessions are bytes, not text.
NAMES = {
    0xF180: "boot software identification",
    0xF181: "application software identification",
    0xF182: "application data identification",
    0xF186: "active diagnostic session",
    0xF187: "spare part number",
    0xF188: "ECU software number",
    0xF189: "ECU software version",
    0xF18A: "system supplier",
    0xF18B: "ECU manufacturing date",
    0xF18C: "ECU serial number",
    0xF18E: "kit assembly part number",
    VIN: "VIN",
    0xF191: "ECU hardware number",
    0xF192: "supplier's ECU hardware number",
    0xF193: "supplier's ECU hardware version",
    0xF194: "supplier's ECU software number",
    0xF195: "supplier's ECU software version",
    0xF196: "exhaust regulation or type approval number",
    0xF197: "system name or engine type",
    0xF198: "repair shop code or tester serial number",
    0xF199: "programming date",
    0xF19D: "ECU installation date",
    0xF19E: "ODX file",
}
_NO_TEXT = frozenset({0xF186, 0xF18B, 0xF199, 0xF19D})


def read_identifiers(
    link: Link, identifiers: Iterable[int] = tuple(NAMES), ecu: str = ""
) -> IdentifierReport:
    """Read identifiers one by one, from one ECU or each in turn.

    Several in one request would be quicker, but their answer does not say where one ends. Raises
    CannotConnectError, NoAnswerError where no ECU is known, and BadAddressError for an impossible identifier.
    """
    values: list[IdentifierValue] = []
    absent: list[Absence] = []
    wanted = list(identifiers)
    for one in ecus_of(link, ecu):
        for identifier in wanted:
            try:
                values.append(_read(link, one, identifier))
            except CannotConnectError:
                raise
            except CarError as error:
                if error.code == "bad_arguments":
                    raise
                what = NAMES.get(identifier, f"identifier {identifier:04X}")
                absent.append(Absence(what=what, ecu=one, reason=error.message))
    return IdentifierReport(values=values, absent=absent)


def read_uds_vin(link: Link, ecu: str) -> str:
    """Read the VIN an ECU was given (22 F190).

    Raises NegativeResponseError, NoAnswerError, CannotConnectError, and UdsAnswerError where it is no VIN.
    """
    value = _read(link, ecu, VIN)
    if value.text is None or not _VIN.fullmatch(value.text):
        held = value.text or value.raw
        raise UdsAnswerError(
            f"{ecu} holds {held!r} as its VIN, which is none.", "Read the VIN by service 09."
        )
    return value.text


def _read(link: Link, ecu: str, identifier: int) -> IdentifierValue:
    answer = ask_ecu(link, bytes([READ]) + two_bytes(identifier, "data identifier"), ecu)
    return decode_identifier(ecu, answer)


def decode_identifier(ecu: str, answer: bytes) -> IdentifierValue:
    """Decode a whole answer 62 to one identifier; raises UdsAnswerError where it holds nothing."""
    if len(answer) < 4 or answer[0] != READ + 0x40:
        raise UdsAnswerError(f"{answer.hex(' ').upper()} holds no data of an identifier.")
    identifier, raw = int.from_bytes(answer[1:3], "big"), answer[3:]
    return IdentifierValue(
        ecu=ecu,
        identifier=f"{identifier:04X}",
        name=NAMES.get(identifier, f"identifier {identifier:04X}"),
        raw=raw.hex().upper(),
        text=None if identifier in _NO_TEXT else _text(raw),
    )


def _text(raw: bytes) -> str | None:
    """Read padded ASCII; NULs, FF and blanks around it are padding, anything else unprintable is no text."""
    bare = raw.strip(b"\0\xff ")
    if not bare or not all(0x20 <= byte <= 0x7E for byte in bare):
        return None
    return bare.decode("ascii")
