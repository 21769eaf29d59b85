"""Records a car into a session: every batch is durable before anyone else sees it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from storage.errors import StorageError
from vehicle.errors import CarError

if TYPE_CHECKING:
    from storage.store import Store
    from vehicle.links import Link
    from vehicle.poller import Batch, Poller

log = logging.getLogger(__name__)

COMPACT_AFTER = 400_000

Listener = Callable[[str, "Batch"], None]
ReadCodes = Callable[["Link", str], object]


class Recorder:
    """One capture in a thread of its own, from a link to a session."""

    def __init__(
        self,
        store: Store,
        session_id: str,
        link: Link,
        hold: ExitStack,
        poller: Poller,
        duration_s: float | None,
        listeners: Sequence[Listener],
        read_codes: ReadCodes,
        clock_rate: float = 1.0,
    ) -> None:
        self.session_id = session_id
        self.link = link
        self._hold = hold
        self.poller = poller
        self.readings = 0
        self.gaps = 0
        self.reconnects = 0
        self.last_us = 0
        self._loose = 0
        self.error: CarError | StorageError | None = None
        self._store = store
        self._duration_us = None if duration_s is None else round(duration_s * 1e6)
        self._listeners = listeners
        self._read_codes = read_codes
        self._clock_rate = clock_rate
        self._stop = Event()
        self._began = time.monotonic()
        self._ended: float | None = None
        self._thread = Thread(target=self._record, name=f"recorder {session_id}", daemon=True)

    def start(self) -> None:
        """Begin to record; returns at once."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the capture still records or is about to begin."""
        return self._ended is None

    @property
    def elapsed_s(self) -> float:
        """Seconds of wall clock since the capture began, to its end where it has ended."""
        return (self._ended or time.monotonic()) - self._began

    def stop(self) -> None:
        """End the capture and wait until its session is finished."""
        self._stop.set()
        self._thread.join()

    def wait(self) -> None:
        """Wait until the capture ends by itself; short waits, so that an interrupt gets through."""
        while self._thread.is_alive():
            self._thread.join(0.2)

    def _record(self) -> None:
        try:
            for batch in self.poller.poll(self._stop):
                self._keep(on_clock(batch, self._clock_rate))
                if self._duration_us is not None and self.last_us >= self._duration_us:
                    break
        except (CarError, StorageError) as error:
            self.error = error
            log.warning("the capture %s ended early: %s", self.session_id, error)
        finally:
            self._keep_codes()
            self._hold.close()
            self._finish()
            self._ended = time.monotonic()

    def _keep(self, batch: Batch) -> None:
        from storage.records import Column

        columns = [Column(r.signal, r.unit, r.ecu or None, r.times_us, r.values, None) for r in batch.runs]
        if columns:
            self._store.samples.append(self.session_id, columns)
            self._compact_now_and_then(sum(column.values.size for column in columns))
        for gap in batch.gaps:
            self._store.sessions.add_gap(self.session_id, gap.start_us, gap.end_us, gap.reason)
        self.readings += sum(column.values.size for column in columns)
        self.gaps += len(batch.gaps)
        self.reconnects += sum(change.state == "connected" for change in batch.states)
        self.last_us = max(self.last_us, batch.end_us)
        for listener in self._listeners:
            listener(self.session_id, batch)

    def _compact_now_and_then(self, fresh: int) -> None:
        """Keep a long capture quick to read: its many small batches become few long chunks."""
        self._loose += fresh
        if self._loose >= COMPACT_AFTER:
            self._loose = 0
            self._store.samples.compact(self.session_id)

    def _keep_codes(self) -> None:
        """Read the trouble codes at the end, so that the session knows them; a car that is gone has none to tell."""
        from vehicle.links import LinkState

        if self.link.state is not LinkState.CONNECTED:
            return
        try:
            self._read_codes(self.link, self.session_id)
        except (CarError, StorageError) as error:
            log.warning("the trouble codes of %s could not be kept: %s", self.session_id, error)

    def _finish(self) -> None:
        """Close the session; what cannot be finished now stays readable, and is finished at the next start."""
        warnings = [f"{name}: {why}" for name, why in self.poller.unsupported.items()]
        if self.error is not None:
            warnings.append(f"The capture ended early: {self.error.message}")
        try:
            self._store.sessions.update(self.session_id, warnings=warnings)
            self._store.sessions.finish(self.session_id)
        except StorageError as error:
            self.error = self.error or error
            log.warning("the session %s could not be finished: %s", self.session_id, error)


def on_clock(batch: Batch, rate: float) -> Batch:
    """Return the batch timed by a clock that runs at `rate` of ours: a simulated car may live faster than we do."""
    if rate == 1.0:
        return batch
    return batch._replace(
        runs=tuple(run._replace(times_us=(run.times_us * rate).astype("int64")) for run in batch.runs),
        gaps=tuple(
            gap._replace(start_us=round(gap.start_us * rate), end_us=round(gap.end_us * rate))
            for gap in batch.gaps
        ),
        states=tuple(change._replace(at_us=round(change.at_us * rate)) for change in batch.states),
        end_us=round(batch.end_us * rate),
    )


class Recorders:
    """The captures of one process, by session; one adapter has one capture at a time."""

    def __init__(self, store: Store) -> None:
        self.listeners: list[Listener] = []
        self._store = store
        self._lock = Lock()
        self._recorders: dict[str, Recorder] = {}

    def add(
        self,
        session_id: str,
        link: Link,
        hold: ExitStack,
        poller: Poller,
        duration_s: float | None,
        read_codes: ReadCodes,
        clock_rate: float = 1.0,
    ) -> Recorder:
        """Start a capture, timed at `clock_rate` of our clock.

        At its end `read_codes` reads the car's trouble codes into the session, and `hold` lets go of the link.
        """
        recorder = Recorder(
            self._store,
            session_id,
            link,
            hold,
            poller,
            duration_s,
            self.listeners,
            read_codes,
            clock_rate,
        )
        with self._lock:
            self._recorders[session_id] = recorder
        recorder.start()
        return recorder

    def find(self, session_id: str) -> Recorder | None:
        """Return the capture of the session, running or ended, or None if this process made none."""
        return self._recorders.get(session_id)

    def of_adapter(self, address: str) -> Recorder | None:
        """Return the running capture that uses the adapter, if there is one."""
        with self._lock:
            running = [one for one in self._recorders.values() if one.running]
        return next((one for one in running if one.link.address == address), None)

    def running(self) -> list[str]:
        """Return the sessions being recorded into."""
        with self._lock:
            return [session_id for session_id, one in self._recorders.items() if one.running]

    def wait(self) -> None:
        """Wait until every capture has ended by itself."""
        for session_id in self.running():
            self._recorders[session_id].wait()

    def close(self) -> None:
        """Stop every capture and finish its session."""
        for session_id in self.running():
            self._recorders[session_id].stop()
