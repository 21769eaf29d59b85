"""Takes sent readings into sessions: durable first, then told to whoever listens to captures."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from threading import RLock
from typing import NamedTuple

from storage.errors import StorageError
from storage.records import Block, Column, Readings
from tools.context import Workshop
from tools.errors import ToolError
from tools.intake.arrow import parse_arrow
from tools.intake.bodies import Body, IntakeAnswer, parse
from tools.intake.columns import Incoming, first_time, incoming
from vehicle.poller.batch import Batch

_KNOWN_SESSIONS = 1024
_KNOWN_KEYS = 256


class Sent(NamedTuple):
    """A body as it came; a `key` seen before stores nothing again."""

    session_id: str
    data: bytes
    is_arrow: bool = False
    key: str | None = None


class Ready(NamedTuple):
    """A checked body on its way into storage."""

    session_id: str
    key: str | None
    digest: bytes
    batch: Incoming

    @property
    def readings(self) -> Readings:
        """The readings as storage takes them."""
        table = self.batch.table
        if table is not None:
            return Block(table.plan.keys, table.times_us, table.values)
        return [
            Column(run.signal, run.unit, run.ecu or None, run.times_us, run.values, run.source or None)
            for run in self.batch.runs
        ]


@dataclass
class _Desk:
    """What is remembered of one session between its batches."""

    started_at: datetime | None = None
    sequence: int | None = None
    keys: dict[str, bytes] = field(default_factory=dict)


class Receiver:
    """The intake of one process; any thread may use it."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._lock = RLock()
        self._desks: OrderedDict[str, _Desk] = OrderedDict()

    def receive(self, sent: Sent) -> IntakeAnswer:
        """Check and store one body, and answer once it is durable.

        Raises:
            ToolError: the body is not what it should be; StorageError: it could not be stored.
        """
        with self._lock:
            (answer,) = self.store([self.prepare(sent)])
        if isinstance(answer, StorageError):
            raise answer
        return answer

    def prepare(self, sent: Sent) -> Ready:
        """Check a body and resolve its names, units and times; stores nothing but a session's first time.

        Raises:
            ToolError: the body is not what it should be; NotFoundError: there is no such session.
        """
        digest = blake2b(sent.data, digest_size=16).digest()
        with self._lock:
            desk = self._desk(sent.session_id)
            if sent.key is not None:
                _check_key(desk, sent.key, digest)
            body = parse_arrow(sent.data) if sent.is_arrow else parse(sent.data)
            batch = incoming(body, self._origin(sent.session_id, desk, body))
        return Ready(sent.session_id, sent.key, digest, batch)

    def store(self, batches: Sequence[Ready]) -> list[IntakeAnswer | StorageError]:
        """Store checked bodies, those without a key in one transaction; tell those that are new."""
        with self._lock:
            plain = [ready for ready in batches if ready.key is None]
            stored = iter(
                self._workshop.store.samples.append_many([(r.session_id, r.readings) for r in plain])
            )
            return [self._settle(ready, None if ready.key else next(stored)) for ready in batches]

    def forget(self, session_id: str) -> None:
        """Drop what is remembered of a session that ended or changed."""
        with self._lock:
            self._desks.pop(session_id, None)

    def _settle(self, ready: Ready, stored: int | StorageError | None) -> IntakeAnswer | StorageError:
        """Store a batch that has a key, tell a new one, and answer."""
        desk = self._desk(ready.session_id)
        is_new = True
        if stored is None:
            try:
                is_new, stored = self._append_with_key(ready, desk)
            except StorageError as error:
                return error
        if isinstance(stored, StorageError):
            return stored
        desk.sequence = max(stored, desk.sequence or 0)
        if is_new:
            self._tell(ready)
        return IntakeAnswer.model_construct(
            accepted=ready.batch.readings,
            marked=ready.batch.marked,
            unknown=ready.batch.unknown,
            session_id=ready.session_id,
            sequence=stored,
            notes=ready.batch.notes,
        )

    def _append_with_key(self, ready: Ready, desk: _Desk) -> tuple[bool, int]:
        """Store durably unless the key was seen; return whether it was new, and its sequence."""
        store, session_id = self._workshop.store, ready.session_id
        before = store.sessions.get(session_id).version if desk.sequence is None else None
        sequence = store.samples.append(session_id, ready.readings, key=ready.key)
        desk.keys[ready.key or ""] = ready.digest
        if len(desk.keys) > _KNOWN_KEYS:
            desk.keys.pop(next(iter(desk.keys)))
        if desk.sequence is not None:
            return sequence > desk.sequence, sequence
        return store.sessions.get(session_id).version != before, sequence

    def _desk(self, session_id: str) -> _Desk:
        desk = self._desks.setdefault(session_id, _Desk())
        self._desks.move_to_end(session_id)
        if len(self._desks) > _KNOWN_SESSIONS:
            self._desks.popitem(last=False)
        return desk

    def _origin(self, session_id: str, desk: _Desk, body: Body) -> datetime | None:
        """Return the session's start; the first time ever sent becomes it. None where all times are relative."""
        if desk.started_at is not None:
            return desk.started_at
        sessions = self._workshop.store.sessions
        session = sessions.get(session_id)
        first = first_time(body)
        if session.started_at is None and first is not None:
            if session.readings:
                raise ToolError(
                    "bad_arguments",
                    f"{session_id} holds readings whose start is not known; these have a date.",
                    "Send t_s since the session's start and no start, or make a new session.",
                )
            session = sessions.update(session_id, started_at=first)
        desk.started_at = session.started_at
        return desk.started_at

    def _tell(self, ready: Ready) -> None:
        batch = Batch(tuple(ready.batch.runs), (), (), ready.batch.end_us)
        for listener in self._workshop.recorders.listeners:
            listener(ready.session_id, batch)


def _check_key(desk: _Desk, key: str, digest: bytes) -> None:
    """Refuse a key that this process has seen with another body: one of the two would be lost."""
    if desk.keys.get(key, digest) != digest:
        raise ToolError(
            "bad_arguments",
            f"The Idempotency-Key {key[:60]!r} was used for another body.",
            "Use a new key for every batch, and the same key only to send the same batch again.",
        )
