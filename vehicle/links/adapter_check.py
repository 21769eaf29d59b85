"""Finding out what an adapter is and what it can do, in a few seconds and without changing anything."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

from vehicle.errors import CannotConnectError, CarError
from vehicle.links.adapter_advice import advise
from vehicle.links.adapter_models import AdapterEvidence, AdapterIdentity, AdapterReport, CommandTry, Verdict
from vehicle.links.adapter_speed import SIZES, measure_rates, try_batches
from vehicle.links.adapter_verdict import judge, version_in
from vehicle.links.link import Link, LinkState, Priority
from vehicle.poller.support import read_support
from vehicle.signals.table import load_pids

RATE_S = 1.2
COMMAND_S = 1.0
_DATA = Path(__file__).parent / "data" / "elm327_commands.csv"
_VOLTS = re.compile(r"(\d+\.\d+)\s*V?")
_NO_ADAPTER: tuple[Verdict, list[AdapterEvidence]] = ("cannot tell", [])
# Short parameters that nearly every car has, those that change quickly first.
_USUAL = (0x0C, 0x0D, 0x05, 0x11, 0x0F, 0x10, 0x0B, 0x04, 0x0E, 0x06, 0x07)


@cache
def known_commands() -> tuple[tuple[str, str], ...]:
    """Return harmless adapter commands with the ELM327 version they came with."""
    with _DATA.open(encoding="utf-8", newline="") as file:
        return tuple((row["command"], row["since"]) for row in csv.DictReader(file))


def check_adapter(link: Link, *, rate_s: float = RATE_S) -> AdapterReport:
    """Ask the adapter who it is and measure what it can do; takes about 2 * `rate_s` and a second or two.

    Raises CannotConnectError where the adapter is lost on the way.
    """
    identity = _identify(link)
    tries = (
        [_try_command(link, command, since) for command, since in known_commands()]
        if identity.version
        else []
    )
    volts, volts_reason = _supply(link)
    ecu, pids, no_car = _what_to_ask(link)
    batches = try_batches(link, ecu, pids) if pids else []
    size = max((one.size for one in batches if one.worked), default=None)
    rates = measure_rates(link, ecu, pids, size, rate_s, no_car)
    verdict, evidence = _NO_ADAPTER if link.replayed else judge(identity, tries, batches)
    info = link.info
    report = AdapterReport(
        address=link.address,
        identity=identity,
        verdict=verdict,
        evidence=evidence,
        commands=tries,
        protocol=info.protocol.name if info.protocol else None,
        ecus=list(info.ecus),
        no_car_reason=no_car,
        batches=batches,
        batch_size=size,
        rates=rates,
        supply_v=volts,
        supply_reason=volts_reason,
        baud=info.baud,
        connect_s=info.connect_s,
        advice=[],
    )
    advice = (
        ["A recording is played back: the rates are the recording's."] if link.replayed else advise(report)
    )
    return report.model_copy(update={"advice": advice})


def _command(link: Link, text: str) -> str | None:
    answer = link.command(text, deadline_s=COMMAND_S)
    if answer is None and link.state in (LinkState.LOST, LinkState.WAITING, LinkState.CLOSED):
        raise CannotConnectError(
            f"The adapter was lost: {link.state_reason}.", "Check plug and power, then ask again."
        )
    return None if answer is None else " ".join(answer.split())


def _identify(link: Link) -> AdapterIdentity:
    said = {text: _command(link, text) or "" for text in ("ATI", "AT@1", "STI")}
    known = {text: "" if "?" in answer else answer for text, answer in said.items()}
    stn = known["STI"] if known["STI"].upper().startswith("STN") else ""
    device = (_command(link, "STDI") or "") if stn else ""
    name = known["ATI"] or link.info.adapter
    return AdapterIdentity(
        name=name,
        description=known["AT@1"],
        stn=stn,
        device="" if "?" in device else device,
        version=version_in(name),
    )


def _try_command(link: Link, command: str, since: str) -> CommandTry:
    answer = _command(link, command)
    known = None if answer is None else "?" not in answer
    return CommandTry(command=command, since=since, known=known, answer=(answer or "nothing came")[:60])


def _supply(link: Link) -> tuple[float | None, str]:
    answer = _command(link, "ATRV")
    found = _VOLTS.search(answer or "")
    return (float(found[1]), "") if found else (None, f"ATRV brought {answer or 'nothing'!r}")


def _what_to_ask(link: Link) -> tuple[str, list[int], str]:
    """Return the ECU that lists most, up to six of its usual parameters, and why there are none."""
    if link.state is not LinkState.CONNECTED:
        return "", [], link.state_reason or f"the link is {link.state}"
    try:
        support = read_support(link, priority=Priority.PERSON)
    except CarError as error:
        return "", [], error.message
    ecu = max(support, key=lambda name: len(support[name]))
    pids = [pid for pid in _USUAL if pid in support[ecu] and pid in load_pids()][: SIZES[0]]
    return ecu, pids, "" if pids else f"{ecu} lists none of the usual parameters"
