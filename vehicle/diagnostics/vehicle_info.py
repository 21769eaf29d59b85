"""What ECUs say of themselves: service 09: VIN, calibrations, check numbers, names, in-use performance."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from vehicle.diagnostics.asking import absences, ask, bitmap_in
from vehicle.diagnostics.models import Absence, EcuInfo, UseRatio, VehicleInfoReport
from vehicle.links.link import Link
from vehicle.poller.support import pids_of

SERVICE = 0x09
_VIN_LENGTH = 17
_SPARK = (
    "catalyst bank 1",
    "catalyst bank 2",
    "oxygen sensor bank 1",
    "oxygen sensor bank 2",
    "EGR or VVT",
    "secondary air",
    "evaporative",
    "secondary oxygen sensor bank 1",
    "secondary oxygen sensor bank 2",
)
_COMPRESSION = (
    "NMHC catalyst",
    "NOx or SCR catalyst",
    "NOx adsorber",
    "PM filter",
    "exhaust gas sensor",
    "EGR or VVT",
    "boost pressure",
    "fuel system",
)
Fields = dict[str, object]


class InfoError(ValueError):
    """An answer of service 09 that is not what its type says."""


def read_vehicle_info(link: Link) -> VehicleInfoReport:
    """Read what every ECU says of itself; raises CannotConnectError."""
    reply = ask(link, bytes([SERVICE, 0x00]))
    types = {}
    for ecu, data in reply.answers:
        if bitmap := bitmap_in(data, link.info.is_can):
            types[ecu] = pids_of(0, bitmap)
    absent = absences(link, "vehicle information", reply, types)
    # Cars of the first years answer 0902 without having the list of types.
    if not types:
        types = {ecu: frozenset({0x02}) for ecu in link.info.ecus[:1]}
    ecus = [_read_ecu(link, ecu, has, absent) for ecu, has in types.items()]
    if not any(info.vin for info in ecus) and not any(item.what == "VIN" for item in absent):
        absent.append(Absence(what="VIN", reason="no ECU lists it (service 09, type 02)"))
    return VehicleInfoReport(ecus=ecus, absent=absent)


def _read_ecu(link: Link, ecu: str, has: frozenset[int], absent: list[Absence]) -> EcuInfo:
    fields: Fields = {}
    for info_type, (what, decode) in _DECODERS.items():
        if info_type not in has:
            continue
        reply = ask(link, bytes([SERVICE, info_type]), ecu)
        data = next((data for source, data in reply.answers if source == ecu), None)
        if data is None:
            absent.append(Absence(what=what, ecu=ecu, reason=reply.reason))
            continue
        try:
            fields |= decode(_items(data[2:], link.info.is_can))
        except InfoError as error:
            absent.append(Absence(what=what, ecu=ecu, reason=str(error)))
    return EcuInfo.model_validate({"ecu": ecu, **fields})


class _Items(NamedTuple):
    """The data of an answer and how many items it says there are; 0 outside CAN, where it does not say."""

    body: bytes
    stated: int


def _items(data: bytes, is_can: bool) -> _Items:
    """Take the number of data items off, which only CAN answers begin with (ISO 15765-4)."""
    return _Items(data[1:], data[0]) if is_can and data else _Items(data, 0)


def _split(items: _Items, length: int) -> list[bytes]:
    body = items.body
    if not body or len(body) % length or (items.stated and items.stated != len(body) // length):
        raise InfoError(f"{len(body)} bytes are not {items.stated or 'some'} items of {length}")
    return [body[start : start + length] for start in range(0, len(body), length)]


def _text(raw: bytes) -> str:
    """Read padded ASCII; NULs and blanks around it are padding, anything else unprintable is damage."""
    text = raw.strip(b"\0 ").decode("latin-1")
    if not all(" " <= letter <= "~" for letter in text):
        raise InfoError(f"{raw.hex().upper()} is no text")
    return text


def _vin(items: _Items) -> Fields:
    text = _text(items.body)
    if len(text) != _VIN_LENGTH:
        raise InfoError(f"{text!r} has {len(text)} of 17 characters")
    return {"vin": text}


def _calibrations(items: _Items) -> Fields:
    texts = [_text(raw) for raw in _split(items, 16)]
    return {"calibration_ids": [text for text in texts if text]}


def _checks(items: _Items) -> Fields:
    return {"calibration_checks": [raw.hex().upper() for raw in _split(items, 4)]}


def _name(items: _Items) -> Fields:
    """ECU names are an acronym of four and a name of fifteen, with - between (SAE J1979)."""
    parts = [_text(part) for part in items.body.replace(b"\0-", b"-").split(b"\0")]
    return {"name": " ".join(part for part in parts if part)}


def _use(names: tuple[str, ...]) -> Callable[[_Items], Fields]:
    def decode(items: _Items) -> Fields:
        numbers = [int.from_bytes(word, "big") for word in _split(items, 2)]
        if len(numbers) < 4:
            raise InfoError(f"{len(numbers)} counters are too few")
        pairs = list(pairwise(numbers[2:]))[::2]
        return {
            "monitoring_conditions": numbers[0],
            "ignition_cycles": numbers[1],
            "in_use": [
                UseRatio(name=name, completions=done, conditions=met)
                for name, (done, met) in zip(names, pairs, strict=False)
            ],
        }

    return decode


def _serial(items: _Items) -> Fields:
    return {"engine_serial": _text(items.body) or None}


_DECODERS: dict[int, tuple[str, Callable[[_Items], Fields]]] = {
    0x02: ("VIN", _vin),
    0x04: ("calibration ids", _calibrations),
    0x06: ("calibration check numbers", _checks),
    0x08: ("in-use performance", _use(_SPARK)),
    0x0A: ("ECU name", _name),
    0x0B: ("in-use performance", _use(_COMPRESSION)),
    0x0D: ("engine serial number", _serial),
}
