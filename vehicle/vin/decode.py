"""Decodes a VIN without a network: arithmetic, shipped lists and, where given, the full vPIC table."""

from datetime import UTC, datetime

from vehicle.vin.check_digit import check_digit
from vehicle.vin.form import read_vin
from vehicle.vin.makers import Maker, country, maker, region
from vehicle.vin.models import Source, VinAnswer, VinField
from vehicle.vin.year import model_year

_NORTH_AMERICA = {"United States", "Canada", "Mexico"}
_NEEDS_TABLE = "not in the first three characters; needs the full vPIC table or the online service"


def decode_vin(vin: str, *, this_year: int | None = None) -> VinAnswer:
    """Say what a VIN tells offline, each fact with its source, and why the rest is absent.

    `this_year` bounds the model years that can be; today's by default.
    Raises BadVinError for text that is not a VIN.
    """
    number, notes = read_vin(vin)
    where = country(number)
    check = check_digit(number, where.value)
    found = maker(number)
    return VinAnswer(
        asked=vin,
        vin=number,
        notes=notes,
        wmi=number[:3],
        vds=number[3:9],
        vis=number[9:],
        serial=number[11:],
        check_digit=check,
        model_year=model_year(
            number,
            registered_there=where.value in _NORTH_AMERICA,
            check_digit_matches=check.matches,
            bound=bool(found and found.year_by_position_7),
            this_year=this_year or datetime.now(UTC).year,
        ),
        region=region(number),
        country=where,
        fields=_fields(number, found),
        sources=_sources(found),
    )


def _fields(vin: str, found: Maker | None) -> dict[str, VinField]:
    if found is None:
        absent = VinField(value=None, reason=_unknown_maker(vin))
        return {
            "manufacturer": absent,
            "make": absent,
            "vehicle_type": absent,
            "model": _absent(_NEEDS_TABLE),
        }
    return {
        "manufacturer": VinField(value=found.name, source=found.source),
        "make": _make(found),
        "vehicle_type": _vehicle_type(found),
        "model": _absent(_NEEDS_TABLE),
    }


def _unknown_maker(vin: str) -> str:
    if vin[2] == "9":
        return f"position 3 is 9: {vin[:3]} with {vin[11:14]} names a maker of few vehicles; needs the vPIC table"
    return f"{vin[:3]} is in neither list of makers we have"


def _make(found: Maker) -> VinField:
    if len(found.makes) == 1:
        return VinField(value=found.makes[0], source=found.source)
    if found.makes:
        return _absent(f"this maker's identifier is shared by {', '.join(found.makes)}; {_NEEDS_TABLE}")
    return _absent("the list names the manufacturer only")


def _vehicle_type(found: Maker) -> VinField:
    if found.vehicle_type is None:
        return _absent("the list names the manufacturer only")
    return VinField(value=found.vehicle_type, source=found.source)


def _absent(reason: str) -> VinField:
    return VinField(value=None, reason=reason)


def _sources(found: Maker | None) -> list[Source]:
    if found is None:
        return []
    return [Source(name=found.source, licence=found.licence, outcome="named the maker")]
