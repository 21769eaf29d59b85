"""Reads a trouble code as people and scan tools write it."""

import re
from dataclasses import dataclass, field

from vehicle.codes.catalogue import catalogue
from vehicle.codes.errors import BadCodeError

FORM = (
    "one letter P, C, B or U, one digit 0 to 3 and three digits 0 to 9 or A to F, such as P0171; "
    "a failure-type byte may follow, such as P0171:1A or P0171-00"
)

_CODE = re.compile(r"(?P<code>[PCBU][0-3][0-9A-F]{3})(?:[:\-/ ]*\(?(?P<type>[0-9A-F]{2})\)?)?")
_INSIDE = re.compile(r"(?<![0-9A-Z])[PCBU][0-3][0-9A-F]{3}(?:[:-][0-9A-F]{2})?(?![0-9A-Z])")
_BYTES = re.compile(r"0X(?P<code>[0-9A-F]{4})(?P<type>[0-9A-F]{2})?")
_LETTERS = "PCBU"
_CHARACTERS = "PCBU0123456789ADEF"


@dataclass(frozen=True, slots=True)
class ReadCode:
    """A well-formed code, its failure-type byte where one was given, and how the text was read."""

    code: str
    failure_type: int | None = None
    notes: list[str] = field(default_factory=list)


def read_code(text: str) -> ReadCode:
    """Read one trouble code out of what was typed.

    Raises BadCodeError when the text holds none, or more than one.
    """
    tidy = re.sub(r"\s+", " ", text).strip(" \t.,;\"'").upper()
    if not tidy:
        raise BadCodeError("the trouble code is empty", f"Allowed: {FORM}.")
    for reader in (_as_code, _as_bytes, _without_letter, _with_mistaken_letters, _inside_text):
        if found := reader(tidy):
            return found
    raise _malformed(text, tidy)


def bytes_to_code(word: int) -> str:
    """Return the code that two bytes spell (ISO 15031-6: two bits letter, two bits digit, three nibbles)."""
    return f"{_LETTERS[word >> 14]}{word >> 12 & 3}{word & 0xFFF:03X}"


def code_to_bytes(code: str) -> bytes:
    """Return the two bytes that spell a code such as P0171; raises BadCodeError where it is none."""
    found = _CODE.fullmatch(code)
    if found is None or found["type"]:
        raise _malformed(code, code)
    plain = found["code"]
    return (_LETTERS.index(plain[0]) << 14 | int(plain[1:], 16)).to_bytes(2, "big")


def _read(match: re.Match[str] | None, *notes: str) -> ReadCode | None:
    if match is None:
        return None
    byte = match["type"]
    return ReadCode(match["code"], int(byte, 16) if byte else None, list(notes))


def _as_code(tidy: str) -> ReadCode | None:
    spaced = re.sub(r"^([PCBU])[ \-.]+(?=[0-3])", r"\1", tidy)
    return _read(_CODE.fullmatch(spaced))


def _as_bytes(tidy: str) -> ReadCode | None:
    match = _BYTES.fullmatch(tidy)
    if match is None:
        return None
    code = bytes_to_code(int(match["code"], 16))
    note = f"{tidy} read as the bytes a car sends: {code}"
    return ReadCode(code, int(match["type"], 16) if match["type"] else None, [note])


def _without_letter(tidy: str) -> ReadCode | None:
    match = re.fullmatch(r"(?P<code>[0-3][0-9A-F]{3})(?:[:-](?P<type>[0-9A-F]{2}))?", tidy)
    if match is None:
        return None
    code = "P" + match["code"]
    note = f"no system letter given; read as {code} (P is also what the two bytes {match['code']} spell)"
    return ReadCode(code, int(match["type"], 16) if match["type"] else None, [note])


def _with_mistaken_letters(tidy: str) -> ReadCode | None:
    letter, rest = tidy[0], tidy[1:].replace(" ", "")
    mended = letter + rest.translate(str.maketrans("OIL", "011"))
    return _read(_CODE.fullmatch(mended), f"read as {mended}: the digits 0 and 1 were written as O, I or L")


def _inside_text(tidy: str) -> ReadCode | None:
    found = list(dict.fromkeys(_INSIDE.findall(tidy)))
    if len(found) > 1:
        raise BadCodeError(
            f"several trouble codes in one question: {', '.join(found[:6])}", "Ask for one code at a time."
        )
    if not found:
        return None
    return _read(_CODE.fullmatch(found[0]), f"read {found[0]} out of the text given")


def _malformed(text: str, tidy: str) -> BadCodeError:
    near = _near(tidy.replace(" ", ""))
    hint = f"Allowed: {FORM}."
    if near:
        hint += (
            " Nearest in the list: " + "; ".join(f"{code} ({catalogue()[code].title})" for code in near) + "."
        )
    return BadCodeError(f"{text[:40]!r} is not a trouble code{_why(tidy)}", hint, tuple(near))


def _near(tidy: str) -> list[str]:
    """Return at most five codes of the list that are one slip away."""
    if not 3 <= len(tidy) <= 7:
        return []
    places = range(len(tidy) + 1)
    added = {tidy[:i] + char + tidy[i:] for i in places for char in _CHARACTERS}
    changed = {tidy[:i] + char + tidy[i + 1 :] for i in places for char in _CHARACTERS}
    lost = {tidy[:i] + tidy[i + 1 :] for i in places}
    exchanged = {tidy[:i] + tidy[i : i + 2][::-1] + tidy[i + 2 :] for i in places}
    near = (added | changed | lost | exchanged) & catalogue().keys()
    # A digit left out is the commonest slip, and a nought the digit most often left out.
    return sorted(near, key=lambda code: (code not in added, -code.count("0"), code))[:5]


def _why(tidy: str) -> str:
    if re.match(r"(SPN|FMI)\b", tidy):
        return ": SPN/FMI numbers belong to J1939 (heavy vehicles), which this table does not hold"
    if re.fullmatch(r"\d{5}", tidy):
        return ": five digits look like a manufacturer's own number; use the P, C, B or U code beside it"
    if tidy[0] not in _LETTERS and not tidy[0].isdigit():
        return f": {tidy[0]} is no system letter"
    if re.fullmatch(r"[PCBU][4-9A-F][0-9A-F]{3}", tidy):
        return f": the first digit is 0 to 3, not {tidy[1]}"
    return ""
