"""The check digit at position 9: arithmetic, and whether it means anything for this vehicle."""

from vehicle.vin.models import CheckDigit

# Transliteration and weights of 49 CFR 565.15 (c), the same as ISO 3779 describes.
_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    "P": 7,
    "R": 9,
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)

_RULES = {
    "United States": "49 CFR 565.15",
    "Canada": "the Canadian twin of 49 CFR 565.15",
    "Mexico": "NOM-001-SSP, the Mexican twin of 49 CFR 565.15",
    "China": "GB 16735",
}

# Characters misread for one another on papers and plates.
_MISREAD = {"0": "D", "D": "0", "1": "L7", "L": "1", "2": "Z", "Z": "2", "5": "S", "S": "5", "6": "G"}
_MISREAD |= {"G": "6", "8": "B", "B": "8", "U": "V", "V": "UY", "Y": "V", "7": "1", "M": "N", "N": "M"}


def expected_digit(vin: str) -> str:
    """Return the check digit (0 to 9 or X) that the other sixteen characters ask for."""
    rest = sum(_VALUES[char] * weight for char, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if rest == 10 else str(rest)


def check_digit(vin: str, country: str | None) -> CheckDigit:
    """Judge position 9 of a VIN by the country its maker is registered in."""
    expected = expected_digit(vin)
    matches = expected == vin[8]
    rule = _RULES.get(country or "")
    return CheckDigit(
        found=vin[8],
        expected=expected,
        matches=matches,
        required=rule is not None,
        verdict=_required(matches, rule) if rule else _optional(matches, vin[8]),
        suggestions=misread_candidates(vin) if rule and not matches else [],
    )


def misread_candidates(vin: str) -> list[str]:
    """Return at most five VINs that differ in one easily misread character and whose check digit matches."""
    candidates = (
        vin[:place] + other + vin[place + 1 :]
        for place, char in enumerate(vin)
        for other in _MISREAD.get(char, "")
    )
    return [candidate for candidate in candidates if expected_digit(candidate) == candidate[8]][:5]


def _required(matches: bool, rule: str) -> str:
    if matches:
        return f"valid: required by {rule}, and matches"
    return f"wrong: required by {rule}, and does not match; a character is mistyped or the VIN is not genuine"


def _optional(matches: bool, found: str) -> str:
    if matches:
        return "matches; not required where this maker is registered, but usual on vehicles for North America"
    if found not in "0123456789X":
        return f"not used: {found!r} is no check digit, and none is required where this maker is registered"
    return "does not match, which is no fault by itself: none is required where this maker is registered"
