"""Readiness monitors: which there are, and the status bytes of PIDs 01 and 41 (SAE J1979)."""

from vehicle.simulator.memory import Memory
from vehicle.simulator.state import State

CONTINUOUS = ("misfire", "fuel_system", "components")  # bits 0 to 2 of byte B
# bit of bytes C and D, spark ignition
OTHERS = {"catalyst": 0, "evaporative": 2, "oxygen_sensor": 5, "oxygen_sensor_heater": 6}
MONITORS = (*CONTINUOUS, *OTHERS)


def status_bytes(_: State, m: Memory) -> bytes:
    """Return PID 01: MIL and number of stored codes, monitors supported and complete since clearing."""
    count = min(len(m.stored), 127) | (0x80 if m.mil else 0)
    return bytes([count, *_monitor_bytes(m.ready)])


def this_drive_bytes(_: State, m: Memory) -> bytes:
    """Return PID 41: monitors enabled and complete in this driving cycle."""
    return bytes([0, *_monitor_bytes(m.ready_this_drive)])


def _monitor_bytes(complete: dict[str, bool]) -> tuple[int, int, int]:
    byte_b = 0x07
    for bit, name in enumerate(CONTINUOUS):
        byte_b |= 0 if complete.get(name, False) else 0x10 << bit
    byte_c = sum(1 << bit for bit in OTHERS.values())
    byte_d = sum(1 << bit for name, bit in OTHERS.items() if not complete.get(name, False))
    return byte_b, byte_c, byte_d
