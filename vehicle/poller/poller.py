"""Asks a car for the wanted signals, round after round, and yields what it reads; survives every interruption."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from threading import Event

from vehicle.elm327.outcomes import Disconnected, Reply
from vehicle.errors import CannotConnectError, CarError
from vehicle.links.link import DEADLINE_S, Link, LinkState, Ticket
from vehicle.poller.batch import Batch, Collector, StateChange
from vehicle.poller.gaps import GapLog
from vehicle.poller.plan import Question, everything, make_plan, next_step, read_wishes
from vehicle.poller.support import read_support
from vehicle.poller.values import Undecided, values_in
from vehicle.signals import SIGNALS, Signal

BATCH_S = 0.5
# While one request is answered the next one stands ready, so that the adapter never waits for us.
IN_FLIGHT = 2
FAILURES = 3
AGAIN_S = 1.0
# A recording that has no value now may have one soon: it is asked again after so long, and never given up.
LATER_S = 0.1
_LOOK_S = 0.05


class NothingToReadError(CarError):
    """None of the signals asked for can be read from this car."""

    code = "unsupported"


class Poller:
    """Reads wanted signals through a link until it is stopped.

    `signals` are names such as `rpm`, or `rpm@7E9` for one ECU's; None reads every standard signal the car lists.
    A parameter that several ECUs list is read from the one that lists most. `custom` are signals of a user's file.
    With `every_round` signals that change slowly are read as often as the others.
    """

    def __init__(
        self,
        link: Link,
        signals: Sequence[str] | None = None,
        *,
        custom: Mapping[str, Signal] | None = None,
        every_round: bool = False,
        batch_s: float = BATCH_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.unsupported: dict[str, str] = {}
        self._link = link
        self._custom = dict(custom or {})
        self._every_round = every_round
        self._wishes = read_wishes(signals, self._custom)
        self._batch_s = batch_s
        self._deadline_s = deadline_s
        self._wanted = {wish.signal.name: wish.signal for wish in self._wishes or ()}
        self._support: Mapping[str, frozenset[int]] = {}
        self._questions: list[Question] = []
        self._dropped: dict[str, str] = {}
        self._undecided = Undecided()
        self._states: deque[tuple[float, LinkState, str]] = deque()
        self._last_good_s = 0.0

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals being read; before the car has said what it has, those asked for."""
        return tuple(name for name in self._wanted if name not in self.unsupported)

    def poll(self, stop: Event) -> Iterator[Batch]:
        """Yield a batch about every `batch_s` seconds until `stop` is set; times count from the first `next`.

        Raises NothingToReadError where the car has none of the signals, CannotConnectError where the link is closed.
        """
        start_s = handed_s = time.monotonic()
        unwatch = self._link.watch(
            lambda state, reason: self._states.append((time.monotonic(), state, reason))
        )
        collector = Collector(
            {name: signal.unit for name, signal in (dict(SIGNALS) | self._custom).items()}, self._link.address
        )
        gaps = GapLog(start_s)
        try:
            for asked in self._rounds(stop, gaps):
                if asked is not None:
                    self._take(*asked, collector, gaps, start_s)
                now = time.monotonic()
                if now - handed_s >= self._batch_s or self._states:
                    handed_s = now
                    yield self._batch(collector, gaps, start_s)
            gaps.worked(time.monotonic())
            yield self._batch(collector, gaps, start_s)
        finally:
            unwatch()

    def _batch(self, collector: Collector, gaps: GapLog, start_s: float) -> Batch:
        states = []
        while self._states:
            at_s, state, reason = self._states.popleft()
            states.append(StateChange(max(0, round((at_s - start_s) * 1e6)), str(state), reason))
        end_us = round((time.monotonic() - start_s) * 1e6)
        return Batch(collector.take(), gaps.take(), tuple(states), end_us)

    def _rounds(self, stop: Event, gaps: GapLog) -> Iterator[tuple[Question, Reply] | None]:
        """Yield each question with its reply, and None at every look around in between."""
        waiting: deque[tuple[Question, Ticket]] = deque()
        while not stop.is_set():
            question = self._next() if self._ready(gaps) else None
            if question is not None:
                waiting.append((question, self._submit(question)))
            if waiting and (question is None or len(waiting) >= IN_FLIGHT):
                asked, ticket = waiting.popleft()
                reply = ticket.result()
                asked.in_flight -= 1
                yield asked, reply
            elif question is None:
                stop.wait(_LOOK_S)
                yield None
        yield from ((asked, ticket.result()) for asked, ticket in waiting if ticket.done)

    def _ready(self, gaps: GapLog) -> bool:
        """Whether questions can be asked now; makes the plan when the car is there for the first time."""
        state = self._link.state
        if state is LinkState.CLOSED:
            raise CannotConnectError(f"The link to {self._link.address} was closed.", "Open it again.")
        if state is not LinkState.CONNECTED:
            gaps.failed(time.monotonic(), f"{state}: {self._link.state_reason or 'no connection yet'}")
            return False
        if self._support:
            return True
        try:
            self._support = read_support(self._link)
        except CarError as error:
            gaps.failed(time.monotonic(), error.message)
            return False
        self._plan()
        return True

    def _plan(self) -> None:
        wishes = self._wishes if self._wishes is not None else everything(self._support, self._custom)
        self._wanted = {wish.signal.name: wish.signal for wish in wishes}
        self._dropped |= {
            name: why
            for name, why in self._link.withheld.items()
            if self._wishes is None or name in self._wanted
        }
        self._questions, self.unsupported = make_plan(
            wishes, self._support, self._link.batch_limit, self._dropped, every_round=self._every_round
        )
        self._undecided.expect(
            signal for name, signal in self._wanted.items() if name not in self.unsupported
        )
        if not self._questions:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in self.unsupported.items())
            raise NothingToReadError(
                f"The car has none of the signals asked for. {reasons}", "Ask for others."
            )

    def _next(self) -> Question | None:
        """Return the question that has been due for longest; one that may fail is not asked twice at once."""
        now = time.monotonic()
        ready = (
            one
            for one in self._questions
            if one.due_s <= now and not (one.in_flight and (one.failures or not one.proven))
        )
        question = min(ready, key=lambda one: one.due_s, default=None)
        if question is None:
            return None
        question.in_flight += 1
        question.due_s = now + question.period_s
        return question

    def _submit(self, question: Question) -> Ticket:
        if question.command:
            return self._link.submit_command(question.command, deadline_s=self._deadline_s)
        return self._link.submit(question.payload, question.ecu, deadline_s=self._deadline_s)

    def _take(
        self, question: Question, reply: Reply, collector: Collector, gaps: GapLog, start_s: float
    ) -> None:
        if not reply.answers and not (question.command and reply.raw):
            gaps.failed(reply.sent_s, reply.reason)
            self._failed(question, reply)
            return
        gaps.worked(reply.sent_s)
        self._last_good_s = reply.sent_s
        question.failures, question.proven = 0, True
        time_us = round((reply.sent_s - start_s) * 1e6)
        seen = set()
        for ecu, pid, found in values_in(question, reply):
            seen.add(pid)
            self.unsupported.update(self._undecided.decide(pid, found, ecu))
            for name, value in found.items():
                if name in self._wanted and name not in self._dropped:
                    self.unsupported.pop(name, None)
                    collector.add(name, ecu, time_us, value)
        self._note_missing(question, seen)

    def _note_missing(self, question: Question, seen: set[int]) -> None:
        """Drop a parameter that an ECU lists but leaves out of its answers time and again."""
        for pid in () if self._link.replayed else question.pids:
            question.missing[pid] = 0 if pid in seen else question.missing.get(pid, 0) + 1
            if question.missing[pid] >= FAILURES:
                self._drop((pid,), f"{question.ecu} lists it and leaves it out of its answers")
                return

    def _failed(self, question: Question, reply: Reply) -> None:
        if isinstance(reply.trouble, Disconnected) or self._link.state is not LinkState.CONNECTED:
            return
        if self._link.replayed and question.pids:
            question.due_s = time.monotonic() + LATER_S
            return
        question.failures += 1
        if question.failures == 1 and (question.proven or len(question.pids) < 2):
            return
        question.due_s = time.monotonic() + AGAIN_S
        if len(question.pids) > 1:
            self._try_smaller(question)
        elif question.failures >= FAILURES and time.monotonic() - self._last_good_s < 2 * AGAIN_S:
            self._drop(question.pids, f"{question.names}: {reply.reason}", question.signal)

    def _try_smaller(self, question: Question) -> None:
        """Ask for fewer parameters at a time where one alone is answered and several are not."""
        # the link may still be getting in step after the failure
        alone = self._link.request(question.payload[:2], question.ecu, deadline_s=2 * self._deadline_s)
        if alone.answers:
            self._link.batch_limit = next_step(min(len(question.pids), self._link.batch_limit))
            self._plan()

    def _drop(self, pids: Sequence[int], reason: str, own: Signal | None = None) -> None:
        for name, signal in self._wanted.items():
            if (signal.service == 1 and signal.pid in pids) or signal is own:
                self._dropped[name] = reason
        self._plan()
