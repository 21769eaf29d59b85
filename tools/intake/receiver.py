"""Takes sent readings into sessions: durable first, then told to whoever listens to captures."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from threading import Lock

from storage.records import Column
from tools.context import Workshop
from tools.errors import ToolError
from tools.intake.arrow import parse_arrow
from tools.intake.bodies import Body, IntakeAnswer, parse
from tools.intake.columns import Incoming, first_time, incoming
from vehicle.poller.batch import Batch

_KNOWN_SESSIONS = 1024
_KNOWN_KEYS = 256


@dataclass
class _Desk:
    """What is remembered of one session between its batches; one batch at a time holds the lock."""

    lock: Lock = field(default_factory=Lock)
    started_at: datetime | None = None
    sequence: int | None = None
    keys: dict[str, bytes] = field(default_factory=dict)


class Receiver:
    """The intake of one process."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._guard = Lock()
        self._desks: OrderedDict[str, _Desk] = OrderedDict()

    def receive(
        self, session_id: str, data: bytes, *, is_arrow: bool = False, key: str | None = None
    ) -> IntakeAnswer:
        """Store a body of JSON or Arrow and answer once it is durable; a `key` seen before stores nothing again.

        Raises:
            ToolError: the body is not what it should be; StorageError: it could not be stored.
        """
        digest = blake2b(data, digest_size=16).digest()
        if key is not None:
            self._check_key(session_id, key, digest)
        answer = self.store(session_id, parse_arrow(data) if is_arrow else parse(data), key)
        if key is not None:
            self._remember_key(session_id, key, digest)
        return answer

    def store(self, session_id: str, body: Body, key: str | None = None) -> IntakeAnswer:
        """Store a checked body; see `receive`."""
        desk = self._desk(session_id)
        with desk.lock:
            batch = incoming(body, self._origin(session_id, desk, body))
            columns = [
                Column(r.signal, r.unit, r.ecu or None, r.times_us, r.values, r.source or None)
                for r in batch.runs
            ]
            is_new, sequence = self._append(session_id, desk, columns, key)
            if is_new:
                self._tell(session_id, batch)
        return IntakeAnswer.model_construct(
            accepted=batch.readings,
            marked=batch.marked,
            unknown=batch.unknown,
            session_id=session_id,
            sequence=sequence,
            notes=batch.notes,
        )

    def forget(self, session_id: str) -> None:
        """Drop what is remembered of a session that ended or changed."""
        with self._guard:
            self._desks.pop(session_id, None)

    def _check_key(self, session_id: str, key: str, digest: bytes) -> None:
        """Refuse a key that this process has seen with another body: one of the two would be lost."""
        if self._desk(session_id).keys.get(key, digest) != digest:
            raise ToolError(
                "bad_arguments",
                f"The Idempotency-Key {key[:60]!r} was used for another body.",
                "Use a new key for every batch, and the same key only to send the same batch again.",
            )

    def _remember_key(self, session_id: str, key: str, digest: bytes) -> None:
        desk = self._desk(session_id)
        with desk.lock:
            desk.keys[key] = digest
            if len(desk.keys) > _KNOWN_KEYS:
                desk.keys.pop(next(iter(desk.keys)))

    def _desk(self, session_id: str) -> _Desk:
        with self._guard:
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

    def _append(
        self, session_id: str, desk: _Desk, columns: list[Column], key: str | None
    ) -> tuple[bool, int]:
        """Store durably; return whether it was new, and its sequence."""
        store = self._workshop.store
        before = store.sessions.get(session_id).version if key and desk.sequence is None else None
        sequence = store.samples.append(session_id, columns, key=key)
        if before is not None:
            is_new = store.sessions.get(session_id).version != before
        else:
            is_new = not key or desk.sequence is None or sequence > desk.sequence
        desk.sequence = max(sequence, desk.sequence or 0)
        return is_new, sequence

    def _tell(self, session_id: str, sent: Incoming) -> None:
        batch = Batch(tuple(sent.runs), (), (), sent.end_us)
        for listener in self._workshop.recorders.listeners:
            listener(session_id, batch)
