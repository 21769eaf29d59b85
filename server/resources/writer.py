"""One thread that stores what came in meanwhile in one transaction, so that many senders share each wait."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from server.calls import INTERNAL
from storage.errors import StorageError
from tools.errors import ToolError
from tools.intake.bodies import IntakeAnswer
from tools.intake.receiver import Ready, Receiver, Sent

log = logging.getLogger(__name__)

MOST_WAITING = 1024
_MOST_AT_ONCE = 64
# Where many send, waiting for company costs nobody anything they would notice, and saves most waits for the disk.
_MANY = 16
_GATHER_S, _GATHER_FROM_MANY_S = 0.002, 0.02
Outcome = bytes | ToolError | StorageError


class _Job(NamedTuple):
    sent: Sent
    done: "asyncio.Future[bytes]"
    loop: asyncio.AbstractEventLoop


class _Senders:
    """How many sessions sent something within about a second."""

    def __init__(self) -> None:
        self.number = 0
        self._heard: set[str] = set()
        self._since_s = time.monotonic()

    def hear(self, jobs: Sequence[_Job]) -> None:
        """Note who sent."""
        self._heard.update(job.sent.session_id for job in jobs)
        now_s = time.monotonic()
        if now_s - self._since_s >= 1.0:
            self.number, self._heard, self._since_s = len(self._heard), set(), now_s


class Writer:
    """The queue into storage; bounded, so that senders hear of it when storage cannot keep up."""

    def __init__(self, receiver: Receiver, took: Callable[[int, int], None]) -> None:
        self._receiver = receiver
        self._took = took
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None

    async def write(self, sent: Sent) -> bytes:
        """Return the answer as JSON once the readings are durable.

        Raises:
            ToolError: bad readings, or `busy`; StorageError: they could not be stored.
        """
        if self._jobs.qsize() >= MOST_WAITING:
            raise ToolError(
                "busy", f"{MOST_WAITING} batches wait to be stored.", "Send it again in a second."
            )
        if self._thread is None:
            self._thread = Thread(target=self._run, name="intake", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[bytes] = loop.create_future()
        self._jobs.put(_Job(sent, done, loop))
        return await done

    def close(self) -> None:
        """Store what waits, and end."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        senders = _Senders()
        while (job := self._jobs.get()) is not None:
            time.sleep(_GATHER_FROM_MANY_S if senders.number >= _MANY else _GATHER_S)
            jobs: list[_Job] = []
            while job is not None:
                jobs.append(job)
                job = self._next() if len(jobs) < _MOST_AT_ONCE else None
            senders.hear(jobs)
            _finish(jobs, self._outcomes([one.sent for one in jobs]))

    def _next(self) -> _Job | None:
        """Return what already waits; the end of the work is left for the next round."""
        try:
            job = self._jobs.get_nowait()
        except Empty:
            return None
        if job is None:
            self._jobs.put(None)
        return job

    def _outcomes(self, batch: Sequence[Sent]) -> list[Outcome]:
        prepared = [self._prepared(sent) for sent in batch]
        ready = [one for one in prepared if isinstance(one, Ready)]
        stored = iter(self._stored(ready))
        return [self._told(next(stored)) if isinstance(one, Ready) else one for one in prepared]

    def _prepared(self, sent: Sent) -> Ready | ToolError | StorageError:
        try:
            return self._receiver.prepare(sent)
        except (ToolError, StorageError) as error:
            return error
        except Exception:
            log.exception("a batch of %s could not be read", sent.session_id)
            return INTERNAL

    def _stored(self, ready: Sequence[Ready]) -> Sequence[IntakeAnswer | ToolError | StorageError]:
        try:
            return self._receiver.store(ready)
        except StorageError as error:
            return [error] * len(ready)
        except Exception:
            log.exception("%d batches could not be stored", len(ready))
            return [INTERNAL] * len(ready)

    def _told(self, stored: IntakeAnswer | ToolError | StorageError) -> Outcome:
        if not isinstance(stored, IntakeAnswer):
            return stored
        self._took(stored.accepted, stored.marked)
        return stored.model_dump_json().encode()


def _finish(jobs: Sequence[_Job], outcomes: Sequence[Outcome]) -> None:
    """Hand out the answers, with one call to each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[bytes], Outcome]]] = {}
    for job, outcome in zip(jobs, outcomes, strict=True):
        by_loop.setdefault(job.loop, []).append((job.done, outcome))
    for loop, answers in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_hand_out, answers)


def _hand_out(answers: Sequence[tuple["asyncio.Future[bytes]", Outcome]]) -> None:
    for done, outcome in answers:
        if done.done():
            continue
        if isinstance(outcome, bytes):
            done.set_result(outcome)
        else:
            done.set_exception(outcome)
