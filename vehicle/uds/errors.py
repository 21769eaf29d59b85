"""What goes wrong when a UDS service is asked.

CarError
 +-- RefusedError
 |    +-- NegativeResponseError    7F: who refused what, and why
 +-- UdsAnswerError                an answer that contradicts itself
"""

from __future__ import annotations

from vehicle.elm327.outcomes import NegativeResponse
from vehicle.errors import CarError, RefusedError

# The ECU does not have this at all, whatever the conditions (ISO 14229-1, table A.1).
NOT_THERE = frozenset({0x11, 0x12, 0x31})
NOT_IN_THIS_SESSION = frozenset({0x7E, 0x7F})


class NegativeResponseError(RefusedError):
    """An ECU's refusal, taken apart."""

    def __init__(self, refusal: NegativeResponse, request: bytes) -> None:
        self.ecu, self.service, self.nrc = refusal
        hint = "The conditions may be met later: engine off, ignition on, vehicle standing."
        if self.nrc in NOT_THERE:
            hint = "This ECU does not have it; other ECUs may."
        elif self.nrc in NOT_IN_THIS_SESSION:
            hint = "This ECU has it in another diagnostic session only, which is not opened here."
        super().__init__(
            f"{self.ecu} refused {request.hex(' ').upper()}: {refusal.text} ({self.nrc:02X}).", hint
        )


class UdsAnswerError(CarError, ValueError):
    """An answer whose length or content contradicts itself."""

    code = "car_refused"
