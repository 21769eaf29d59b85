"""KONNWEI KW330: the printed data stream as text, and captures of it gathered into a JSON document."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from vehicle.logs.channel import MISSING
from vehicle.logs.channels import Channels
from vehicle.logs.errors import BrokenLogError, LogTooLargeError
from vehicle.logs.names import unit_of
from vehicle.logs.reader import LogReader
from vehicle.logs.text import blocks, clean
from vehicle.logs.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vehicle.logs.text import Head
    from vehicle.runs import Run

LARGEST_DOCUMENT = 64 << 20
_NOT_SIGNALS = frozenset({"frame", "t_sec", "t_sec_estimated", "phase"})
_TITLE = re.compile(r"Datastream\*{5,}")
# A name whose words stand one blank apart, at least two blanks, then the value with its unit right behind it.
_READING = re.compile(r"^ {2}(?P<name>\S+(?: \S+)*) {2,}(?P<value>[-+]?\d+(?:\.\d+)?) ?(?P<unit>\S*)$")
_NAMED = re.compile(r"^ {2}(?P<name>\S+(?: \S+)*)(?: {2,}(?P<rest>.*))?$")


class Kw330TextReader(LogReader):
    """Reads the text that the device prints: pages of names and values without any time."""

    format = "kw330"
    title = "KW330 data stream"

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._channels = Channels(self.format, self._notes, self.columns)
        self._pages = 0

    @classmethod
    def score(cls, head: Head) -> float:
        """Return 0.9 where a page of the data stream begins."""
        return 0.9 if any(_TITLE.match(line) for line in head.lines[:50]) else 0.0

    def _runs(self) -> Iterator[list[Run]]:
        self.timing = "order"
        self._notes.say(
            "The device prints no time: times only number the lines (1 µs apart) and mean no duration."
        )
        for block in blocks(self._head):
            self.position_bytes = block.position
            lines = block.data.decode("utf-8", "replace").split("\n")[:-1]
            found = [self._run(number, line) for number, line in enumerate(lines, start=block.first_line)]
            yield [run for run in found if run is not None]

    def _run(self, number: int, line: str) -> Run | None:
        if _TITLE.match(line) or not self._pages:
            self._pages += bool(_TITLE.match(line))
            return None
        reading = _READING.match(line.rstrip())
        unit = reading["unit"] if reading else ""
        if reading is None or (unit and unit_of(unit) is None):
            self._tell(number, line.rstrip())
            return None
        channel = self._channels.get(reading["name"], unit or None)
        self.rows += 1
        at = np.array([number], dtype=np.int64)
        return channel.take(np.array([float(reading["value"])]), at - 1, at) if channel else None

    def _tell(self, number: int, line: str) -> None:
        named = _NAMED.match(line)
        rest = (named["rest"] or "").strip() if named else ""
        if named is None or line.lstrip().startswith(("VIN:", "Protocol", "Language")):
            return  # the head of a page
        place = [f"line {number}: {clean(line, 60)!r}"]
        if not rest or rest.casefold() in MISSING:
            self._notes.count("Names without a value", place)
        elif any(letter.isdigit() for letter in rest):
            self._notes.count("Lines where a value has run into another name or value, dropped", place)
        else:
            self._notes.count("Values that are text, not numbers, dropped", place)

    def _finish(self) -> None:
        self._channels.finish(self.rows)


class Kw330JsonReader(LogReader):
    """Reads a JSON document with `parameters` and timed `samples`, gathered from the data stream."""

    format = "kw330"
    title = "KW330 capture in JSON"

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._channels = Channels(self.format, self._notes, self.columns)
        self._timeline = Timeline(self._notes)

    @classmethod
    def score(cls, head: Head) -> float:
        """Return 0.9 where a JSON document names a capture, its parameters and a KW330."""
        text = "\n".join(head.lines)
        return 0.9 if text.lstrip().startswith("{") and '"parameters"' in text and "KW330" in text else 0.0

    def _runs(self) -> Iterator[list[Run]]:
        document = self._document()
        samples = [sample for sample in document.get("samples", []) if isinstance(sample, dict)]
        timed = [sample for sample in samples if math.isfinite(_number(sample.get("t_sec")))]
        self.rows = len(timed)
        self.position_bytes = self.size_bytes
        self._notes.count("Samples without a time, dropped", number=len(samples) - len(timed))
        self._tell_times(timed)
        if not timed:
            return
        clock_us = np.array([round(_number(sample["t_sec"]) * 1e6) for sample in timed], dtype=np.int64)
        numbers = np.arange(1, len(timed) + 1, dtype=np.int64)
        times = self._timeline.place(clock_us, numbers)
        runs = []
        for name, parameter in document["parameters"].items():
            cells = [sample.get(name) for sample in timed]
            run = self._taken(name, parameter, cells, times, numbers)
            runs += [run] if run is not None else []
        yield runs

    def _document(self) -> dict[str, Any]:
        if self.size_bytes > LARGEST_DOCUMENT:
            raise LogTooLargeError(
                f"{self.path.name} is one JSON document of {self.size_bytes >> 20} MB; at most "
                f"{LARGEST_DOCUMENT >> 20} MB can be read in one piece.",
                "Split the capture.",
            )
        try:
            document = json.loads(self.path.read_bytes().decode(self._head.encoding, "replace"))
        except (ValueError, RecursionError) as problem:
            raise BrokenLogError(
                f"{self.path.name} is no whole JSON document: {clean(str(problem), 120)}.",
                "It may be cut short; save the capture again.",
            ) from problem
        if not isinstance(document, dict) or not isinstance(document.get("parameters"), dict):
            raise BrokenLogError(
                f"{self.path.name} names no parameters.", "A capture has parameters and samples."
            )
        return document

    def _tell_times(self, samples: list[dict[str, Any]]) -> None:
        estimated = [str(sample.get("frame")) for sample in samples if sample.get("t_sec_estimated")]
        if estimated:
            self.timing = "interpolated"
            self._notes.count(
                "Samples whose time the capture itself marks as interpolated",
                [f"frame {clean(frame, 12)}" for frame in estimated[:5]],
                len(estimated),
            )
        self._notes.say(
            "Times are seconds since the engine started, as the device showed them; parameters of one "
            "sample were on different pages, up to some 10 s apart."
        )

    def _taken(
        self,
        name: str,
        parameter: Any,
        cells: list[Any],
        times: np.ndarray[Any, np.dtype[np.int64]],
        numbers: np.ndarray[Any, np.dtype[np.int64]],
    ) -> Run | None:
        label = parameter.get("name") if isinstance(parameter, dict) else None
        unit = parameter.get("unit") if isinstance(parameter, dict) else None
        there = np.array([cell is not None for cell in cells])
        if not there.any():
            return None
        channel = self._channels.get(str(label or name), str(unit) if unit else None)
        column = np.array(
            [cell if isinstance(cell, str) else repr(_number(cell)) for cell in cells], dtype=object
        )
        return channel.take(column[there], times[there], numbers[there]) if channel else None

    def _finish(self) -> None:
        self.duration_s = self._timeline.end_us / 1e6
        self._channels.finish(self.rows)
        self._timeline.finish()


def _number(value: object) -> float:
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        return math.nan
