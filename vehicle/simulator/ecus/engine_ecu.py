"""The engine control unit's OBD services (SAE J1979), answered from the model's present state."""

from collections.abc import Callable, Mapping

from vehicle.simulator.ecus.ecu import (
    CONDITIONS_NOT_CORRECT,
    SUBFUNCTION_NOT_SUPPORTED,
    RefusalError,
    Service,
)
from vehicle.simulator.ecus.encode import PIDS, bitmap, encode_pid
from vehicle.simulator.ecus.memory import Memory, code_bytes
from vehicle.simulator.ecus.mode06 import MONITOR_IDS
from vehicle.simulator.ecus.uds import uds_services
from vehicle.simulator.model import Model

_LISTS = (0x00, 0x20, 0x40, 0x60, 0x80, 0xA0, 0xC0)
_FREEZE_CODE = 0x02
CALIBRATIONS = ("37805-SIM-A010", "37805-SIM-B020")
CHECKSUMS = (bytes.fromhex("5A3C91E0"), bytes.fromhex("0D47B2F6"))


class EngineServices:
    """Services 01 to 0A of the engine control unit, and on CAN a few of UDS."""

    def __init__(self, model: Model, can: bool) -> None:
        self._model = model
        self._can = can
        self.table: dict[int, Service] = {
            0x01: self._current_data,
            0x02: self._freeze_frame,
            0x03: lambda rest: self._codes(0x43, rest, self._memory.stored),
            0x04: self._clear,
            0x07: lambda rest: self._codes(0x47, rest, self._memory.pending),
            0x09: self._vehicle_information,
            0x0A: lambda rest: self._codes(0x4A, rest, self._memory.permanent),
        }
        if can:
            self.table[0x06] = self._monitor_results
            self.table.update(uds_services(model))

    @property
    def _memory(self) -> Memory:
        return self._model.memory

    def _current_data(self, rest: bytes) -> bytes | None:
        """Answer one PID, or on CAN up to six; PIDs not supported are left out."""
        if not rest or len(rest) > (6 if self._can else 1):
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        reply = bytearray([0x41])
        for pid in rest:
            if pid in _LISTS:
                reply += bytes([pid]) + bitmap(pid, PIDS.union(_LISTS))
            elif pid in PIDS:
                reply += bytes([pid]) + encode_pid(pid, self._model.state, self._memory)
        return bytes(reply) if len(reply) > 1 else None

    def _freeze_frame(self, rest: bytes) -> bytes | None:
        """Answer pairs of PID and frame number; there is one frame, number 0."""
        if not rest or len(rest) % 2 or len(rest) > (6 if self._can else 2):
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        m = self._memory
        frozen = {**m.freeze, _FREEZE_CODE: code_bytes(m.freeze_code) if m.freeze_code else b"\0\0"}
        reply = bytearray([0x42])
        for pid, frame in zip(rest[::2], rest[1::2], strict=True):
            if frame != 0:
                continue
            if pid in _LISTS:
                held = frozenset(frozen)
                lists = {first for first in _LISTS if any(pid > first for pid in held)}
                reply += bytes([pid, 0]) + bitmap(pid, held.union(lists))
            elif pid in frozen:
                reply += bytes([pid, 0]) + frozen[pid]
        return bytes(reply) if len(reply) > 1 else None

    def _codes(self, service: int, rest: bytes, codes: list[str]) -> bytes | None:
        """Answer the codes, on CAN with the count byte of ISO 15765-4."""
        if rest:
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        data = b"".join(code_bytes(code) for code in codes)
        return bytes([service, len(codes)]) + data if self._can else bytes([service]) + data

    def _clear(self, rest: bytes) -> bytes:
        if rest:
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        if self._model.options.clear_refused and self._model.state.running:
            raise RefusalError(CONDITIONS_NOT_CORRECT)
        self._model.clear_codes()
        return b"\x44"

    def _monitor_results(self, rest: bytes) -> bytes | None:
        """Answer all tests of one monitor id."""
        if len(rest) != 1:
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        monitor = rest[0]
        if monitor in _LISTS:
            lists = {first for first in _LISTS if any(held > first for held in MONITOR_IDS)}
            return bytes([0x46, monitor]) + bitmap(monitor, MONITOR_IDS | lists) if monitor in lists else None
        results = self._model.diagnosis.results.of(monitor)
        return (
            b"\x46" + b"".join(bytes([monitor]) + result.encode() for result in results) if results else None
        )

    def _vehicle_information(self, rest: bytes) -> bytes | None:
        if len(rest) != 1:
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        if rest[0] == 0x00:
            return bytes([0x49, 0x00]) + bitmap(0, frozenset(_INFORMATION))
        if rest[0] not in _INFORMATION:
            return None
        items = _INFORMATION[rest[0]](self._model)
        return bytes([0x49, rest[0], len(items)]) + b"".join(items)


def _in_use_counts(model: Model) -> list[bytes]:
    """Return the twenty in-use performance counters of a spark-ignition engine (J1979 info type 08)."""
    m = model.memory
    catalyst, oxygen, evaporative = (
        (m.completions[name], m.conditions) for name in ("catalyst", "oxygen_sensor", "evaporative")
    )
    second_bank = egr = air = rear = (0, 0)
    first_half = (m.conditions, m.ignition_cycles, *catalyst, *second_bank, *oxygen, *second_bank)
    numbers = (*first_half, *egr, *air, *evaporative, *rear, *second_bank)
    return [min(number, 0xFFFF).to_bytes(2, "big") for number in numbers]


_INFORMATION: Mapping[int, Callable[[Model], list[bytes]]] = {
    0x02: lambda model: [model.options.vin.encode()],
    0x04: lambda model: [text.encode().ljust(16, b"\0") for text in CALIBRATIONS],
    0x06: lambda model: list(CHECKSUMS),
    0x08: _in_use_counts,
    0x0A: lambda model: [b"ECM\0-EngineControl\0\0"],
}
