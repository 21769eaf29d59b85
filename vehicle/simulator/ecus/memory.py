"""What the engine ECU remembers over key cycles: trouble codes, freeze frame, counters since clearing."""

from dataclasses import dataclass, field

from vehicle.simulator.ecus.readiness import MONITORS

FreezeFrame = dict[int, bytes]


@dataclass(slots=True)
class Memory:
    """Codes are kept in the order they came; the freeze frame belongs to `freeze_code`.

    The defaults are a car in mid-life whose codes were last cleared some 1,900 km ago.
    """

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
    completions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MONITORS, 1900))
    conditions: int = 2_480  # driving cycles in which the general denominator of SAE J1979 was met
    ready: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(MONITORS, True))
    ready_this_drive: dict[str, bool] = field(default_factory=dict)

    def clear(self) -> None:
        """Do what service 04 does; permanent codes stay until their monitors have run and passed."""
        self.pending.clear()
        self.stored.clear()
        self.mil = False
        self.freeze_code, self.freeze = "", {}
        self.distance_since_clear_km = self.distance_with_mil_km = 0.0
        self.minutes_since_clear = self.minutes_with_mil = 0.0
        self.warmups_since_clear = 0
        self.ready, self.ready_this_drive = {}, {}

    def complete(self, monitor: str) -> None:
        """Note that a readiness monitor has run to its end."""
        if not self.ready_this_drive.get(monitor, False):
            self.completions[monitor] = min(self.completions[monitor] + 1, 0xFFFF)
        self.ready[monitor] = self.ready_this_drive[monitor] = True


def code_bytes(code: str) -> bytes:
    """Return the two bytes of a trouble code such as P0171 (SAE J2012)."""
    return (("PCBU".index(code[0]) << 14) | int(code[1:], 16)).to_bytes(2, "big")
