"""ISO 15765-2: a payload cut into single, first and consecutive frames."""


def segment(payload: bytes, padding: int | None) -> list[bytes]:
    """Return the CAN data fields of a payload of up to 4,095 bytes, filled to eight with `padding`."""
    if len(payload) <= 7:
        return [_filled(bytes([len(payload)]) + payload, padding)]
    frames = [bytes([0x10 | len(payload) >> 8, len(payload) & 0xFF]) + payload[:6]]
    for number, start in enumerate(range(6, len(payload), 7), start=1):
        frames.append(_filled(bytes([0x20 | number & 0x0F]) + payload[start : start + 7], padding))
    return frames


def _filled(frame: bytes, padding: int | None) -> bytes:
    return frame if padding is None else frame.ljust(8, bytes([padding]))
