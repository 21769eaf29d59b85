"""OpenXC traces: one JSON message per line, with or without a time."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vehicle.logs.channels import Channels
from vehicle.logs.clock import number_form
from vehicle.logs.names import meaning_of
from vehicle.logs.preview import ColumnMatch
from vehicle.logs.reader import LogReader
from vehicle.logs.text import Block, blocks, clean
from vehicle.logs.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vehicle.logs.channel import Channel
    from vehicle.logs.text import Head
    from vehicle.runs import Run

_LOOKED_AT = 20  # lines
_FARTHEST_S = 9e9  # 285 years: beyond it a number is no time


class _Message(NamedTuple):
    line: int
    name: str
    value: float
    time_s: float  # not finite where the message has none


class OpenXcReader(LogReader):
    """Reads newline-separated JSON messages with `name`, `value` and perhaps `timestamp`."""

    format = "openxc"
    title = "OpenXC JSON trace"

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._channels = Channels(self.format, self._notes, self.columns, tells_repeats=True)
        self._timeline = Timeline(self._notes, tells_repeats=False)
        self._texts: dict[str, str] = {}
        self._switches: set[str] = set()
        self._timed = any("timestamp" in message for message in _messages_of(head))

    @classmethod
    def score(cls, head: Head) -> float:
        """Return the share of the first lines that are OpenXC messages."""
        lines = [line for line in head.lines[:_LOOKED_AT] if line.strip()]
        return 0.95 * len(_messages_of(head)) / len(lines) if lines else 0.0

    def _runs(self) -> Iterator[list[Run]]:
        if not self._timed:
            self.timing = "order"
            self._notes.say(
                "The messages carry no time: times only number the messages (1 µs apart) and mean "
                "no duration."
            )
        for block in blocks(self._head):
            self._notes.count_lines("Lines too long, dropped", block.too_long)
            self.position_bytes = block.position
            yield self._of_messages(list(self._messages(block)))

    def _messages(self, block: Block) -> Iterator[_Message]:
        lines = block.data.split(b"\n")[:-1]
        for number, line in enumerate(lines, start=block.first_line):
            message = parsed(line)
            if message is not None:
                value = self._value(str(message["name"]), message["value"], number)
                when = message.get("timestamp") if self._timed else self.rows / 1e6
                self.rows += 1
                if value is not None:
                    yield _Message(number, str(message["name"]), value, _number(when))
            elif line.strip() and block.last and number == block.first_line + len(lines) - 1:
                self._notes.say(f"The last line, {number}, is cut off or damaged and was dropped.")
            elif line.strip():
                self._notes.count_lines("Lines that are no OpenXC message, dropped", [number])

    def _value(self, name: str, value: Any, number: int) -> float | None:
        if isinstance(value, bool):
            self._switches.add(name)
        if isinstance(value, int | float):
            return _number(value)
        self._texts.setdefault(name, clean(str(value), 20))
        self._notes.count(
            f"Messages of {clean(name, 60)!r} that hold no number, dropped",
            [f"line {number}: {clean(str(value), 20)!r}"],
        )
        return None

    def _of_messages(self, messages: list[_Message]) -> list[Run]:
        times_s = np.array([message.time_s for message in messages])
        ok = np.isfinite(times_s) & (np.abs(times_s) < _FARTHEST_S)
        lost = [message.line for message, good in zip(messages, ok, strict=True) if not good]
        self._notes.count_lines("Messages without a time among others with one, dropped", lost)
        kept = [message for message, good in zip(messages, ok, strict=True) if good]
        if not kept:
            return []
        clock_us = np.rint(times_s[ok] * 1e6).astype(np.int64)
        if self._timeline.start_us is None and self._timed:
            self._start(float(times_s[ok][0]), int(clock_us[0]))
        lines = np.array([message.line for message in kept], dtype=np.int64)
        return self._by_name(kept, self._timeline.place(clock_us, lines), lines)

    def _start(self, first_s: float, clock_us: int) -> None:
        form = number_form([repr(first_s)], "s")
        if form is not None:
            self._set_start(form, clock_us)

    def _by_name(
        self, messages: list[_Message], times_us: NDArray[np.int64], lines: NDArray[np.int64]
    ) -> list[Run]:
        rows: dict[str, list[int]] = {}
        for row, message in enumerate(messages):
            rows.setdefault(message.name, []).append(row)
        values = np.array([message.value for message in messages])
        runs = []
        for name, chosen in rows.items():
            channel = self._channel(name)
            run = channel.take(values[chosen], times_us[chosen], lines[chosen]) if channel else None
            if run is not None:
                runs.append(run)
        return runs

    def _channel(self, name: str) -> Channel | None:
        known = self._channels.known(name)
        if known is None and name in self._switches:
            meaning = replace(
                meaning_of(name, self.format), unit="code", reason="true and false are kept as 1 and 0"
            )
            return self._channels.add(name, meaning)
        return known or self._channels.add(name, meaning_of(name, self.format))

    def _finish(self) -> None:
        self.duration_s = self._timeline.end_us / 1e6 if self.timing != "order" else None
        for name, example in self._texts.items():
            if self._channels.known(name) is None:
                self.columns.append(
                    ColumnMatch(
                        source=clean(name),
                        unit_found=None,
                        signal=None,
                        unit=None,
                        how="ignored",
                        reason=f"not numbers (such as {example!r})",
                    )
                )
        self._channels.finish(self.rows)
        self._timeline.finish()


def parsed(line: str | bytes) -> dict[str, Any] | None:
    """Return a line's message, or None where it is no OpenXC message."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):  # of damaged text, of brackets nested without end
        return None
    named = isinstance(message, dict) and isinstance(message.get("name"), str) and "value" in message
    return message if named else None


def _messages_of(head: Head) -> list[dict[str, Any]]:
    lines = [line for line in head.lines[:_LOOKED_AT] if line.strip()]
    return [message for line in lines if (message := parsed(line)) is not None]


def _number(value: object) -> float:
    try:
        return float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:  # a whole number with hundreds of digits
        return math.nan
