"""Readiness monitors: which there are, and how PIDs 01 and 41 say how far they are (SAE J1979)."""

from collections.abc import Mapping

CONTINUOUS = ("misfire", "fuel_system", "components")  # bits 0 to 2 of byte B
# bit of bytes C and D, spark ignition
OTHERS = {"catalyst": 0, "evaporative": 2, "oxygen_sensor": 5, "oxygen_sensor_heater": 6}
MONITORS = (*CONTINUOUS, *OTHERS)


def monitor_bytes(complete: Mapping[str, bool]) -> bytes:
    """Return bytes B, C and D of PIDs 01 and 41: every monitor supported, those not complete marked."""
    byte_b = 0x07
    for bit, name in enumerate(CONTINUOUS):
        byte_b |= 0 if complete.get(name, False) else 0x10 << bit
    byte_c = sum(1 << bit for bit in OTHERS.values())
    byte_d = sum(1 << bit for name, bit in OTHERS.items() if not complete.get(name, False))
    return bytes([byte_b, byte_c, byte_d])
