"""Clean up: close recordings that nobody records into any more, and what they left open."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from storage.errors import NotFoundError
from tools.answer import Answer
from tools.context import ToolContext, Workshop
from tools.registry import tool

if TYPE_CHECKING:
    from storage.alerts import Alert
    from storage.records import Session
    from storage.store import Store

CODE_RULES = "trouble_code_"
"""How the rules of alerts begin that tell trouble codes: the car's own word, over only when the car says so."""
_PAGE = 200


class CleanedUp(Answer):
    """What a clean-up closed, cleared and forgot."""

    idle_s: float
    closed_sessions: list[str]
    cleared_alerts: int
    forgotten_events: int = Field(
        description="0 too where no live events are kept: they need obd-agent serve."
    )
    still_recording: int

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.closed_sessions or self.cleared_alerts or self.forgotten_events)

    def say(self) -> str:
        """Say what was removed."""
        closed = ", ".join(self.closed_sessions) or "none"
        return (
            f"Closed {len(self.closed_sessions)} sessions silent for {self.idle_s:g} s or more: {closed}. "
            f"Cleared {self.cleared_alerts} alerts of closed sessions, forgot {self.forgotten_events} old live events. "
            f"{self.still_recording} sessions still record."
        )


@tool("sessions", "Clean up what is idle", read_only=False)
def clean_up(
    context: ToolContext,
    idle_s: Annotated[
        float | None,
        Field(
            ge=1, le=31_536_000, description="Seconds of silence; the setting's, half an hour, when left out."
        ),
    ] = None,
) -> CleanedUp:
    """Finish recordings that took no readings for so long, clear alerts of closed sessions, forget old live events.

    A server does so by itself; this does it now and says what it did. All readings are kept. Captures of this process
    go on however silent the car is; alerts of trouble codes stay until a reading shows the code gone.
    """
    return clean(context.workshop, idle_s)


def clean(workshop: Workshop, idle_s: float | None = None) -> CleanedUp:
    """Clean up, and say what was done; the live side, where there is one, ends what was closed."""
    idle_s = workshop.idle_session_s if idle_s is None else idle_s
    closed = _close_idle(workshop, idle_s)
    stale = _stale_alerts(workshop.store)
    forgotten = 0 if workshop.live is None else workshop.live.tidy(closed)
    for alert, end_us in stale:
        # A session deleted meanwhile took its alerts with it.
        with suppress(NotFoundError):
            workshop.store.alerts.clear(alert.id, end_us)
    return CleanedUp(
        idle_s=idle_s,
        closed_sessions=closed,
        cleared_alerts=len(stale),
        forgotten_events=forgotten,
        still_recording=workshop.store.sessions.list(state="recording", limit=1).total,
    )


def _close_idle(workshop: Workshop, idle_s: float) -> list[str]:
    """Finish recordings by when they last took readings, whichever process they were sent to."""
    running = set(workshop.running_captures())
    now_us = time.time_ns() // 1000
    closed = []
    for session in list(_recording(workshop.store)):
        heard_us = session.appended_us or session.created_at.timestamp() * 1e6
        if session.id not in running and now_us - heard_us >= idle_s * 1e6:
            workshop.store.sessions.finish(session.id)
            closed.append(session.id)
    return closed


def _recording(store: Store) -> Iterator[Session]:
    offset, total = 0, 1
    while offset < total:
        rows, total = store.sessions.list(state="recording", limit=_PAGE, offset=offset)
        yield from rows
        offset += _PAGE


def _stale_alerts(store: Store) -> list[tuple[Alert, int]]:
    """Return open alerts of sessions that are over, and when those ended; their process died, or they end now."""
    alerts = [one for one in _open_alerts(store) if not one.rule.startswith(CODE_RULES)]
    ends: dict[str, int | None] = {}
    for session_id in {alert.session_id for alert in alerts}:
        with suppress(NotFoundError):
            session = store.sessions.get(session_id)
            if session.state != "recording":
                ends[session_id] = session.last_us
    return [(one, ends[one.session_id] or one.start_us) for one in alerts if one.session_id in ends]


def _open_alerts(store: Store) -> Iterator[Alert]:
    offset, total = 0, 1
    while offset < total:
        rows, total = store.alerts.list(is_open=True, limit=_PAGE, offset=offset)
        yield from rows
        offset += _PAGE
