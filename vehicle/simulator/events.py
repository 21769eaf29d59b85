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
class Sleep:
    """Time in which bytes from the host are not looked at."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WaitForByte:
    """Wait for the host for at most `seconds`; `answer` is sent if one comes, `otherwise` if not."""

    seconds: float
    answer: bytes
    otherwise: bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the line."""


Event = Send | Wait | Sleep | WaitForByte | Drop
