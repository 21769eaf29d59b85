"""Readiness of the emission monitors: service 01, PIDs 01 (since clear) and 41 (this drive)."""

from __future__ import annotations

from vehicle.diagnostics.asking import absences, ask
from vehicle.diagnostics.models import Absence, Monitor, Readiness, ReadinessReport
from vehicle.links.link import Link

# SAE J1979: byte B bits 0-2 and 4-6, bytes C and D bit by bit; None: reserved.
_ALWAYS = ("misfire", "fuel_system", "components")
_SPARK = (
    "catalyst",
    "heated_catalyst",
    "evaporative",
    "secondary_air",
    "ac_refrigerant",
    "oxygen_sensor",
    "oxygen_sensor_heater",
    "egr_vvt",
)
_COMPRESSION = (
    "nmhc_catalyst",
    "nox_scr",
    None,
    "boost_pressure",
    None,
    "exhaust_gas_sensor",
    "pm_filter",
    "egr_vvt",
)
SINCE_CLEAR, THIS_DRIVE = 0x01, 0x41


def read_readiness(link: Link) -> ReadinessReport:
    """Read which monitors each ECU has and which are complete; raises CannotConnectError."""
    absent: list[Absence] = []
    found = {
        pid: _read(link, pid, what, absent)
        for pid, what in ((SINCE_CLEAR, "readiness since clear"), (THIS_DRIVE, "readiness this drive"))
    }
    return ReadinessReport(since_clear=found[SINCE_CLEAR], this_drive=found[THIS_DRIVE], absent=absent)


def _read(link: Link, pid: int, what: str, absent: list[Absence]) -> list[Readiness]:
    reply = ask(link, bytes([0x01, pid]))
    whole = [answer for answer in reply.answers if len(answer.data) == 6]
    absent += absences(link, what, reply, (answer.ecu for answer in whole))
    return [decode_readiness(ecu, data[2:], since_clear=pid == SINCE_CLEAR) for ecu, data in whole]


def decode_readiness(ecu: str, data: bytes, *, since_clear: bool) -> Readiness:
    """Decode the four bytes of PID 01 or 41; the lamp and the count are in PID 01 only."""
    first, second, having, waiting = data
    diesel = bool(second & 0x08)
    bits = [(name, second >> bit & 1, second >> bit + 4 & 1) for bit, name in enumerate(_ALWAYS)]
    for bit, name in enumerate(_COMPRESSION if diesel else _SPARK):
        if name is not None:
            bits.append((name, having >> bit & 1, waiting >> bit & 1))
    return Readiness(
        ecu=ecu,
        ignition="compression" if diesel else "spark",
        mil_on=bool(first & 0x80) if since_clear else None,
        code_count=first & 0x7F if since_clear else None,
        monitors=[Monitor(name=name, complete=not incomplete) for name, there, incomplete in bits if there],
    )
