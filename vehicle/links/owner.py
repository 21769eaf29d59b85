"""The one thread that talks to an adapter: a queue of requests, a visible state, and coming back by itself."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping

from vehicle.elm327.lines import NO_CAR
from vehicle.elm327.outcomes import AdapterError, BusError, Disconnected, NoData, Reply, Timeout
from vehicle.errors import CannotConnectError
from vehicle.links.conversation import Conversation
from vehicle.links.link import (
    DEADLINE_S,
    Link,
    LinkInfo,
    LinkState,
    Priority,
    StateListener,
    Ticket,
)
from vehicle.links.wire import WireLostError

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
SEARCH_S = 12.0
CHECK_S = 2.0
_IDLE_S = 0.25
# So many requests without an answer in a row: look whether the car is still there.
_SILENT_REQUESTS = 3
_AWAY = (LinkState.LOST, LinkState.WAITING, LinkState.CLOSED)


class OwnedLink(Link):
    """A link whose conversation is held by one thread of its own."""

    def __init__(self, address: str, conversation: Conversation) -> None:
        self.address = address
        self.batch_limit = conversation.batch_limit
        self._conversation = conversation
        self._queue: queue.PriorityQueue[tuple[int, int, Ticket]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._listeners: list[StateListener] = []
        self._state = LinkState.CONNECTING
        self._reason = ""
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._silent = 0
        self._served = False
        self._next_look_s = 0.0
        self._pause_s = conversation.look_pauses_s[0]
        conversation.give_up = self._stopping.is_set
        self._thread = threading.Thread(target=self._run, name=f"link {address}", daemon=True)

    def start(self) -> None:
        """Start the owner thread."""
        self._thread.start()

    @property
    def state(self) -> LinkState:
        """Where the link stands now."""
        return self._state

    @property
    def state_reason(self) -> str:
        """Why it stands there, in words."""
        return self._reason

    @property
    def info(self) -> LinkInfo:
        """What is known about adapter and car."""
        return self._conversation.info

    @property
    def withheld(self) -> Mapping[str, str]:
        """Signals that this way cannot tell, or whose bytes are not to be believed here, with the reason."""
        return self._conversation.withheld

    def watch(self, listener: StateListener) -> Callable[[], None]:
        """Call `listener(state, reason)` at every change, from the owner thread; returns how to stop that."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def submit(
        self,
        payload: bytes,
        ecu: str = "",
        *,
        deadline_s: float = DEADLINE_S,
        priority: int = Priority.CAPTURE,
    ) -> Ticket:
        """Queue a request and return at once."""
        return self._enqueue(Ticket(payload, ecu, deadline_s), priority)

    def submit_command(self, text: str, *, deadline_s: float = DEADLINE_S) -> Ticket:
        """Queue a command for the adapter itself."""
        return self._enqueue(Ticket(b"", "", deadline_s, command=text), Priority.PERSON)

    def close(self) -> None:
        """End the link; waiting requests get a Disconnected outcome."""
        self._stopping.set()
        self._queue.put((-1, next(self._numbers), Ticket(b"", "", 0.0)))
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout=CHECK_S)

    def _enqueue(self, ticket: Ticket, priority: int) -> Ticket:
        if self._state in _AWAY or self._stopping.is_set():
            ticket.finish(self._away(ticket))
        elif self._state is LinkState.NO_CAR and not ticket.command:
            ticket.finish(self._no_car(ticket))
        else:
            self._queue.put((priority, next(self._numbers), ticket))
        return ticket

    def _away(self, ticket: Ticket) -> Reply:
        now = time.monotonic()
        reason = self._reason or f"the link is {self._state}"
        return Reply(ticket.payload, trouble=Disconnected(reason), sent_s=ticket.made_s, received_s=now)

    def _no_car(self, ticket: Ticket) -> Reply:
        trouble = NoData(f"no car answers: {self._reason}")
        return Reply(ticket.payload, trouble=trouble, sent_s=ticket.made_s, received_s=time.monotonic())

    def _set(self, state: LinkState, reason: str = "") -> None:
        if (state, reason) == (self._state, self._reason):
            return
        self._state, self._reason = state, reason
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            try:
                listener(state, reason)
            except Exception:  # somebody else's mistake must not end the one thread all depend on
                log.exception("a listener of %s failed", self.address)

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        try:
            while not self._stopping.is_set():
                if self._connect():
                    pause_s = FIRST_PAUSE_S
                    self._serve()
                else:
                    self._stopping.wait(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        finally:
            self._conversation.disconnect()
            self._conversation.end()
            self._set(LinkState.CLOSED, "the link was closed")
            self._turn_away()

    def _connect(self) -> bool:
        first = self._state is LinkState.CONNECTING
        again = self._served
        try:
            self._conversation.connect()
            self._look_for_car(SEARCH_S)
        except CannotConnectError as error:
            self._conversation.disconnect()
            self._set(LinkState.WAITING, error.message)
            if first:
                self._turn_away()
            return False
        self.reconnects += again
        self._served = True
        return True

    def _look_for_car(self, seconds: float) -> None:
        problem = self._conversation.find_car(time.monotonic() + seconds)
        self._silent = 0
        if problem:
            self._rest()
            self._set(LinkState.NO_CAR, problem)
        else:
            self._pause_s = self._conversation.look_pauses_s[0]
            self.batch_limit = min(self.batch_limit, self._conversation.batch_limit)
            self._set(LinkState.CONNECTED)

    def _rest(self) -> None:
        """Put the next look for the car off, longer every time."""
        self._next_look_s = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, self._conversation.look_pauses_s[1])

    def _serve(self) -> None:
        """Work on requests until the line is lost or the link closed."""
        try:
            while not self._stopping.is_set():
                ticket = self._next()
                if ticket is not None:
                    self._work(ticket)
                elif self._state is LinkState.CONNECTED:
                    self._conversation.idle()
                elif time.monotonic() >= self._next_look_s:
                    self._look_for_car(SEARCH_S)
        except CannotConnectError as error:
            self._conversation.disconnect()
            self._set(LinkState.LOST, error.message)
            self._turn_away()

    def _next(self) -> Ticket | None:
        idle_s = _IDLE_S
        if self._state is LinkState.NO_CAR:
            idle_s = min(_IDLE_S, max(0.0, self._next_look_s - time.monotonic()))
        try:
            return self._queue.get(timeout=idle_s)[2]
        except queue.Empty:
            return None

    def _work(self, ticket: Ticket) -> None:
        if ticket.expired():
            ticket.finish(ticket.timed_out())
        elif ticket.command:
            self._command(ticket)
        elif self._state is LinkState.NO_CAR:
            ticket.finish(self._no_car(ticket))
        else:
            self._ask(ticket)

    def _command(self, ticket: Ticket) -> None:
        sent = time.monotonic()
        try:
            text = self._conversation.command(ticket.command, ticket.expires_s)
        except CannotConnectError:
            ticket.finish(self._away(ticket))
            raise
        if text is None:
            ticket.finish(ticket.timed_out())
            self._recover()
        else:
            ticket.finish(Reply(b"", sent_s=sent, received_s=time.monotonic(), raw=text))

    def _ask(self, ticket: Ticket) -> None:
        try:
            reply = self._conversation.ask(ticket.payload, ticket.ecu, ticket.expires_s, ticket.be_patient)
        except CannotConnectError as error:
            self._reason = error.message
            ticket.finish(self._away(ticket))
            raise
        ticket.finish(reply)
        self._settle(reply)

    def _settle(self, reply: Reply) -> None:
        """Draw the consequences of an outcome, after the caller has it."""
        trouble = reply.trouble
        if isinstance(trouble, Timeout):
            self._recover()
        elif isinstance(trouble, AdapterError) and ("restart" in trouble.text or "RESET" in trouble.text):
            self._conversation.set_up_again()
            self._look_for_car(CHECK_S)
        elif isinstance(trouble, BusError) and trouble.text in NO_CAR:
            self._rest()
            self._set(LinkState.NO_CAR, trouble.text)
            return
        self._silent = 0 if reply.answers or reply.refusals else self._silent + 1
        if self._silent >= _SILENT_REQUESTS:
            self._look_for_car(CHECK_S)

    def _recover(self) -> None:
        if not self._conversation.recover():
            raise WireLostError("The adapter does not answer any more.", "Check plug and power.")

    def _turn_away(self) -> None:
        """Give everybody in the queue the outcome at once instead of letting them wait."""
        while True:
            try:
                _, _, ticket = self._queue.get_nowait()
            except queue.Empty:
                return
            if not ticket.done:
                ticket.finish(self._away(ticket))
