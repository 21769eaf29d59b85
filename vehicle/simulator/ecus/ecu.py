"""The control units on the bus: who hears a request, which service answers, and when silence is the answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

SERVICE_NOT_SUPPORTED = 0x11
SUBFUNCTION_NOT_SUPPORTED = 0x12
CONDITIONS_NOT_CORRECT = 0x22
OUT_OF_RANGE = 0x31


class RefusalError(Exception):
    """A negative response; `code` is its reason byte."""

    def __init__(self, code: int) -> None:
        super().__init__(f"negative response {code:#04x}")
        self.code = code


Service = Callable[[bytes], bytes | None]


class Services(Protocol):
    """What a control unit can be asked: service number to a function of the request's further bytes."""

    @property
    def table(self) -> Mapping[int, Service]:
        """Functions return the whole positive payload, None for silence, or raise RefusalError."""
        ...


@dataclass(frozen=True, slots=True)
class Ecu:
    """One control unit: its 11-bit reply id, its one-byte address on other buses, and what it answers."""

    name: str
    can_id: int
    address: int
    services: Services
    says_no: bool = False  # answers a broadcast it does not support with 7F, as some real units do

    def answer(self, payload: bytes, broadcast: bool) -> bytes | None:
        """Return the reply to a request; units do not refuse broadcasts unless conditions are the reason."""
        service = self.services.table.get(payload[0])
        try:
            if service is None:
                raise RefusalError(SERVICE_NOT_SUPPORTED)
            reply = service(payload[1:])
            if reply is None and self.says_no:
                raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        except RefusalError as refusal:
            quiet = broadcast and refusal.code in (SERVICE_NOT_SUPPORTED, OUT_OF_RANGE) and not self.says_no
            return None if quiet else bytes([0x7F, payload[0], refusal.code])
        return reply
