"""candump text, as a log file or as printed on a console: one CAN frame per line."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vehicle.logs.answers import Answers, Frame, is_answer, is_request
from vehicle.logs.channels import Channels
from vehicle.logs.clock import TimeForm, number_form
from vehicle.logs.errors import NoUsableSignalError
from vehicle.logs.notes import PLACES
from vehicle.logs.reader import LogReader
from vehicle.logs.text import Block, blocks
from vehicle.logs.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vehicle.logs.text import Head
    from vehicle.runs import Run

_EPOCH = datetime(1970, 1, 1)
_LOOKED_AT = 20  # lines
_ID = rb"([0-9A-Fa-f]{8}|[0-9A-Fa-f]{3})"
_TIME = rb"(\d{1,12}\.\d{1,9}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,9})"
# candump -l:  (1627274454.050450) can0 7E8#03410B4C00000000      a second # and a digit mark CAN FD
_FILE = re.compile(
    rb"^\(" + _TIME + rb"\) +\S{1,32} +" + _ID + rb"#(?:#[0-9A-Fa-f])?([0-9A-Fa-f]*)(?: [RT])?\r?$",
    re.MULTILINE,
)
# candump on a console:   (000.000000)  can0  RX - -  7E8   [8]  03 41 0B 4C 00 00 00 00
_CONSOLE = re.compile(
    rb"^ {0,8}(?:\("
    + _TIME
    + rb"\) {1,8})?[^ ]{1,32} {1,8}(?:[RT]X {1,8}(?:[-BE] {1,8}){0,2})?"
    + _ID
    + rb" {1,8}\[\d{1,2}\] {0,8}((?:[0-9A-Fa-f]{2} ?)*)",
    re.MULTILINE,
)
_REMOTE = re.compile(rb"#R\d?|remote request|ERRORFRAME")


class _Line(NamedTuple):
    number: int
    time: bytes
    can_id: bytes
    data: bytes


class CandumpReader(LogReader):
    """Reads CAN frames as candump writes them and decodes the OBD answers among them."""

    format = "candump"
    title = "candump text"

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._channels = Channels(self.format, self._notes, self.columns, tells_repeats=True)
        self._answers = Answers(self._channels, self._notes)
        self._timeline = Timeline(self._notes, tells_repeats=False)
        self._form: TimeForm | None = None

    @classmethod
    def score(cls, head: Head) -> float:
        """Return the share of the first lines that are CAN frames."""
        lines = [line.encode() for line in head.lines[:_LOOKED_AT] if line.strip()]
        found = sum(bool(_FILE.search(line) or _CONSOLE.search(line)) for line in lines)
        return 0.95 * found / len(lines) if lines else 0.0

    def _runs(self) -> Iterator[list[Run]]:
        for block in blocks(self._head):
            self._notes.count_lines("Lines too long, dropped", block.too_long)
            self.position_bytes = block.position
            lines = self._lines(block)
            self.rows += len(lines)
            if lines:
                yield self._decoded(lines)

    def _lines(self, block: Block) -> list[_Line]:
        found = _FILE.findall(block.data)
        if len(found) == block.data.count(b"\n"):
            return [_Line(number, *parts) for number, parts in enumerate(found, start=block.first_line)]
        return [
            line
            for number, text in enumerate(block.data.split(b"\n")[:-1], start=block.first_line)
            if (line := self._line(number, text)) is not None
        ]

    def _line(self, number: int, text: bytes) -> _Line | None:
        match = _FILE.search(text) or _CONSOLE.search(text)
        if match is not None and len(match[3].replace(b" ", b"")) % 2 == 0:
            return _Line(number, match[1] or b"", match[2], match[3].replace(b" ", b""))
        if _REMOTE.search(text):
            self._notes.count_lines("Remote and error frames, which carry no data", [number])
        elif text.strip():
            self._notes.count_lines("Lines that are no CAN frame, dropped", [number])
        return None

    def _decoded(self, lines: list[_Line]) -> list[Run]:
        if self._form is None:
            self._begin(lines[0])
        kinds = {text: _identifier(text) for text in {line.can_id for line in lines}}
        for text, number in Counter(line.can_id for line in lines).items():
            if is_request(*kinds[text]):
                self._answers.requests += number
            elif not is_answer(*kinds[text]):
                self._answers.others[kinds[text]] += number
        return self._answers.decode(self._frames([line for line in lines if is_answer(*kinds[line.can_id])]))

    def _frames(self, lines: list[_Line]) -> list[Frame]:
        even = [line for line in lines if len(line.data) % 2 == 0 and (line.time or self.timing == "order")]
        self._notes.count_lines(
            "OBD frames without a time or with half a byte, dropped",
            [line.number for line in lines if line not in even][:PLACES] if len(even) < len(lines) else [],
        )
        clock_us = np.array([self._time_us(line) for line in even], dtype=np.int64)
        times = self._timeline.place(clock_us, np.array([line.number for line in even], dtype=np.int64))
        return [
            Frame(int(time), *_identifier(line.can_id), bytes.fromhex(line.data.decode()), line.number)
            for time, line in zip(times, even, strict=True)
        ]

    def _begin(self, line: _Line) -> None:
        if not line.time:
            self.timing = "order"
            self._form = TimeForm("rows", "none")
            self._notes.say(
                "The frames carry no time: times only number the lines (1 µs apart) and mean no duration."
            )
        elif b"-" in line.time:
            self._form = TimeForm("iso", "local")
        else:
            self._form = number_form([line.time.decode()], "s") or TimeForm("number", "none")
        # The log begins with its first frame, whatever that is.
        self._timeline.start_us = self._time_us(line)
        self._set_start(self._form, self._timeline.start_us)

    def _time_us(self, line: _Line) -> int:
        if self.timing == "order":
            return line.number
        if b"-" in line.time:
            return _printed_us(line.time.decode())
        seconds, _, fraction = line.time.partition(b".")
        return int(seconds) * 1_000_000 + int(fraction.ljust(6, b"0")[:6])

    def _finish(self) -> None:
        self.duration_s = None if self.timing == "order" else self._timeline.end_us / 1e6
        self._answers.finish()
        self._channels.finish(self.rows)
        self._timeline.finish()

    def _nothing(self) -> NoUsableSignalError:
        return no_answers(self, self._answers)


def no_answers(reader: LogReader, answers: Answers) -> NoUsableSignalError:
    """Return the error for CAN frames without a single OBD answer, saying what they are."""
    groups = answers.j1939_groups()
    frames = answers.others.total() + answers.requests
    if groups:
        return NoUsableSignalError(
            f"{reader.path.name} is a recording of a J1939 network (truck, bus, tractor): {frames:,} frames, "
            f"among them {', '.join(groups[:4])}. It holds no OBD answers (7E8 to 7EF, or 18DAF1xx), and J1939 "
            "parameter groups are not decoded here.",
            "Decode it with a J1939 DBC first and import the physical signals, or record OBD requests and answers.",
        )
    return NoUsableSignalError(
        f"{reader.path.name} was read as {reader.title}: {frames:,} CAN frames, but no OBD answer (identifiers "
        "7E8 to 7EF, or 18DAF1xx) that holds a reading.",
        "Record while an OBD tool polls the car, or decode the frames with the car's DBC first.",
    )


def _identifier(text: bytes) -> tuple[int, bool]:
    return int(text, 16), len(text) == 8


def _printed_us(text: str) -> int:
    date, _, fraction = text.partition(".")
    try:
        whole = datetime.fromisoformat(date) - _EPOCH
    except ValueError:
        return 0
    return round(whole.total_seconds()) * 1_000_000 + int(fraction.ljust(6, "0")[:6])
