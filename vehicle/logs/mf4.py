"""ASAM MDF 4 files: CAN frames of a bus logger, whose OBD answers are decoded, or signals already decoded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vehicle.logs.answers import Answers, Frame, is_answer, is_request
from vehicle.logs.candump import no_answers
from vehicle.logs.channels import Channels
from vehicle.logs.errors import BrokenLogError, MissingReaderError, NoUsableSignalError
from vehicle.logs.mdf_blocks import MAGIC, damage
from vehicle.logs.reader import LogReader
from vehicle.logs.text import clean
from vehicle.logs.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vehicle.logs.text import Head
    from vehicle.runs import Run

_FRAMES = "CAN_DataFrame"
_RECORDS = 50_000  # read at once


class _Group(NamedTuple):
    number: int
    records: int
    channels: list[tuple[int, str]]  # number and name, without the clock
    frames: bool


class Mf4Reader(LogReader):
    """Reads MDF 4 by asammdf, which is an optional extra."""

    format = "mf4"
    title = "ASAM MDF 4"

    def __init__(self, head: Head) -> None:
        super().__init__(head)
        self._channels = Channels(self.format, self._notes, self.columns, tells_repeats=True)
        self._answers = Answers(self._channels, self._notes)
        self._timeline = Timeline(self._notes, tells_repeats=False)
        self._bytes_read = 0

    @classmethod
    def score(cls, head: Head) -> float:
        """Return 1 where the file begins with the mark of MDF."""
        return 1.0 if head.raw.startswith(MAGIC) else 0.0

    def _runs(self) -> Iterator[list[Run]]:
        mdf = self._opened()
        try:
            groups = _groups(mdf)
            self._begin(mdf, groups)
            records = sum(group.records for group in groups)
            for group in groups:
                for offset in range(0, group.records, _RECORDS):
                    yield (
                        self._of_frames(mdf, group, offset)
                        if group.frames
                        else self._of_signals(mdf, group, offset)
                    )
                    self.rows += min(_RECORDS, group.records - offset)
                    self.position_bytes = self.size_bytes * self.rows // records
        finally:
            mdf.close()

    def _opened(self) -> Any:
        with self.path.open("rb") as file:
            wrong = damage(file)
        if wrong is not None:
            raise BrokenLogError(
                f"{self.path.name} is no whole MDF file: {wrong}.",
                "It was cut short; copy it again from the logger.",
            )
        if self._head.raw.startswith(MAGIC[1]):
            self._notes.say("The logger never finished this file; it is read up to its last whole record.")
        try:
            from asammdf import MDF
        except ImportError as missing:
            raise MissingReaderError(
                f"{self.path.name} is an MDF file, and asammdf, which reads it, is not installed.",
                "Install the extra with: pip install 'obd-agent[mdf]'.",
            ) from missing
        try:
            return MDF(self.path)
        except Exception as problem:  # a foreign parser on a foreign file: it raises whatever it meets
            raise self._broken(problem) from problem

    def _broken(self, problem: Exception) -> BrokenLogError:
        return BrokenLogError(
            f"{self.path.name} cannot be read as MDF: {clean(str(problem), 160)}.",
            "It is damaged or of a kind asammdf does not know; copy it again from the logger.",
        )

    def _begin(self, mdf: Any, groups: list[_Group]) -> None:
        firsts = [float(self._got(mdf, group, group.channels[0], 0, 1).timestamps[0]) for group in groups]
        if not firsts:
            return
        start, first_us = mdf.header.start_time, round(min(firsts) * 1e6)
        self._timeline.start_us = first_us
        self._set_first(start, first_us)

    def _set_first(self, start: datetime, first_us: int) -> None:
        begun = start + timedelta(microseconds=first_us)
        if begun.year <= 1970:
            self._notes.say("The logger's clock was not set; the file has no date.")
        elif begun.tzinfo is None:
            self.clock, self.local_start = "local", begun
            self._notes.say("The file counts local time and does not name its zone.")
        else:
            self.clock, self.started_at = "utc", begun.astimezone(UTC)

    def _got(self, mdf: Any, group: _Group, channel: tuple[int, str], offset: int, records: int) -> Any:
        try:
            return mdf.get(
                channel[1], group=group.number, index=channel[0], record_offset=offset, record_count=records
            )
        except Exception as problem:  # as above: damage inside a block shows only when it is unpacked
            raise self._broken(problem) from problem

    def _of_frames(self, mdf: Any, group: _Group, offset: int) -> list[Run]:
        got = self._got(mdf, group, group.channels[0], offset, _RECORDS)
        samples = got.samples
        if not {f"{_FRAMES}.{part}" for part in ("ID", "DataLength", "DataBytes")} <= set(
            samples.dtype.names or ()
        ):
            raise BrokenLogError(
                f"{self.path.name} has CAN frames without identifier, length or data.",
                "It is damaged; copy it again from the logger.",
            )
        ids = samples[f"{_FRAMES}.ID"].astype(np.int64) & 0x1FFFFFFF
        extended = (
            (samples[f"{_FRAMES}.IDE"] != 0) if f"{_FRAMES}.IDE" in samples.dtype.names else ids > 0x7FF
        )
        chosen = self._sorted_out(ids, extended)
        lengths, data = samples[f"{_FRAMES}.DataLength"], samples[f"{_FRAMES}.DataBytes"]
        times = self._timeline.place(
            np.rint(got.timestamps[chosen] * 1e6).astype(np.int64), chosen + offset + 1
        )
        return self._answers.decode(
            Frame(
                int(time),
                int(ids[row]),
                bool(extended[row]),
                data[row, : lengths[row]].tobytes(),
                offset + int(row) + 1,
            )
            for time, row in zip(times, chosen, strict=True)
        )

    def _sorted_out(self, ids: NDArray[np.int64], extended: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Count requests and other frames, and return where the OBD answers are."""
        pairs, inverse, counts = np.unique(ids * 2 + extended, return_inverse=True, return_counts=True)
        answers = np.zeros(len(pairs), dtype=bool)
        for index, (pair, count) in enumerate(zip(pairs.tolist(), counts.tolist(), strict=True)):
            can_id, wide = pair // 2, pair % 2 == 1
            answers[index] = is_answer(can_id, wide)
            if is_request(can_id, wide):
                self._answers.requests += count
            elif not answers[index]:
                self._answers.others[can_id, wide] += count
        return np.flatnonzero(answers[inverse])

    def _of_signals(self, mdf: Any, group: _Group, offset: int) -> list[Run]:
        runs = []
        for place, channel in enumerate(group.channels):
            got = self._got(mdf, group, channel, offset, _RECORDS)
            if got.samples.ndim != 1 or got.samples.dtype.kind not in "fiub":
                self._notes.say(f"Channel {clean(channel[1])!r} holds no plain numbers, ignored.")
                continue
            clock_us = np.rint(got.timestamps * 1e6).astype(np.int64)
            lines = np.arange(len(clock_us), dtype=np.int64) + offset + 1
            start = self._timeline.start_us or 0
            times = self._timeline.place(clock_us, lines) if place == 0 else clock_us - start
            kept = self._channels.get(channel[1], got.unit or None)
            run = kept.take(got.samples.astype(np.float64), times, lines) if kept else None
            runs += [run] if run is not None else []
        return runs

    def _finish(self) -> None:
        self.duration_s = self._timeline.end_us / 1e6
        self._answers.finish()
        self._channels.finish(self.rows)
        self._timeline.finish()

    def _nothing(self) -> NoUsableSignalError:
        return (
            no_answers(self, self._answers)
            if self._answers.others or self._answers.requests
            else super()._nothing()
        )


def _groups(mdf: Any) -> list[_Group]:
    groups = []
    for index, group in enumerate(mdf.groups):
        records = int(group.channel_group.cycles_nr)
        names = [
            (number, channel.name)
            for number, channel in enumerate(group.channels)
            if number != mdf.masters_db.get(index, -1)
        ]
        frames = [channel for channel in names if channel[1] == _FRAMES]
        bus = any("." in name and name.partition(".")[0].endswith("Frame") for _, name in names)
        if records and (frames or (names and not bus)):
            groups.append(_Group(index, records, frames or names, bool(frames)))
    return groups
