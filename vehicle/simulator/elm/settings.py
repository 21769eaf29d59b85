"""What an ELM327 has been set to: echo, headers, protocol, addressing, filters, timing."""

from dataclasses import dataclass


@dataclass(slots=True)
class Settings:
    """The adapter's state; the defaults are those after ATZ."""

    echo: bool = True
    linefeeds: bool = True
    spaces: bool = True
    headers: bool = False
    formatting: bool = True
    length: bool = False
    flow_control: bool = True
    responses: bool = True
    memory: bool = True
    long_messages: bool = False
    protocol: str = "0"
    automatic: bool = True
    connected: bool = False
    header: str = ""
    priority: str = "18"
    receive: str = ""
    filter: str = ""
    mask: str = ""
    adaptive: int = 1
    timeout_steps: int = 0x32  # of 4.096 ms
    baud_timeout_s: float = 0.075
    asleep: bool = False
    voltage_offset: float = 0.0

    def post_wait_s(self, wait_ms: float) -> float:
        """Return how long the adapter listens on after the last frame, in seconds; 0 without a timing model."""
        if wait_ms <= 0.0:
            return 0.0
        if self.adaptive == 0:
            return self.timeout_steps * 0.004096
        return min(wait_ms / (2.0 if self.adaptive == 2 else 1.0) / 1000.0, self.timeout_steps * 0.004096)

    def receives(self, identifier: str) -> bool:
        """Say whether the receive filters let a reply with this header (hex digits) through."""
        if self.receive and len(self.receive) == len(identifier):
            return all(wanted in ("X", got) for wanted, got in zip(self.receive, identifier, strict=True))
        if self.filter and self.mask and len(self.filter) == len(identifier) == len(self.mask):
            mask = int(self.mask, 16)
            return int(identifier, 16) & mask == int(self.filter, 16) & mask
        return True
