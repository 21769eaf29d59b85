"""Decodes a VIN without a network: arithmetic, shipped lists and, where given, the full vPIC table."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from vehicle.vin.check_digit import check_digit
from vehicle.vin.form import read_vin
from vehicle.vin.makers import Maker, country, maker, region
from vehicle.vin.models import ModelYear, Source, VinAnswer, VinField
from vehicle.vin.vpic_table import LICENCE, TableAnswer, read_table
from vehicle.vin.year import model_year

_NORTH_AMERICA = {"United States", "Canada", "Mexico"}
_NEEDS_TABLE = "positions 1 to 3 do not tell; needs the full vPIC table or the online service"
_US_ONLY = "vPIC holds vehicles sold in the United States"
_ALWAYS = ("manufacturer", "make", "model", "vehicle_type", "body_class", "fuel_type", "displacement_l")


def decode_vin(vin: str, *, vpic_path: Path | None = None, this_year: int | None = None) -> VinAnswer:
    """Say what a VIN tells offline, each fact with its source, and why the rest is absent.

    `vpic_path` names the full vPIC table where one is installed; `this_year` bounds the model years that
    can be (today's by default).
    Raises BadVinError for text that is not a VIN, VinTableError for a table that cannot be read.
    """
    answer = _from_shipped_lists(vin, this_year or datetime.now(UTC).year)
    if vpic_path is None:
        return answer
    return _with_table(answer, read_table(vpic_path, answer.vin, answer.model_year.candidates))


def overlay(
    answer: VinAnswer, fields: Mapping[str, VinField], source: Source, year: ModelYear | None, reason: str
) -> VinAnswer:
    """Put the facts of a better source over an answer; what stays absent gets `reason`."""
    still = {name: _still_absent(old, reason) for name, old in answer.fields.items() if old.value is None}
    changes = {
        "fields": {**answer.fields, **still, **fields},
        "sources": [*answer.sources, source],
        "model_year": year or answer.model_year,
    }
    return answer.model_copy(update=changes)


def _still_absent(old: VinField, reason: str) -> VinField:
    return _absent(reason if old.reason == _NEEDS_TABLE else f"{old.reason}; {reason}")


def _from_shipped_lists(vin: str, this_year: int) -> VinAnswer:
    number, notes = read_vin(vin)
    where = country(number)
    check = check_digit(number, where.value)
    found = maker(number)
    year = model_year(
        number,
        registered_there=where.value in _NORTH_AMERICA,
        check_digit_matches=check.matches,
        bound=bool(found and found.year_by_position_7),
        this_year=this_year,
    )
    return VinAnswer(
        asked=vin,
        vin=number,
        notes=notes,
        wmi=number[:3],
        vds=number[3:9],
        vis=number[9:],
        serial=number[11:],
        check_digit=check,
        model_year=year,
        region=region(number),
        country=where,
        fields={name: _absent(_NEEDS_TABLE) for name in _ALWAYS} | _maker_fields(number, found),
        sources=[Source(name=found.source, licence=found.licence, outcome="named the maker")]
        if found
        else [],
    )


def _maker_fields(vin: str, found: Maker | None) -> dict[str, VinField]:
    if found is None:
        return dict.fromkeys(("manufacturer", "make", "vehicle_type"), _absent(_unknown_maker(vin)))
    kind = found.vehicle_type
    return {
        "manufacturer": VinField(value=found.name, source=found.source),
        "make": _make(found),
        "vehicle_type": VinField(value=kind, source=found.source)
        if kind
        else _absent("the list does not say"),
    }


def _unknown_maker(vin: str) -> str:
    if vin[2] == "9":
        return f"position 3 is 9: {vin[:3]} with {vin[11:14]} names a small maker, not in this list"
    return f"{vin[:3]} is in neither list of makers we have"


def _make(found: Maker) -> VinField:
    if len(found.makes) == 1:
        return VinField(value=found.makes[0], source=found.source)
    if found.makes:
        return _absent(f"{', '.join(found.makes)} share this identifier")
    return _absent("the list names the manufacturer only")


def _absent(reason: str) -> VinField:
    return VinField(value=None, reason=reason)


def _with_table(answer: VinAnswer, table: TableAnswer) -> VinAnswer:
    if "model" in table.fields:
        outcome = f"decoded as model year {table.year}"
        reason = "the vPIC table does not say for this model"
    elif table.fields:
        outcome = reason = f"knows the maker, but no pattern fits this VIN; {_US_ONLY}"
    else:
        outcome = reason = f"does not know the maker; {_US_ONLY}"
    source = Source(name=table.source, licence=LICENCE, outcome=outcome)
    return overlay(answer, table.fields, source, _year_by_table(answer.model_year, table), reason)


def _year_by_table(year: ModelYear, table: TableAnswer) -> ModelYear | None:
    if year.value is not None or table.year is None:
        return None
    method = f"the only candidate of {year.candidates} for which the {table.source} knows this pattern"
    return ModelYear(value=table.year, candidates=[table.year], method=method)
