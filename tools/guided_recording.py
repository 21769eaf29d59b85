"""Carries a guided test out: records the car while a watch looks for what was asked; imported when one is run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from queue import Empty, Queue
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.guided.steps import Procedure
from analysis.guided.watching import Watch
from tools.addresses import clock_rate
from tools.context import ToolContext
from tools.errors import ToolError
from tools.recorder import on_clock
from tools.session_start import begin_session
from tools.snapshots import take_snapshot
from vehicle.errors import CarError
from vehicle.poller import Batch, Poller, read_support
from vehicle.signals import find_signal

if TYPE_CHECKING:
    from tools.recorder import Recorder
    from vehicle.links import Link

_BATCH_S = 0.2
_LOOK_S = 0.25
_SAY_S = 1.0
_ADAPTER_READS = "elm_voltage"


class CarriedOut(NamedTuple):
    """What carrying a test out came to: where it was recorded, what was seen, and why it ended early."""

    session_id: str
    watch: Watch
    ended_early: str
    unsupported: dict[str, str]


class _HeardPoller(Poller):
    """A poller whose batches are also put into a queue, timed by the car's own clock."""

    def __init__(self, link: Link, signals: Sequence[str], rate: float, heard: Queue[Batch]) -> None:
        super().__init__(link, signals, every_round=True, batch_s=_BATCH_S)
        self._rate = rate
        self._heard = heard

    def poll(self, stop: Event) -> Iterator[Batch]:
        """Yield what the poller yields."""
        for batch in super().poll(stop):
            self._heard.put(on_clock(batch, self._rate))
            yield batch


def carry_out(
    context: ToolContext, address: str, name: str, procedure: Procedure, vehicle_id: str | None
) -> CarriedOut:
    """Record the car until every step was seen, a step's time is over, the call is cancelled, or the car is lost.

    Raises:
        ToolError: `unsupported` where the car lacks a signal that the test needs; CarError where it cannot be reached.
    """
    rate = clock_rate(address)
    heard: Queue[Batch] = Queue()
    with ExitStack() as stack:
        link = stack.enter_context(context.workshop.links.borrow(address))
        signals = _signals_of(link, procedure)
        poller = _HeardPoller(link, signals, rate, heard)
        details: dict[str, Any] = {"clock_rate": rate, "guided_test": name}
        session = begin_session(context, address, f"Guided test: {procedure.title}", vehicle_id, details)
        watch = Watch(procedure, signals)
        workshop, hold = context.workshop, stack.pop_all()
        read_codes = partial(take_snapshot, workshop)
        recorder = workshop.recorders.add(session.id, link, hold, poller, None, read_codes, rate)
    try:
        early = _watch(context, recorder, watch, heard)
    finally:
        recorder.stop()
    phases = [phase.model_dump() for phase in watch.phases]
    context.store.sessions.update(session.id, details={**session.details, "phases": phases})
    return CarriedOut(session.id, watch, early, dict(recorder.poller.unsupported))


def _watch(context: ToolContext, recorder: Recorder, watch: Watch, heard: Queue[Batch]) -> str:
    """Feed the watch until the test is over; return why it ended early, empty where it did not."""
    said, step = 0.0, ""
    while watch.state == "watching":
        if context.cancelled.is_set():
            return "The test was cancelled."
        try:
            _feed(watch, heard.get(timeout=_LOOK_S))
        except Empty:
            if not recorder.running:
                return (
                    f"The recording ended: {recorder.error.message if recorder.error else 'it was stopped'}"
                )
        if watch.step.key != step or time.monotonic() - said >= _SAY_S:
            said, step = time.monotonic(), watch.step.key
            context.progress(round(watch.share, 3), 1.0, watch.words())
    return f"Its time was over: {watch.step.ask}" if watch.state == "out of time" else ""


def _feed(watch: Watch, batch: Batch) -> None:
    readings = [
        (float(time_us), run.signal, float(value))
        for run in batch.runs
        for time_us, value in zip(run.times_us, run.values, strict=True)
    ]
    for time_us, signal, value in sorted(readings, key=lambda reading: reading[0]):
        watch.see(time_us / 1e6, signal, value)
    watch.pass_time(batch.end_us / 1e6)


def _signals_of(link: Link, procedure: Procedure) -> list[str]:
    """Return the signals to record: of each group needed the first that the car has, and what it has of the rest."""
    pids = _pids(link)

    def had(name: str) -> bool:
        return name == _ADAPTER_READS or find_signal(name).pid in pids

    chosen, lacking = [], []
    for group in procedure.needs:
        found = [name for name in group if had(name)]
        chosen += found[:1]
        lacking += [] if found else [" or ".join(group)]
    if lacking:
        raise ToolError(
            "unsupported",
            f"The car does not report {', '.join(lacking)}, which this test needs.",
            "Take another test; read_vehicle_info and read_signals show what the car has.",
        )
    return list(dict.fromkeys([*chosen, *(name for name in procedure.wants if had(name))]))


def _pids(link: Link) -> frozenset[int]:
    try:
        return frozenset().union(*read_support(link).values())
    except CarError as error:
        raise ToolError(
            "car_unreachable", f"The car does not answer: {error.message}", "Switch the ignition on."
        ) from error
