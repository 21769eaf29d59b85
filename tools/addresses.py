"""Adapter addresses as the tools take them: whether a car is behind one, and how fast its clock runs."""

from typing import Annotated

from pydantic import Field

Adapter = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        description="Adapter address: /dev/ttyUSB0, COM3, socket://host:port, or sim:demo?fault=vacuum_leak, "
        "or replay:SESSION to play a recorded session back.",
    ),
]


def clock_rate(address: str) -> float:
    """Return how fast the car's own clock runs beside ours: 1 for a real car, else the speed-up."""
    if is_replay(address):
        from vehicle.links.replay_address import parse_replay

        return parse_replay(address).speed
    if not address.startswith("sim:"):
        return 1.0
    from vehicle.simulator import parse_simulator

    return parse_simulator(address).speedup


def is_replay(address: str) -> bool:
    """Whether a recorded session is played back there."""
    return address.startswith("replay:")


def is_simulated(address: str) -> bool:
    """Whether no real car is read there now: a simulated one, or a recording that is played back."""
    return address.startswith("sim:") or is_replay(address)


def say_adapter(address: str) -> str:
    """Return the address, and what is behind it where that is no car."""
    if is_replay(address):
        return f"{address} (a recording played back, not the car as it is now)"
    return f"{address} (simulated car)" if is_simulated(address) else address
