"""How an ELM327 prints what it received: one line per frame, by protocol and by its display settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from vehicle.simulator.ecus.ecu import Ecu
from vehicle.simulator.elm.isotp import segment

TESTER = 0xF1


@dataclass(frozen=True, slots=True)
class Display:
    """The adapter settings that shape a line."""

    headers: bool = False
    spaces: bool = True
    formatting: bool = True  # CAF1
    length: bool = False  # ATD1, prints the DLC
    padding: int | None = None


def identifier(ecu: Ecu, bits: int) -> str:
    """Return the header of a unit's CAN frames as hex digits."""
    return f"{ecu.can_id:03X}" if bits == 11 else bytes([0x18, 0xDA, TESTER, ecu.address]).hex().upper()


def can_lines(ecu: Ecu, payload: bytes, bits: int, display: Display) -> list[str]:
    """Return the lines of a CAN reply; headers on shows the frame as it was on the bus, padding included."""
    frames = segment(payload, display.padding)
    if display.headers or not display.formatting:
        return [_can_frame_line(ecu, frame, bits, display) for frame in frames]
    if len(frames) == 1:
        return [_hex(payload, display.spaces)]
    lines = [f"{len(payload):03X}" + (" " if display.spaces else "")]
    for number, frame in enumerate(frames):
        data = frame[2:] if number == 0 else frame[1:]
        lines.append(f"{number & 0xF:X}:" + (" " if display.spaces else "") + _hex(data, display.spaces))
    return lines


def _can_frame_line(ecu: Ecu, frame: bytes, bits: int, display: Display) -> str:
    text = _hex(frame, display.spaces)
    if not display.headers:
        return text
    header = identifier(ecu, bits)
    if display.spaces:
        header = header + " " if bits == 11 else _hex(bytes.fromhex(header), True)
    if display.length:
        header += f"{len(frame):X}" + (" " if display.spaces else "")
    return header + text


def legacy_lines(ecu: Ecu, payload: bytes, protocol: str, display: Display) -> list[str]:
    """Return the lines of a J1850 (1, 2), ISO 9141-2 (3) or ISO 14230-4 (4, 5) reply."""
    lines = []
    for message in split_legacy(payload):
        if protocol in "45":
            whole = bytes([0x80 | len(message), TESTER, ecu.address]) + message
        else:
            whole = bytes([0x41 if protocol == "1" else 0x48, 0x6B, ecu.address]) + message
        whole += bytes([sum(whole) & 0xFF if protocol in "345" else crc8(whole)])
        lines.append(_hex(whole if display.headers else message, display.spaces))
    return lines


def split_legacy(payload: bytes) -> list[bytes]:
    """Cut a payload into messages of at most seven data bytes, as SAE J1979 does outside CAN."""
    service = payload[0]
    if service in (0x43, 0x47, 0x4A):
        codes = payload[1:] or bytes(6)
        chunks = [codes[start : start + 6].ljust(6, b"\0") for start in range(0, len(codes), 6)]
        return [bytes([service]) + chunk for chunk in chunks]
    if service == 0x49 and payload[1] != 0x00:
        data = payload[3:].rjust(-(-len(payload[3:]) // 4) * 4, b"\0")
        chunks = [data[start : start + 4] for start in range(0, len(data), 4)]
        return [bytes([0x49, payload[1], number]) + chunk for number, chunk in enumerate(chunks, start=1)]
    return [payload]


def crc8(data: Sequence[int]) -> int:
    """Return the CRC of SAE J1850: polynomial 0x1D, start and final exclusive-or 0xFF."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ 0x1D if crc & 0x80 else crc << 1
            crc &= 0xFF
    return crc ^ 0xFF


def _hex(data: bytes, spaces: bool) -> str:
    return "".join(f"{byte:02X} " for byte in data) if spaces else data.hex().upper()
