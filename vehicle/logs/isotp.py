"""ISO 15765-2 messages put together again from recorded frames; broken sequences are counted, never padded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

LONGEST_WAIT_US = 1_000_000  # N_Cr of ISO 15765-2: a consecutive frame later than this is lost


class Message(NamedTuple):
    """One whole message: the time of its first frame, its sender and its bytes."""

    time_us: int
    sender: str
    data: bytes
    line: int


@dataclass
class _Growing:
    time_us: int
    last_us: int
    length: int
    data: bytearray
    next_index: int
    line: int


class Reassembly:
    """Joins the frames of many senders; `broken` counts messages that were never completed."""

    def __init__(self) -> None:
        self._growing: dict[str, _Growing] = {}
        self.broken = 0
        self.broken_lines: list[int] = []

    def add(self, time_us: int, sender: str, frame: bytes, line: int) -> Message | None:
        """Take one frame and return the message it completes, if any."""
        kind = frame[0] >> 4 if frame else -1
        if kind == 0:
            return self._single(time_us, sender, frame, line)
        if kind == 1:
            self._first(time_us, sender, frame, line)
        elif kind == 2:
            return self._consecutive(time_us, sender, frame, line)
        elif kind != 3:  # 3 is flow control and carries nothing
            self._lose(line)
        return None

    def _single(self, time_us: int, sender: str, frame: bytes, line: int) -> Message | None:
        # CAN FD: a zero in the low half means that the length follows in its own byte.
        begin, length = (2, frame[1]) if frame[0] == 0 and len(frame) > 8 else (1, frame[0] & 0x0F)
        if not 0 < length <= len(frame) - begin:
            self._lose(line)
            return None
        return Message(time_us, sender, frame[begin : begin + length], line)

    def _first(self, time_us: int, sender: str, frame: bytes, line: int) -> None:
        if sender in self._growing:
            self._lose(line)
        length = (frame[0] & 0x0F) << 8 | frame[1] if len(frame) >= 8 else 0
        if length < 7:
            self._lose(line)
            return
        self._growing[sender] = _Growing(time_us, time_us, length, bytearray(frame[2:]), 1, line)

    def _consecutive(self, time_us: int, sender: str, frame: bytes, line: int) -> Message | None:
        growing = self._growing.get(sender)
        in_turn = growing is not None and frame[0] & 0x0F == growing.next_index
        if growing is None or not in_turn or time_us - growing.last_us > LONGEST_WAIT_US:
            self._growing.pop(sender, None)
            self._lose(line)
            return None
        growing.data += frame[1:]
        growing.next_index = (growing.next_index + 1) % 16
        growing.last_us = time_us
        if len(growing.data) < growing.length:
            return None
        del self._growing[sender]
        return Message(growing.time_us, sender, bytes(growing.data[: growing.length]), growing.line)

    def _lose(self, line: int) -> None:
        self.broken += 1
        self.broken_lines = [*self.broken_lines, line][:8]
