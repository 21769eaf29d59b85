"""Record a car: start a capture, watch it, stop it."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.addresses import Adapter, clock_rate, is_replay, is_simulated, say_adapter
from tools.answer import Answer
from tools.arguments import SessionId, VehicleId
from tools.context import ToolContext
from tools.errors import ToolError
from tools.own_signals import own_signals
from tools.registry import tool
from tools.replays import length_s
from tools.session_start import begin_session, check_vehicle
from tools.snapshots import take_snapshot
from tools.times import seconds_of

if TYPE_CHECKING:
    from tools.recorder import Recorder


class CaptureProblem(BaseModel):
    """Why a capture ended before it should."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    code: str
    message: str
    hint: str


class CaptureState(Answer):
    """A capture as it stands."""

    session_id: str
    state: Literal["recording", "finished"]
    adapter: str
    simulated: bool
    link: str
    readings: int
    rate_per_s: float | None
    duration_s: float
    gaps: int
    reconnects: int
    signals: list[str]
    unsupported: dict[str, str]
    problem: CaptureProblem | None

    def say(self) -> str:
        """Say the state, the amount and whatever went wrong."""
        rate = f", {self.rate_per_s:,.0f} readings/s" if self.rate_per_s is not None else ""
        lines = [
            f"{self.session_id} {self.state} from {say_adapter(self.adapter)}, link {self.link}: "
            f"{self.readings:,} readings of {len(self.signals)} signals in {self.duration_s:,.1f} s{rate}, "
            f"{self.gaps} gaps, {self.reconnects} reconnects."
        ]
        lines += [f"Not read: {name} ({why})." for name, why in self.unsupported.items()]
        if self.problem:
            lines.append(f"It ended early: {self.problem.message} {self.problem.hint}")
        return "\n".join(lines)


@tool("capture", "Start recording a car", read_only=False, idempotent=False, open_world=True)
def start_capture(
    context: ToolContext,
    adapter: Adapter | None = None,
    signals: Annotated[
        list[str] | None,
        Field(
            min_length=1,
            max_length=100,
            description="Signals to record, such as rpm; all the car has when left out.",
        ),
    ] = None,
    duration_s: Annotated[
        float | None,
        Field(
            gt=0,
            le=86400,
            description="Seconds to record; until `stop_capture`, or a replay's end, when left out.",
        ),
    ] = None,
    vehicle_id: VehicleId | None = None,
    name: Annotated[str | None, Field(max_length=200, description="Name of the session.")] = None,
) -> CaptureState:
    """Connect to an adapter and start recording the car into a new session; returns at once.

    Reads only. Next: `capture_status`, then `stop_capture`; readings can be queried while it records.
    """
    from vehicle.poller import Poller

    address = context.adapter_of(adapter)
    busy = context.workshop.recorders.of_adapter(address)
    if busy is not None:
        raise ToolError(
            "busy", f"{busy.session_id} is recording from {address}.", "Stop it with stop_capture first."
        )
    check_vehicle(context, address, vehicle_id)
    rate = clock_rate(address)
    if duration_s is None and is_replay(address):
        duration_s = length_s(context.store, address)
    with ExitStack() as stack:
        link = stack.enter_context(context.workshop.links.borrow(address))
        poller = Poller(link, signals, custom=own_signals(context))
        session = begin_session(context, address, name or "", vehicle_id, {"clock_rate": rate})
        workshop, hold = context.workshop, stack.pop_all()
        read_codes = partial(take_snapshot, workshop)
        return _state(workshop.recorders.add(session.id, link, hold, poller, duration_s, read_codes, rate))


@tool("capture", "Watch a recording")
def capture_status(context: ToolContext, session_id: SessionId) -> CaptureState:
    """Return how a capture stands: state, link, readings, rate, gaps, reconnects, what the car does not have."""
    return _state(_recorder(context, session_id))


@tool("capture", "Stop a recording", read_only=False)
def stop_capture(context: ToolContext, session_id: SessionId) -> CaptureState:
    """Stop a capture and finish its session. What was recorded is kept. Next: `analyze_session`."""
    recorder = _recorder(context, session_id)
    recorder.stop()
    return _state(recorder)


def _recorder(context: ToolContext, session_id: str) -> Recorder:
    """Return this process's capture of the session.

    Raises:
        ToolError: the session was not recorded by this process; NotFoundError: it does not exist.
    """
    recorder = context.workshop.recorders.find(session_id)
    if recorder is None:
        session = context.store.sessions.get(session_id)
        raise ToolError(
            "not_found",
            f"{session_id} is not a capture of this process; it is {session.state}.",
            "Use get_session for sessions that are no longer recorded.",
        )
    return recorder


def _state(recorder: Recorder) -> CaptureState:
    elapsed = recorder.elapsed_s
    error = recorder.error
    return CaptureState(
        session_id=recorder.session_id,
        state="recording" if recorder.running else "finished",
        adapter=recorder.link.address,
        simulated=is_simulated(recorder.link.address),
        link=recorder.link.state,
        readings=recorder.readings,
        rate_per_s=recorder.readings / elapsed if elapsed > 1 else None,
        duration_s=seconds_of(recorder.last_us) or 0.0,
        gaps=recorder.gaps,
        reconnects=recorder.reconnects,
        signals=sorted(recorder.poller.signals),
        unsupported=dict(recorder.poller.unsupported),
        problem=None
        if error is None
        else CaptureProblem(code=error.code, message=error.message, hint=error.hint),
    )
