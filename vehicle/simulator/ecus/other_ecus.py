"""The further control units on the bus: transmission (7E9) and, where asked for, fuel pump control (7EA)."""

from collections.abc import Mapping

from vehicle.simulator.ecus.ecu import SUBFUNCTION_NOT_SUPPORTED, RefusalError, Service
from vehicle.simulator.ecus.encode import bitmap, encode_pid
from vehicle.simulator.ecus.memory import Memory
from vehicle.simulator.model import Model

TRANSMISSION_PIDS = frozenset({0x01, 0x0C, 0x0D, 0x1C, 0x42})
PUMP_PIDS = frozenset({0x01, 0x1C, 0x23, 0x42})
_LISTS = (0x00, 0x20, 0x40)


class SmallServices:
    """A unit without codes of its own that answers a few PIDs and says who it is."""

    def __init__(
        self, model: Model, can: bool, pids: frozenset[int], name: bytes, calibration: bytes
    ) -> None:
        self._model = model
        self._can = can
        self._pids = pids
        self._name = name.ljust(20, b"\0")
        self._calibration = calibration.ljust(16, b"\0")
        self._memory = Memory()
        self.table: Mapping[int, Service] = {
            0x01: self._current_data,
            0x03: lambda rest: self._no_codes(0x43),
            0x04: lambda rest: b"\x44",
            0x07: lambda rest: self._no_codes(0x47),
            0x09: self._vehicle_information,
            0x0A: lambda rest: self._no_codes(0x4A),
        }

    def _no_codes(self, service: int) -> bytes | None:
        return bytes([service, 0]) if self._can else None

    def _current_data(self, rest: bytes) -> bytes | None:
        if not rest or len(rest) > (6 if self._can else 1):
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        reply = bytearray([0x41])
        for pid in rest:
            if pid in _LISTS:
                reply += bytes([pid]) + bitmap(pid, self._pids.union(_LISTS))
            elif pid == 0x01:
                reply += b"\x01\x00\x04\x00\x00"  # comprehensive components only, complete
            elif pid in self._pids:
                reply += bytes([pid]) + encode_pid(pid, self._model.state, self._memory)
        return bytes(reply) if len(reply) > 1 else None

    def _vehicle_information(self, rest: bytes) -> bytes | None:
        if len(rest) != 1:
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        items = {0x04: self._calibration, 0x0A: self._name}
        if rest[0] == 0x00:
            return b"\x49\x00" + bitmap(0, frozenset(items))
        if rest[0] not in items:
            return None
        return bytes([0x49, rest[0], 1]) + items[rest[0]]
