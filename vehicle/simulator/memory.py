"""What the engine ECU remembers over key cycles: trouble codes, freeze frame, counters since clearing."""

from dataclasses import dataclass, field

FreezeFrame = dict[int, bytes]


@dataclass(slots=True)
class Memory:
    """Codes are kept in the order they came; the freeze frame belongs to `freeze_code`."""

    pending: list[str] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    permanent: list[str] = field(default_factory=list)
    mil: bool = False
    freeze_code: str = ""
    freeze: FreezeFrame = field(default_factory=dict)
    odometer_start_km: float = 84_213.7
    distance_since_clear_km: float = 1_874.0
    distance_with_mil_km: float = 0.0
    minutes_since_clear: float = 2_911.0
    minutes_with_mil: float = 0.0
    warmups_since_clear: int = 63
    ignition_cycles: int = 3_120
    ready: dict[str, bool] = field(default_factory=dict)
    ready_this_drive: dict[str, bool] = field(default_factory=dict)


def code_bytes(code: str) -> bytes:
    """Return the two bytes of a trouble code such as P0171 (SAE J2012)."""
    return (("PCBU".index(code[0]) << 14) | int(code[1:], 16)).to_bytes(2, "big")
