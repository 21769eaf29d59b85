"""Adapter addresses as the tools take them: which one is meant, whether a car is behind it, how fast its clock runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from tools.errors import ToolError

if TYPE_CHECKING:
    from tools.context import ToolContext

Adapter = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        description="Adapter address: /dev/ttyUSB0, COM3, socket://host:port, or sim:demo?fault=vacuum_leak.",
    ),
]


def adapter_of(context: ToolContext, adapter: str | None) -> str:
    """Return the adapter named, or the default one.

    Raises:
        ToolError: neither is there.
    """
    address = adapter or context.workshop.adapter
    if address is None:
        raise ToolError("bad_arguments", "No adapter was named.", "Give `adapter`, or set OBD_AGENT_ADAPTER.")
    return address.strip()


def clock_rate(address: str) -> float:
    """Return how fast the car's own clock runs beside ours: 1 for a real car, the speed-up of a simulated one."""
    if not address.startswith("sim:"):
        return 1.0
    from vehicle.simulator import parse_simulator

    return parse_simulator(address).speedup
