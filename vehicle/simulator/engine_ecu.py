"""The engine control unit's OBD services, answered from the model's present state."""

from collections.abc import Mapping

from vehicle.simulator.ecu import SUBFUNCTION_NOT_SUPPORTED, RefusalError, Service
from vehicle.simulator.encode import PIDS, bitmap, encode_pid
from vehicle.simulator.engine import Model
from vehicle.simulator.memory import code_bytes

_LISTS = (0x00, 0x20, 0x40, 0x60, 0x80, 0xA0, 0xC0)
CALIBRATIONS = ("37805-SIM-A010", "37805-SIM-B020")
CHECKSUMS = (bytes.fromhex("5A3C91E0"), bytes.fromhex("0D47B2F6"))


class EngineServices:
    """Services 01, 03, 07, 09 and 0A of the engine control unit."""

    def __init__(self, model: Model, can: bool) -> None:
        self._model = model
        self._can = can
        self.table: Mapping[int, Service] = {
            0x01: self._current_data,
            0x03: lambda rest: self._codes(0x43, rest, self._model.memory.stored),
            0x07: lambda rest: self._codes(0x47, rest, self._model.memory.pending),
            0x09: self._vehicle_information,
            0x0A: lambda rest: self._codes(0x4A, rest, self._model.memory.permanent),
        }

    def _current_data(self, rest: bytes) -> bytes | None:
        """Answer one PID, or on CAN up to six; PIDs not supported are left out."""
        if not rest or len(rest) > (6 if self._can else 1):
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        reply = bytearray([0x41])
        for pid in rest:
            if pid in _LISTS:
                reply += bytes([pid]) + bitmap(pid, PIDS.union(_LISTS))
            elif pid in PIDS:
                reply += bytes([pid]) + encode_pid(pid, self._model.state, self._model.memory)
        return bytes(reply) if len(reply) > 1 else None

    def _codes(self, service: int, rest: bytes, codes: list[str]) -> bytes | None:
        """Answer the codes, on CAN with the count byte of ISO 15765-4."""
        if rest:
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        data = b"".join(code_bytes(code) for code in codes)
        return bytes([service, len(codes)]) + data if self._can else bytes([service]) + data

    def _vehicle_information(self, rest: bytes) -> bytes | None:
        if len(rest) != 1:
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        items = {
            0x02: [self._model.options.vin.encode()],
            0x04: [text.encode().ljust(16, b"\0") for text in CALIBRATIONS],
            0x06: list(CHECKSUMS),
            0x0A: [b"ECM\0-EngineControl\0\0"],
        }
        kind = rest[0]
        if kind == 0x00:
            return bytes([0x49, 0x00]) + bitmap(0, frozenset(items))
        if kind not in items:
            return None
        return bytes([0x49, kind, len(items[kind])]) + b"".join(items[kind])
