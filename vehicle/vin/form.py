"""Reads a VIN as people and papers write it."""

import re

from vehicle.vin.check_digit import expected_digit
from vehicle.vin.errors import BadVinError

FORM = "17 characters, digits 0 to 9 and letters A to Z without I, O and Q (ISO 3779)"

_LOOKALIKES = str.maketrans("IOQ", "100")


def read_vin(text: str) -> tuple[str, list[str]]:
    """Return the 17 characters of a VIN in capitals, and notes on how the text was read.

    Raises BadVinError for a wrong length or a character that no VIN has.
    """
    capitals = text.strip().upper()
    vin = re.sub(r"^VIN\b[ :#=]*|[\s\-_.*]", "", capitals)
    if len(vin) != 17:
        raise BadVinError(_length(vin), f"Allowed: {FORM}. {_length_hint(vin)}".strip())
    if wrong := sorted(set(re.findall(r"[^A-Z0-9]", vin))):
        raise BadVinError(f"no VIN holds {' '.join(map(repr, wrong))}", f"Allowed: {FORM}.")
    if letters := sorted(set(vin) & set("IOQ")):
        raise BadVinError(_forbidden(vin, letters), _forbidden_hint(vin))
    return vin, [] if vin == text else [f"read as {vin}"]


def _length(vin: str) -> str:
    return f"a VIN has 17 characters; {vin[:40]!r} has {len(vin)}"


def _length_hint(vin: str) -> str:
    if 5 <= len(vin) < 17:
        return "Vehicles from before 1981 carry shorter numbers of the maker's own form, not decoded here."
    return ""


def _forbidden(vin: str, letters: list[str]) -> str:
    places = ", ".join(f"{letter} at position {vin.index(letter) + 1}" for letter in letters)
    return f"the letters I, O and Q are not used in VINs: {places} in {vin}"


def _forbidden_hint(vin: str) -> str:
    mended = vin.translate(_LOOKALIKES)
    proof = (
        "its check digit matches" if expected_digit(mended) == mended[8] else "its check digit does not match"
    )
    return f"Did you mean {mended} ({proof})? Read I as 1, O and Q as 0, and check against the vehicle."
