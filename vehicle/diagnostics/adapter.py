"""Checking an adapter: who it is, whether it is a clone, what works with it and how fast it is."""

from __future__ import annotations

import re
import time
from threading import Event
from typing import Literal

from pydantic import BaseModel, ConfigDict

from vehicle.diagnostics.models import Absence
from vehicle.errors import CarError
from vehicle.links.link import Link, LinkState
from vehicle.poller import Poller, read_support
from vehicle.poller.plan import STEPS
from vehicle.signals import SIGNALS, load_pids, signals_of_pid

Verdict = Literal["stn", "no sign of a clone", "clone", "simulated", "unknown"]

# Versions Elm Electronics released; most clones call themselves 1.5 or 2.1 and know the commands of 1.3.
GENUINE_VERSIONS = (
    "1.0",
    "1.0a",
    "1.1",
    "1.2",
    "1.2a",
    "1.3",
    "1.3a",
    "1.4",
    "1.4b",
    "2.0",
    "2.1",
    "2.2",
    "2.3",
)
# Queries that change nothing, with the version that brought them (ELM327 data sheet).
_KNOWN_SINCE = {"AT@1": (1, 0), "ATPPS": (1, 1), "ATKW": (1, 3), "ATIGN": (1, 4)}
_VERSION = re.compile(r"v(\d+)\.(\d+)([a-z]?)", re.IGNORECASE)
MEASURED = (
    "rpm",
    "speed",
    "coolant_temp",
    "throttle_pos",
    "intake_temp",
    "maf",
    "engine_load",
    "intake_pressure",
)
MEASURE_S = 2.0


class AdapterReport(BaseModel):
    """What is known of an adapter after trying it; what could not be found out stands in `absent`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str
    adapter: str
    stn: str
    description: str | None
    verdict: Verdict
    evidence: list[str]
    state: str
    protocol: str | None
    protocol_number: str | None
    ecus: list[str]
    batch_size: int | None
    readings_per_s: float | None
    measured_signals: list[str]
    voltage_v: float | None
    baud: int | None
    connect_s: float | None
    absent: list[Absence]


def check_adapter(link: Link, *, measure_s: float = MEASURE_S) -> AdapterReport:
    """Try an adapter: identity, signs of a clone, batch size, readings per second, supply voltage.

    Takes about `measure_s` and a second more; asks the car only for current data.
    """
    absent: list[Absence] = []
    verdict, evidence = _clone_signs(link)
    voltage = _voltage(link, absent)
    batch_size, rate, measured = _try_car(link, measure_s, absent)
    number = (link.command("ATDPN") or "").strip().removeprefix("A")
    info = link.info
    return AdapterReport(
        address=link.address,
        adapter=info.adapter,
        stn=info.stn,
        description=_known(link.command("AT@1")),
        verdict="simulated" if link.simulated else verdict,
        evidence=evidence,
        state=str(link.state),
        protocol=info.protocol.name if info.protocol else None,
        protocol_number=(info.protocol.number or number or None) if info.protocol else None,
        ecus=list(info.ecus),
        batch_size=batch_size,
        readings_per_s=rate,
        measured_signals=measured,
        voltage_v=voltage,
        baud=info.baud,
        connect_s=info.connect_s,
        absent=absent,
    )


def _known(answer: str | None) -> str | None:
    return None if answer is None or "?" in answer else answer.strip()


def _clone_signs(link: Link) -> tuple[Verdict, list[str]]:
    """Compare the version an adapter claims with the commands it knows."""
    info = link.info
    if info.stn:
        return "stn", [f"STI answers {info.stn}: an STN chip, which knows its own commands"]
    match = _VERSION.search(info.adapter)
    if match is None:
        return "unknown", [f"{info.adapter!r} names no version"]
    version = match[0].removeprefix("v").removeprefix("V")
    signs = []
    if version not in GENUINE_VERSIONS:
        signs.append(f"claims version {version}, which Elm Electronics never released")
    claimed = (int(match[1]), int(match[2]))
    for command, since in _KNOWN_SINCE.items():
        if claimed >= since and _known(link.command(command)) is None:
            signs.append(
                f"claims version {version} and does not know {command} of version {since[0]}.{since[1]}"
            )
    if signs:
        return "clone", signs
    asked = ", ".join(command for command, since in _KNOWN_SINCE.items() if claimed >= since)
    return "no sign of a clone", [f"knows what version {version} brought: {asked}"]


def _voltage(link: Link, absent: list[Absence]) -> float | None:
    answer = link.command("ATRV") or ""
    match = re.search(r"\d+\.\d+", answer)
    if match is None:
        absent.append(Absence(what="supply voltage", reason=f"ATRV answered {answer.strip() or 'nothing'}"))
        return None
    return float(match[0])


def _try_car(link: Link, seconds: float, absent: list[Absence]) -> tuple[int | None, float | None, list[str]]:
    """Find the batch size that works and measure; nothing of it without a car."""
    if link.state is not LinkState.CONNECTED:
        for what in ("batch size", "readings per second"):
            absent.append(Absence(what=what, reason=f"no car: {link.state_reason or link.state}"))
        return None, None, []
    try:
        support = read_support(link)
    except CarError as error:
        absent.append(Absence(what="readings per second", reason=error.message))
        return None, None, []
    ecu, pids = max(support.items(), key=lambda item: len(item[1]))
    size = _batch_size(link, ecu, sorted(pid for pid in pids & load_pids().keys() if signals_of_pid(pid)))
    names = [name for name in MEASURED if SIGNALS[name].pid in pids][:6]
    return size, _rate(link, names, seconds, absent), names


def _batch_size(link: Link, ecu: str, pids: list[int]) -> int:
    if not link.info.is_can:
        return 1
    for step in STEPS:
        reply = link.request(bytes([0x01, *pids[:step]]), ecu)
        if step == 1 or reply.answers:
            link.batch_limit = min(link.batch_limit, step)
            return step
    return 1


def _rate(link: Link, names: list[str], seconds: float, absent: list[Absence]) -> float | None:
    """Measure after the first batch, in which line counts are learned."""
    stop, readings, began = Event(), 0, 0.0
    try:
        for batch in Poller(link, names, every_round=True, batch_s=0.2).poll(stop):
            count = sum(run.values.size for run in batch.runs)
            readings += count if began else 0
            began = began or (time.monotonic() if count else 0.0)
            if began and time.monotonic() - began >= seconds:
                break
            if batch.end_us > (seconds + 5.0) * 1e6:
                break
    except CarError as error:
        absent.append(Absence(what="readings per second", reason=error.message))
        return None
    if not readings:
        absent.append(Absence(what="readings per second", reason="nothing could be read"))
        return None
    return readings / (time.monotonic() - began)
