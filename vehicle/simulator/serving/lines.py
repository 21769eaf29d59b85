"""The lines into a car: sockets and pseudo-terminals, each served by a thread of its own, and the clock's thread."""

import socket
from collections.abc import Callable
from threading import Event as Flag
from threading import Lock, Thread

from vehicle.simulator.elm.adapter import Adapter
from vehicle.simulator.serving.ports import Port, SocketPort
from vehicle.simulator.serving.session import Session

_TICK_S = 0.05
_END_S = 5.0


class Lines:
    """All that is being served for one car; made adapters and sessions end with `end`."""

    def __init__(self, new_adapter: Callable[[], Adapter], tick: Callable[[], None], baud: int) -> None:
        self._new_adapter = new_adapter
        self._tick = tick
        self._baud = baud
        self._stop = Flag()
        self._lock = Lock()
        self._sessions: dict[Session, Thread] = {}
        self._threads = [_started(self._keep_time)]

    def plug(self, port: Port) -> None:
        """Serve an adapter on a port."""
        session = Session(port, self._new_adapter(), self._baud)
        with self._lock:
            self._sessions = {known: thread for known, thread in self._sessions.items() if thread.is_alive()}
            self._sessions[session] = _started(session.serve)

    def listen(self, listener: socket.socket) -> None:
        """Plug every host that connects to a listening socket."""
        self._threads.append(_started(self._accept, listener))

    def drop(self) -> None:
        """Close every line that is open now."""
        with self._lock:
            for session in self._sessions:
                session.end()

    def end(self) -> None:
        """Stop all threads and wait for them."""
        self._stop.set()
        self.drop()
        for thread in (*self._threads, *self._sessions.values()):
            thread.join(timeout=_END_S)

    def _accept(self, listener: socket.socket) -> None:
        listener.settimeout(0.1)
        with listener:
            while not self._stop.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                connection.settimeout(None)
                self.plug(SocketPort(connection))

    def _keep_time(self) -> None:
        while not self._stop.wait(_TICK_S):
            self._tick()


def _started(work: Callable[..., None], *arguments: object) -> Thread:
    thread = Thread(target=work, args=arguments, name="simulated car", daemon=True)
    thread.start()
    return thread
