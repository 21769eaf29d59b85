"""The base of every log reader: what it tells while it turns a file into batches of runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from vehicle.logs.errors import NoUsableSignalError
from vehicle.logs.notes import Notes
from vehicle.logs.preview import LogPreview

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from vehicle.logs.clock import TimeForm
    from vehicle.logs.preview import Clock, ColumnMatch, Timing
    from vehicle.logs.text import Head
    from vehicle.runs import Run

BATCH_READINGS = 50_000
_EPOCH = datetime(1970, 1, 1)  # naive: counts on a device's clock whose zone is unknown


class LogReader(ABC):
    """Reads one log file once; its facts are complete when `batches` has ended.

    `clock` says what the file's times refer to, `timing` whether they were measured: with "order" the
    times only number the readings and mean no duration.
    """

    format: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, head: Head) -> None:
        self.path = head.path
        self.size_bytes = head.size
        self.position_bytes = 0
        self.columns: list[ColumnMatch] = []
        self.started_at: datetime | None = None  # UTC, only where the file settles it
        self.local_start: datetime | None = None  # naive: the logging device's clock
        self.clock: Clock = "none"
        self.timing: Timing = "measured"
        self.rows = 0
        self.readings = 0
        self.duration_s: float | None = None
        self._head = head
        self._notes = Notes()
        self._source = self._counted()
        self._ready: list[list[Run]] = []

    @classmethod
    @abstractmethod
    def score(cls, head: Head) -> float:
        """Return how sure it is, 0 to 1, that a file beginning so is of this format."""

    @abstractmethod
    def _runs(self) -> Iterator[list[Run]]:
        """Yield the file's readings block by block."""

    @abstractmethod
    def _finish(self) -> None:
        """Tell what can only be told at the end."""

    @property
    def warnings(self) -> list[str]:
        """Return what went wrong or was decided so far."""
        return self._notes.texts()

    def prime(self) -> LogReader:
        """Read up to the first batch, so that the start and all early refusals are known."""
        self._ready = [batch for batch in [next(self._source, None)] if batch is not None]
        return self

    def batches(self) -> Iterator[list[Run]]:
        """Yield all readings in batches of about 50,000; raises NoUsableSignalError where there is none."""
        while self._ready:
            yield self._ready.pop(0)
        yield from self._source

    def close(self) -> None:
        """Stop reading and let go of the file; a reader whose batches have ended has done so already."""
        self._source.close()

    def preview(self, *, whole: bool) -> LogPreview:
        """Return what is known so far; unless `whole`, the number of rows is reckoned from the file's size."""
        share = self.position_bytes / self.size_bytes if self.size_bytes else 1.0
        return LogPreview(
            format=self.format,
            columns=self.columns,
            rows=self.rows if whole else round(self.rows / share),
            rows_estimated=not whole,
            started_at=self.started_at,
            local_start=self.local_start,
            clock=self.clock,
            timing=self.timing,
            duration_s=self.duration_s if whole else None,
            warnings=self.warnings,
        )

    def _counted(self) -> Generator[list[Run]]:
        for runs in self._runs():
            for batch in bounded(runs):
                self.readings += sum(len(run.values) for run in batch)
                yield batch
        self._finish()
        if not self.readings:
            raise self._nothing()

    def _nothing(self) -> NoUsableSignalError:
        told = " ".join(self.warnings[:3])
        return NoUsableSignalError(
            f"{self.path.name} was read as {self.title}, but holds no reading that can be kept. {told}".strip(),
            "Check that it is the log of a drive, or name its format if this one is wrong.",
        )

    def tell_day(self, start: datetime | None) -> None:
        """Keep the start of a log that tells only the time of day; `start` is local, or None."""
        self.local_start = start
        if start is None:
            self._notes.say("The log tells the time of day but no date.")
        else:
            self._notes.say(
                f"The date {start:%Y-%m-%d} is taken from the file's name; the rows tell only the "
                "time of day, in the logging device's zone."
            )

    def _set_start(self, form: TimeForm, clock_us: int) -> None:
        """Keep the date and zone of the first row as far as the file settles them."""
        self.clock = form.clock
        if form.doubt:
            self._notes.say(f"{form.doubt[0].upper()}{form.doubt[1:]}.")
        if not form.dated:
            return
        start = _EPOCH + timedelta(microseconds=clock_us)
        if form.clock == "utc":
            self.started_at = start.replace(tzinfo=UTC)
        else:
            self.local_start = start
            self._notes.say("Times are the logging device's local time; the file does not name its zone.")


def bounded(runs: list[Run]) -> Iterator[list[Run]]:
    """Split runs so that no batch holds many more than 50,000 readings; each keeps its order."""
    total = sum(len(run.values) for run in runs)
    parts = -(-total // BATCH_READINGS)
    if parts <= 1:
        if total:
            yield [run for run in runs if len(run.values)]
        return
    for part in range(parts):
        cut = [_part(run, part, parts) for run in runs]
        yield [run for run in cut if len(run.values)]


def _part(run: Run, part: int, parts: int) -> Run:
    size = len(run.values)
    begin, end = size * part // parts, size * (part + 1) // parts
    return run._replace(times_us=run.times_us[begin:end], values=run.values[begin:end])
