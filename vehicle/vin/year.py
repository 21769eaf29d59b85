"""The model year at position 10."""

from vehicle.vin.models import ModelYear

# 49 CFR 565.15, table VII; ISO 3779 recommends the same letters. I, O, Q, U, Z and 0 are not used.
_CYCLE = "ABCDEFGHJKLMNPRSTVWXY123456789"
_FIRST = 1980
_PERIOD = len(_CYCLE)

_RULE = "position 10, cycle by position 7 (49 CFR 565.15: digit = 1980 to 2009, letter = 2010 to 2039)"
_BY_CHANCE = "; applied because the check digit matches, as one foreign VIN in eleven does by chance"
_OPEN = "position 10 repeats every 30 years"
_FOREIGN = (
    _OPEN + " and, outside North America, need not be the year at all; ask for the date of registration"
)
_UNBOUND = (
    _OPEN
    + ", and position 7 tells the cycle only for cars and light trucks; ask for the date of registration"
)
_TO_COME = _OPEN + ", and position 7 asks for a year that is yet to come: a character may be wrong"


def model_year(
    vin: str, *, registered_there: bool, check_digit_matches: bool, bound: bool, this_year: int
) -> ModelYear:
    """Read the model year of a VIN.

    `registered_there`: the maker is registered in the United States, Canada or Mexico. `bound`: it makes
    cars, multipurpose vehicles or trucks up to 10,000 lb, whose position 7 tells the 30-year cycle.
    Years after the next one are no candidates.
    """
    letter = vin[9]
    if letter not in _CYCLE:
        reason = (
            f"position 10 is {letter!r}, which is no year letter: this maker does not code the year there"
        )
        return ModelYear(value=None, candidates=[], method="position 10", reason=reason)
    first = _FIRST + _CYCLE.index(letter)
    candidates = [year for year in (first + _PERIOD, first) if year <= this_year + 1]
    american = registered_there or (check_digit_matches and vin[3:6] != "ZZZ")
    ruled = first + _PERIOD if vin[6].isalpha() else first
    if american and bound and ruled in candidates:
        method = _RULE if registered_there else _RULE + _BY_CHANCE
        return ModelYear(value=ruled, candidates=[ruled], method=method)
    at_home = _TO_COME if bound else _UNBOUND
    reason = at_home if registered_there else _FOREIGN
    return ModelYear(value=None, candidates=candidates, method="position 10 (30-year cycle)", reason=reason)
