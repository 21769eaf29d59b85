"""Readings in and out of sessions."""

from collections.abc import Sequence

from storage import downsampling, readout, summaries
from storage.checks import TIME_LIMIT_US
from storage.compaction import compact
from storage.database import Database
from storage.errors import StorageError
from storage.intake import Intake
from storage.owners import Owners
from storage.records import Channel, Readings, Series


class Samples:
    """The readings of all sessions; times are µs since a session's start, bounds are inclusive."""

    def __init__(self, database: Database, owners: Owners) -> None:
        self._database = database
        self._intake = Intake(database, owners)

    def append(self, session_id: str, readings: Readings, *, key: str | None = None) -> int:
        """Store a batch durably before returning its sequence, a number that grows with each batch.

        A `key` seen before in this session returns the sequence it had, and stores nothing again. An
        interrupted session becomes `recording` again. Raises InvalidDataError for values that are not finite,
        unequal lengths, an empty batch or a finished session; NotFoundError; StorageFullError and
        StorageBusyError, after which nothing of the batch is stored and it can be sent again.
        """
        return self._intake.append(session_id, readings, key)

    def append_many(self, batches: Sequence[tuple[str, Readings]]) -> list[int | StorageError]:
        """Store batches of several sessions in one durable transaction: one wait for the disk, not one each.

        Returns for each batch the sequence, or why it alone could not be stored; the others are stored all the same.
        """
        return self._intake.append_many(batches)

    def compact(self, session_id: str) -> None:
        """Compact what a session has so far; a recording goes on beside it, and long ones read faster after it."""
        compact(self._database, session_id)

    def channels(self, session_id: str) -> list[Channel]:
        """Return what a session holds of each signal and ECU, without decoding readings."""
        with self._database.reading() as connection:
            return readout.channels(connection, session_id)

    def summary(
        self,
        session_id: str,
        signals: Sequence[str] | None = None,
        start_us: int | None = None,
        end_us: int | None = None,
    ) -> list[Channel]:
        """Return count, minimum, maximum and mean per channel within start <= time <= end.

        Zone maps answer; only runs that cross a bound are decoded. Channels without readings there are left out.
        """
        with self._database.reading() as connection:
            return summaries.summary(connection, session_id, signals, *_bounds(start_us, end_us))

    def read(
        self,
        session_id: str,
        signals: Sequence[str] | None = None,
        start_us: int | None = None,
        end_us: int | None = None,
    ) -> list[Series]:
        """Return the readings within start <= time <= end, one series per channel, in time order.

        Readings of equal time keep their order of arrival. Raises NotFoundError for an unknown session or signal.
        """
        with self._database.reading() as connection:
            return readout.read(connection, session_id, signals, *_bounds(start_us, end_us))

    def downsample(
        self,
        session_id: str,
        signals: Sequence[str] | None,
        start_us: int | None,
        end_us: int | None,
        points: int,
    ) -> list[Series]:
        """Return at most `points` real readings per channel: the smallest and largest of equal spans of time.

        All readings where they are no more than `points` (at least 2). The extremes of the range are always kept.
        """
        with self._database.reading() as connection:
            return downsampling.downsample(
                connection, session_id, signals, *_bounds(start_us, end_us), points
            )


def _bounds(start_us: int | None, end_us: int | None) -> tuple[int | None, int | None]:
    """Return bounds as the database can compare them: no time lies further out than the limit."""
    low, high = -TIME_LIMIT_US, TIME_LIMIT_US
    start = None if start_us is None else int(min(max(start_us, low), high))
    end = None if end_us is None else int(min(max(end_us, low), high))
    return start, end
