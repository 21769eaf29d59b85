"""OBD answers among recorded CAN frames, decoded into readings; every other frame is counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vehicle.logs.channels import Channels
from vehicle.logs.isotp import Message, Reassembly
from vehicle.logs.names import Meaning
from vehicle.signals import SIGNALS, DataLengthError, decode_mode01, load_pids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vehicle.logs.notes import Notes
    from vehicle.runs import Run

ANSWERS_11_BIT = range(0x7E8, 0x7F0)
REQUESTS_11_BIT = frozenset({0x7DF, *range(0x7E0, 0x7E8)})
_ANSWER_29_BIT = 0x18DAF100  # 18DAF1xx: from ECU xx to the tester
_REQUEST_29_BIT = 0x18DA00F1  # 18DAxxF1, and 18DB33F1 to everybody
_ALL_29_BIT = 0x18DB33F1
_KNOWN_PAYLOADS = 100_000
_OBD_ON_UDS = 0xF4  # SAE J1979-2: data identifiers F4xx carry the PIDs xx
# Parameter groups that only a J1939 network sends (SAE J1939-71).
J1939_GROUPS = {
    0xF004: "EEC1 engine speed and torque",
    0xF003: "EEC2 accelerator pedal",
    0xFEEE: "ET1 temperatures",
    0xFEF1: "CCVS vehicle speed",
    0xFEF2: "LFE fuel economy",
    0xFEEF: "engine fluid pressures",
    0xFEDF: "EEC3 friction torque",
    0xFEE5: "engine hours",
    0xFECA: "DM1 trouble codes",
}


class Frame(NamedTuple):
    """One recorded CAN frame; `line` is the line or record number."""

    time_us: int
    can_id: int
    extended: bool
    data: bytes
    line: int


def is_answer(can_id: int, extended: bool) -> bool:
    """Tell whether an identifier is one that OBD answers have (ISO 15765-4)."""
    return can_id & 0x1FFFFF00 == _ANSWER_29_BIT if extended else can_id in ANSWERS_11_BIT


def is_request(can_id: int, extended: bool) -> bool:
    """Tell whether an identifier is one that OBD requests have (ISO 15765-4)."""
    if extended:
        return can_id == _ALL_29_BIT or can_id & 0x1FFF00FF == _REQUEST_29_BIT
    return can_id in REQUESTS_11_BIT


class Answers:
    """Decodes the OBD answers of a recording."""

    def __init__(self, channels: Channels, notes: Notes) -> None:
        self._channels = channels
        self._notes = notes
        self._messages = Reassembly()
        self._known: dict[bytes, dict[str, float]] = {}
        self.answers = 0
        self.requests = 0
        self.others: Counter[tuple[int, bool]] = Counter()

    def decode(self, frames: Iterable[Frame]) -> list[Run]:
        """Return the readings of OBD answer frames given in the order of time."""
        found: dict[tuple[str, str], list[tuple[int, float, int]]] = {}
        for frame in frames:
            sender = f"{frame.can_id:08X}" if frame.extended else f"{frame.can_id:03X}"
            message = self._messages.add(frame.time_us, sender, frame.data, frame.line)
            if message is None:
                continue
            self.answers += 1
            for signal, value in self._values(message).items():
                found.setdefault((signal, sender), []).append((message.time_us, value, message.line))
        runs = [self._run(signal, sender, rows) for (signal, sender), rows in found.items()]
        return [run for run in runs if run is not None]

    def _run(self, signal: str, sender: str, rows: list[tuple[int, float, int]]) -> Run | None:
        channel = self._channels.known((signal, sender)) or self._channels.add(
            (signal, sender),
            Meaning(
                f"{SIGNALS[signal].request} from {sender}",
                SIGNALS[signal].unit,
                signal,
                SIGNALS[signal].unit,
                "matched",
                SIGNALS[signal].description,
                sender,
            ),
        )
        if channel is None:
            return None
        times, values, lines = zip(*rows, strict=True)
        return channel.take(
            np.array(values, dtype=np.float64),
            np.array(times, dtype=np.int64),
            np.array(lines, dtype=np.int64),
        )

    def _values(self, message: Message) -> dict[str, float]:
        known = self._known.get(message.data)
        if known is not None:
            return known
        if len(self._known) >= _KNOWN_PAYLOADS:
            self._known.clear()
        values = self._decoded(message)
        if values is None:
            return {}
        self._known[message.data] = values
        return values

    def _decoded(self, message: Message) -> dict[str, float] | None:
        """Return the values of one message; None, and counted, where it holds none."""
        data, place = message.data, [f"line {message.line}"]
        if data[0] == 0x7F:
            self._notes.count("Requests the car refused", place)
        elif data[0] == 0x41 and len(data) > 1:
            return self._parameters(data[1:], place)
        elif data[0] == 0x62 and len(data) > 3 and data[1] == _OBD_ON_UDS:
            return self._parameter(data[2], data[3:], place)
        else:
            self._notes.count(
                f"Answers of service {data[0] - 0x40 & 0xFF:02X}, which holds no live readings", place
            )
        return None

    def _parameters(self, data: bytes, place: list[str]) -> dict[str, float] | None:
        """Decode one parameter, or several that were asked for in one request."""
        known = load_pids().get(data[0])
        if known is None or len(data) - 1 in known.lengths:
            return self._parameter(data[0], data[1:], place)
        values: dict[str, float] = {}
        while data:
            known = load_pids().get(data[0])
            if known is None or len(known.lengths) != 1 or len(data) <= known.lengths[0]:
                self._notes.count("Answers whose length does not fit their PIDs, dropped", place)
                return None
            values |= self._parameter(data[0], data[1 : 1 + known.lengths[0]], place) or {}
            data = data[1 + known.lengths[0] :]
        return values

    def _parameter(self, pid: int, data: bytes, place: list[str]) -> dict[str, float] | None:
        try:
            values = decode_mode01(pid, data)
        except DataLengthError:
            self._notes.count(f"Answers to PID {pid:02X} of the wrong length, dropped", place)
            return None
        if values or pid % 0x20 == 0:  # 00, 20, 40 … only list which PIDs there are
            return values
        self._notes.count(f"Answers to PID {pid:02X} without a value we can decode", place)
        return None

    def finish(self) -> None:
        """Tell what the frames were that gave no reading."""
        self._notes.count(
            "Messages of several frames that were broken, dropped",
            [f"line {line}" for line in self._messages.broken_lines],
            self._messages.broken,
        )
        if self.requests:
            self._notes.say(f"{self.requests:,} frames are OBD requests.")
        if self.others:
            common = ", ".join(_named(*can_id) for can_id, _ in self.others.most_common(5))
            self._notes.say(
                f"{self.others.total():,} frames of {len(self.others)} other identifiers ({common}"
                f"{' …' if len(self.others) > 5 else ''}) are no OBD traffic and are not decoded."
            )

    def j1939_groups(self) -> list[str]:
        """Return the J1939 parameter groups among the frames, by name."""
        groups = Counter[int]()
        for (can_id, extended), number in self.others.items():
            if extended:
                groups[can_id >> 8 & 0x3FFFF] += number
        return [
            f"{J1939_GROUPS[group]} (PGN {group})"
            for group, _ in groups.most_common()
            if group in J1939_GROUPS
        ]


def _named(can_id: int, extended: bool) -> str:
    return f"{can_id:08X}" if extended else f"{can_id:03X}"
