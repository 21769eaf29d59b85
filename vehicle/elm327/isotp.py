"""Putting frames together into messages: ISO-TP on CAN, numbered messages elsewhere; nothing that is cut short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vehicle.elm327.frames import Frame
from vehicle.elm327.outcomes import Rejected

# Service 09 outside CAN numbers its messages in the third byte, 4 data bytes each (SAE J1979).
_NUMBERED = 0x49
_CODES = (0x43, 0x47, 0x4A)


@dataclass(slots=True)
class Messages:
    """Complete messages as (ecu, data) in order of completion, and what was not believed."""

    whole: list[tuple[str, bytes]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


@dataclass(slots=True)
class _Growing:
    length: int
    data: bytearray
    next_number: int = 1


def assemble_can(frames: Iterable[Frame]) -> Messages:
    """Put ISO-TP frames together per ECU, checking control bytes, order and lengths (ISO 15765-2)."""
    done = Messages()
    growing: dict[str, _Growing] = {}
    for frame in frames:
        kind = frame.data[0] >> 4 if frame.data else -1
        if kind == 0:
            _single(frame, done)
        elif kind == 1:
            _first(frame, growing, done)
        elif kind == 2:
            _consecutive(frame, growing, done)
        elif kind != 3:  # flow control of another tester is no answer and no damage
            done.rejected.append(Rejected("no ISO-TP frame", _text(frame)))
    for ecu, part in growing.items():
        reason = f"cut short: {len(part.data)} of {part.length} bytes"
        done.rejected.append(Rejected(reason, f"{ecu} {part.data.hex().upper()}"))
    return done


def _text(frame: Frame) -> str:
    return f"{frame.ecu} {frame.data.hex().upper()}"


def _single(frame: Frame, done: Messages) -> None:
    length = frame.data[0] & 0x0F
    if not 1 <= length <= 7 or length > len(frame.data) - 1:
        done.rejected.append(Rejected(f"single frame says {length} bytes", _text(frame)))
        return
    done.whole.append((frame.ecu, frame.data[1 : 1 + length]))


def _first(frame: Frame, growing: dict[str, _Growing], done: Messages) -> None:
    length = (frame.data[0] & 0x0F) << 8 | frame.data[1] if len(frame.data) > 1 else 0
    if len(frame.data) != 8 or length < 8:
        done.rejected.append(Rejected("damaged first frame", _text(frame)))
        return
    if frame.ecu in growing:
        done.rejected.append(Rejected("a new message began before the last was whole", _text(frame)))
    growing[frame.ecu] = _Growing(length, bytearray(frame.data[2:]))


def _consecutive(frame: Frame, growing: dict[str, _Growing], done: Messages) -> None:
    part = growing.get(frame.ecu)
    if part is None:
        done.rejected.append(Rejected("a continuation without a beginning", _text(frame)))
        return
    missing = part.length - len(part.data)
    if frame.data[0] & 0x0F != part.next_number or len(frame.data) - 1 < min(missing, 7):
        done.rejected.append(Rejected(f"expected frame {part.next_number:X} of a message", _text(frame)))
        del growing[frame.ecu]
        return
    part.data += frame.data[1:]
    part.next_number = (part.next_number + 1) & 0x0F
    if len(part.data) >= part.length:
        done.whole.append((frame.ecu, bytes(part.data[: part.length])))
        del growing[frame.ecu]


def assemble_legacy(frames: Sequence[Frame]) -> Messages:
    """Put messages of J1850, ISO 9141 and KWP together: numbered ones of service 09, code lists, single ones."""
    done = Messages()
    numbered: dict[tuple[str, int], list[Frame]] = {}
    lists: dict[tuple[str, int], bytearray] = {}
    for frame in frames:
        service = frame.data[0] if frame.data else 0
        if service == _NUMBERED and len(frame.data) == 7 and frame.data[1] % 2 == 0 and frame.data[1]:
            numbered.setdefault((frame.ecu, frame.data[1]), []).append(frame)
        elif service in _CODES and len(frame.data) % 2:
            lists.setdefault((frame.ecu, service), bytearray()).extend(frame.data[1:])
        elif frame.data:
            done.whole.append((frame.ecu, frame.data))
    for (ecu, service), codes in lists.items():
        done.whole.append((ecu, bytes([service]) + bytes(codes)))
    for (ecu, info_type), parts in numbered.items():
        _number(ecu, info_type, parts, done)
    return done


def _number(ecu: str, info_type: int, parts: list[Frame], done: Messages) -> None:
    if [part.data[2] for part in parts] != list(range(1, len(parts) + 1)):
        found = ", ".join(str(part.data[2]) for part in parts)
        done.rejected.append(Rejected(f"messages numbered {found}", f"{ecu} 49 {info_type:02X}"))
        return
    joined = b"".join(part.data[3:] for part in parts)
    done.whole.append((ecu, bytes([_NUMBERED, info_type]) + joined))
