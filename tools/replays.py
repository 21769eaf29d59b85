"""Joins storage and vehicle: stored sessions played back through a link as if a car were on the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import ToolError
from tools.trouble_codes import SNAPSHOT

if TYPE_CHECKING:
    from storage.records import Session
    from storage.store import Store
    from vehicle.links.recording import Recording
    from vehicle.links.replay import Replay


def replay(store: Store, address: str) -> Replay:
    """Make the driver for `replay:SESSION`.

    Raises:
        NotFoundError: there is no such session; BadAddressError: an option is not understood;
        ToolError: `busy` while it is recorded, `unsupported` where it holds nothing that has times.
    """
    from vehicle.links.replay import Replay
    from vehicle.links.replay_address import parse_replay

    session = store.sessions.get(parse_replay(address).session_id)
    if session.state == "recording":
        raise ToolError("busy", f"{session.id} is still being recorded.", "Stop it with stop_capture first.")
    if not can_be_replayed(session):
        raise ToolError(
            "unsupported", f"{session.id} holds no readings with times.", "list_adapters lists replays."
        )
    return Replay(address, _recording(store, session))


def can_be_replayed(session: Session) -> bool:
    """Whether a session that has ended holds readings with times."""
    return session.readings > 0 and session.details.get("timing") != "order"


def _recording(store: Store, session: Session) -> Recording:
    from vehicle.diagnostics.models import EcuCodes, FreezeFrame
    from vehicle.links.recording import Recording
    from vehicle.poller import Gap
    from vehicle.runs import Run

    kept = store.snapshots.list(session_id=session.id, kind=SNAPSHOT, limit=1).rows
    told = kept[0].data if kept else {}
    return Recording(
        session.id,
        tuple(
            Run(one.signal, one.unit, one.ecu or "", one.times_us, one.values, one.source or "")
            for one in store.samples.read(session.id)
        ),
        tuple(Gap(gap.start_us, gap.end_us, gap.reason) for gap in store.sessions.gaps(session.id)),
        tuple(EcuCodes.model_validate(one) for one in told.get("lists", ())) if kept else None,
        tuple(FreezeFrame.model_validate(one) for one in told.get("freeze_frames", ())),
    )


def length_s(store: Store, address: str) -> float | None:
    """Return how many seconds of the recording a replay plays; None where it never ends."""
    from vehicle.links.replay_address import parse_replay

    given = parse_replay(address)
    session = store.sessions.get(given.session_id)
    if given.loop or session.first_us is None or session.last_us is None:
        return None
    begin_s = session.first_us / 1e6 if given.from_s is None else given.from_s
    return session.last_us / 1e6 - begin_s


def describe(store: Store, address: str) -> str:
    """Say what a session captured from a replay is, for its notes."""
    from vehicle.links.replay_address import parse_replay

    session = store.sessions.get(parse_replay(address).session_id)
    when = f"{session.started_at:%Y-%m-%d %H:%M} UTC" if session.started_at else "a time that is not known"
    return (
        f"A replay of {session.id}, which was recorded from {session.source or 'an unnamed source'} at {when}. "
        "Nothing in it was measured when it was captured again."
    )
