"""The few UDS services (ISO 14229) the engine control unit knows: session, VIN by identifier, codes with status."""

from collections.abc import Mapping

from vehicle.simulator.ecus.ecu import OUT_OF_RANGE, SUBFUNCTION_NOT_SUPPORTED, RefusalError, Service
from vehicle.simulator.ecus.memory import code_bytes
from vehicle.simulator.model import Model

_VIN = 0xF190
_TEST_FAILED, _PENDING, _CONFIRMED, _WARNING = 0x01, 0x04, 0x08, 0x80
_AVAILABLE = _TEST_FAILED | _PENDING | _CONFIRMED | _WARNING


def uds_services(model: Model) -> Mapping[int, Service]:
    """Return the UDS services over a model."""

    def session(rest: bytes) -> bytes:
        if rest not in (b"\x01", b"\x03"):
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        return b"\x50" + rest + bytes.fromhex("003201F4")

    def tester_present(rest: bytes) -> bytes | None:
        return None if rest == b"\x80" else b"\x7e\x00"

    def read_by_identifier(rest: bytes) -> bytes:
        if int.from_bytes(rest, "big") != _VIN or len(rest) != 2:
            raise RefusalError(OUT_OF_RANGE)
        return b"\x62" + rest + model.options.vin.encode()

    def read_codes(rest: bytes) -> bytes:
        if len(rest) != 2 or rest[0] != 0x02:
            raise RefusalError(SUBFUNCTION_NOT_SUPPORTED)
        listed = [
            code_bytes(code) + b"\0" + bytes([status])
            for code, status in _statuses(model).items()
            if status & rest[1]
        ]
        return bytes([0x59, 0x02, _AVAILABLE]) + b"".join(listed)

    def clear(rest: bytes) -> bytes:
        if rest != b"\xff\xff\xff":
            raise RefusalError(OUT_OF_RANGE)
        model.clear_codes()
        return b"\x54"

    return {0x10: session, 0x14: clear, 0x19: read_codes, 0x22: read_by_identifier, 0x3E: tester_present}


def _statuses(model: Model) -> dict[str, int]:
    m = model.memory
    statuses: dict[str, int] = {}
    for code in (*m.stored, *m.pending):
        status = statuses.get(code, 0)
        status |= (_CONFIRMED | _WARNING) if code in m.stored else 0
        status |= (_TEST_FAILED | _PENDING) if code in m.pending else 0
        statuses[code] = status
    return statuses
