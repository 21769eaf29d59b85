"""Adapters: what there is to connect to, and what a connected one is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.findings import Quantity, absent, derived, measured
from tools.adapter_answers import (
    AdapterCheck,
    AdapterList,
    ReplayableSession,
    Replays,
    RunningCapture,
    SimulatedCars,
    SimulatedKey,
)
from tools.addresses import Adapter, is_simulated
from tools.context import ToolContext
from tools.registry import tool
from tools.replays import can_be_replayed

if TYPE_CHECKING:
    from vehicle.links.adapter_models import AdapterReport

_RATE = "readings/s"
_REPLAYS = 10
_LOOKED_AT = 50


@tool("capture", "List adapters")
def list_adapters(context: ToolContext) -> AdapterList:
    """Return the serial ports of this machine, the default adapter, captures running, simulated cars and replays.

    A port listed exists; whether an adapter answers on it, `check_adapter` finds out. Next: `check_adapter`.
    """
    from vehicle.links import SCHEMES
    from vehicle.links.serial_ports import list_serial_ports

    return AdapterList(
        default_adapter=context.workshop.adapter,
        serial_ports=list_serial_ports(),
        captures=_captures(context),
        simulated=_simulated(),
        replays=_replays(context),
        address_forms=[form for _, _, form in SCHEMES.values()],
        not_searched="Wi-Fi, Bluetooth and CAN adapters are not searched for: give their address.",
    )


def _captures(context: ToolContext) -> list[RunningCapture]:
    running = []
    for session_id in context.workshop.running_captures():
        recorder = context.workshop.recorders.find(session_id)
        if recorder is not None:
            running.append(RunningCapture(session_id=session_id, adapter=recorder.link.address))
    return running


def _replays(context: ToolContext) -> Replays:
    from vehicle.links.replay_address import OPTIONS

    rows, total = context.store.sessions.list(state="finished", limit=_LOOKED_AT)
    newest = [
        ReplayableSession(
            address=f"replay:{one.id}",
            name=one.name or one.source,
            started_at=one.started_at,
            duration_s=one.duration_s,
        )
        for one in rows
        if can_be_replayed(one)
    ]
    return Replays(newest=newest[:_REPLAYS], sessions=total, options=OPTIONS)


def _simulated() -> SimulatedCars:
    from dataclasses import fields

    from vehicle.simulator.options import CHOICES, FAULTS, LIMITS, PRESETS, SimulatorOptions

    keys = []
    for field in fields(SimulatorOptions):
        if field.name == "name":
            continue
        allowed = ", ".join(choice for choice in CHOICES.get(field.name, ()) if choice)
        if field.name in LIMITS:
            allowed = "{:g} to {:g}".format(*LIMITS[field.name])
        default = str(int(field.default)) if isinstance(field.default, bool) else str(field.default)
        keys.append(SimulatedKey(key=field.name, default=default, allowed=allowed))
    return SimulatedCars(addresses=[f"sim:{name}" for name in PRESETS], faults=list(FAULTS), keys=keys)


@tool("capture", "Check an adapter", open_world=True)
def check_adapter(context: ToolContext, adapter: Adapter | None = None) -> AdapterCheck:
    """Find out what an adapter is and what it can do. Reads only; takes about 4 s.

    Returns identity, genuine or clone with evidence, protocol, ECUs, how many parameters per request work,
    measured readings per second, supply voltage and advice. Use it when a car cannot be read well, or before a
    capture with an unknown adapter. Next: `start_capture`.
    """
    from vehicle.links.adapter_check import check_adapter as check

    address = context.adapter_of(adapter)
    busy = context.workshop.recorders.of_adapter(address)
    context.progress(0, 1, "connecting to the adapter")
    with context.workshop.links.borrow(address) as link:
        context.progress(0.2, 1, "asking the adapter and measuring its speed")
        return _answer(check(link), busy.session_id if busy else None)


def _answer(report: AdapterReport, shared_with: str | None) -> AdapterCheck:
    rates = report.rates
    return AdapterCheck(
        adapter=report.address,
        simulated=is_simulated(report.address),
        identity=report.identity,
        verdict=report.verdict,
        evidence=report.evidence,
        protocol=report.protocol,
        ecus=report.ecus,
        no_car_reason=report.no_car_reason,
        batches=report.batches,
        batch_size=report.batch_size,
        single_rate=_rate(rates.single_per_s, rates.measured_s, rates.reason),
        batched_rate=_rate(rates.batched_per_s, rates.measured_s, rates.reason),
        supply_voltage=absent("V", report.supply_reason)
        if report.supply_v is None
        else measured(report.supply_v, "V", samples=1),
        baud=report.baud,
        connect_s=report.connect_s,
        shared_with=shared_with,
        advice=report.advice,
    )


def _rate(value: float | None, seconds: float, reason: str) -> Quantity:
    if value is None:
        return absent(_RATE, reason)
    return derived(value, _RATE, f"parameters answered in {seconds:g} s of asking without pause")
