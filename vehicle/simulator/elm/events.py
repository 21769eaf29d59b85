"""What an adapter does while it works on a command: it sends, it waits for the bus, or it goes quiet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes for the host."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Time spent on the bus; a byte from the host ends the command with STOPPED."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WaitForByte:
    """Wait for the host for at most `seconds`; `answer` is sent if a byte comes, `otherwise` if not."""

    seconds: float
    answer: bytes
    otherwise: bytes
    baud_otherwise: int = 0  # the rate to go back to where none comes


@dataclass(frozen=True, slots=True)
class Baud:
    """From here on the line runs at another rate."""

    rate: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the line."""


Event = Send | Wait | WaitForByte | Baud | Drop
