"""Finding out what an adapter is and what it can do, in a few seconds and without changing anything."""

from __future__ import annotations

import csv
import re
import time
from collections import deque
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from vehicle.elm327.outcomes import Disconnected, Reply, Timeout
from vehicle.errors import CannotConnectError, CarError
from vehicle.links.adapter_advice import advise
from vehicle.links.adapter_models import AdapterIdentity, AdapterReport, BatchTry, CommandTry, Rates
from vehicle.links.adapter_verdict import judge, version_in
from vehicle.links.link import Link, LinkState, Priority, Ticket
from vehicle.poller.support import read_support
from vehicle.signals import SplitError, split_mode01
from vehicle.signals.table import load_pids

RATE_S = 1.2
COMMAND_S = 1.0
BATCH_S = 1.0
SIZES = (6, 3, 1)
_IN_FLIGHT = 2
_DATA = Path(__file__).parent / "data" / "elm327_commands.csv"
_VOLTS = re.compile(r"(\d+\.\d+)\s*V?")
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
    batches = _try_batches(link, ecu, pids) if pids else []
    size = max((one.size for one in batches if one.worked), default=None)
    rates = _rates(link, ecu, pids, size, rate_s, no_car)
    verdict, evidence = judge(identity, tries, batches)
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
    return report.model_copy(update={"advice": advise(report)})


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


def _try_batches(link: Link, ecu: str, pids: Sequence[int]) -> list[BatchTry]:
    """Try one parameter, then as many as the protocol allows and fewer, until a number works."""
    tries = [_try_batch(link, ecu, pids[:1])]
    if link.info.is_can and tries[0].worked:
        for size in dict.fromkeys(min(size, len(pids)) for size in SIZES if min(size, len(pids)) > 1):
            tries.append(_try_batch(link, ecu, pids[:size]))
            if tries[-1].worked:
                break
    return tries


def _try_batch(link: Link, ecu: str, pids: Sequence[int]) -> BatchTry:
    reply = _ask(link, ecu, pids)
    worked = _readings(reply, pids) == len(pids)
    if not worked and len(pids) == 1:  # one miss on the way is nothing special
        reply = _ask(link, ecu, pids)
        worked = _readings(reply, pids) == 1
    reason = "" if worked else reply.reason or f"{_readings(reply, pids)} of {len(pids)} came"
    hung = isinstance(reply.trouble, Timeout)
    waited_s = reply.received_s - reply.sent_s
    return BatchTry(size=len(pids), worked=worked, hung=hung, waited_s=round(waited_s, 3), reason=reason)


def _ask(link: Link, ecu: str, pids: Sequence[int]) -> Reply:
    reply = _submit(link, ecu, pids).result()
    if isinstance(reply.trouble, Disconnected):
        raise CannotConnectError(
            f"The adapter was lost: {reply.reason}.", "Check plug and power, then ask again."
        )
    return reply


def _submit(link: Link, ecu: str, pids: Sequence[int]) -> Ticket:
    return link.submit(bytes([0x01, *pids]), ecu, deadline_s=BATCH_S, priority=Priority.PERSON)


def _readings(reply: Reply, pids: Sequence[int]) -> int:
    """Count the parameters that came, of one ECU."""
    counts = [0]
    for _, data in reply.answers:
        try:
            counts.append(len(split_mode01(data[1:], pids)))
        except SplitError:
            continue
    return max(counts)


def _rates(link: Link, ecu: str, pids: Sequence[int], size: int | None, rate_s: float, no_car: str) -> Rates:
    if not size:
        why = no_car or "no request for parameters worked"
        return Rates(single_per_s=None, batched_per_s=None, measured_s=0.0, reason=why)
    single = _rate(link, ecu, [[pid] for pid in pids], rate_s)
    batched = _rate(link, ecu, [list(pids[:size])], rate_s) if size > 1 else None
    reason = "" if size > 1 else "several parameters in one request do not work here"
    return Rates(single_per_s=single, batched_per_s=batched, measured_s=rate_s, reason=reason)


def _rate(link: Link, ecu: str, requests: Sequence[Sequence[int]], seconds: float) -> float:
    """Ask in turn, the next request ready while one is answered; return readings per second."""
    for pids in requests:
        _ask(link, ecu, pids)  # the link learns how many lines to wait for
    waiting: deque[tuple[Sequence[int], Ticket]] = deque()
    number = came = 0
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        while len(waiting) < _IN_FLIGHT:
            pids = requests[number % len(requests)]
            number += 1
            waiting.append((pids, _submit(link, ecu, pids)))
        pids, ticket = waiting.popleft()
        came += _readings(ticket.result(), pids)
    took_s = time.monotonic() - began
    for _, ticket in waiting:
        ticket.result()
    return round(came / took_s, 1)
