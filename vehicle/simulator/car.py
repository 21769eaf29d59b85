"""The simulated car: model, control units and adapter behind one object that can be served."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as Flag
from threading import Thread
from typing import NamedTuple

from vehicle.errors import CannotConnectError
from vehicle.simulator.adapter import Adapter
from vehicle.simulator.bus import Bus
from vehicle.simulator.engine import STEP_S, Model
from vehicle.simulator.options import SimulatorOptions, parse_simulator
from vehicle.simulator.ports import Port, PtyPort, SocketPort
from vehicle.simulator.serve import Session

_TICK_S = 0.05


class TcpAddress(NamedTuple):
    """Where a served car listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address as an adapter link takes it."""
        return f"socket://{self.host}:{self.port}"


class SimulatedCar:
    """A car that moves with the clock and answers ELM327 bytes.

    Simulated time is `clock() * speedup` since the car was made, plus what `advance` added; the same options and
    the same simulated time give the same values.
    """

    def __init__(
        self, options: SimulatorOptions | str = "petrol", *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.options = parse_simulator(options) if isinstance(options, str) else options
        self.model = Model(self.options)
        self.bus = Bus(self.model)
        self._clock = clock
        self._born = clock()
        self._ahead_s = 0.0

    def catch_up(self) -> None:
        """Step the model up to the present simulated time."""
        with self.bus.lock:
            now = (self._clock() - self._born) * self.options.speedup + self._ahead_s
            for _ in range(int(now / STEP_S + 1e-6) - self.model.steps):
                self.model.step()

    def advance(self, seconds: float) -> None:
        """Let simulated time jump ahead by some seconds, driving all the way."""
        self._ahead_s += seconds
        self.catch_up()

    def adapter(self) -> Adapter:
        """Return a new adapter plugged into this car, to be talked to in this process."""
        return Adapter(self.bus, self.catch_up)

    @contextmanager
    def serve_tcp(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[TcpAddress]:
        """Serve adapters on a TCP port while the context lasts; port 0 takes a free one."""
        try:
            listener = socket.create_server((host, port))
        except OSError as error:
            raise CannotConnectError(
                f"{host}:{port} cannot be listened on: {error}.", "Take port 0."
            ) from error
        stop = Flag()
        threads = [self._start(self._tick, stop), self._start(self._accept, listener, stop)]
        try:
            yield TcpAddress(*listener.getsockname()[:2])
        finally:
            _end(stop, threads)
            listener.close()

    @contextmanager
    def serve_pty(self) -> Iterator[str]:
        """Serve one adapter on a pseudo-terminal while the context lasts; gives its path."""
        stop = Flag()
        port = PtyPort()
        threads = [self._start(self._tick, stop), self._start(self._session(port, stop).serve)]
        try:
            yield port.path
        finally:
            _end(stop, threads)

    @contextmanager
    def serve_socket(self) -> Iterator[socket.socket]:
        """Serve one adapter on a connected socket in this process; gives the host's end."""
        stop = Flag()
        ours, theirs = socket.socketpair()
        threads = [self._start(self._tick, stop), self._start(self._session(SocketPort(ours), stop).serve)]
        try:
            with theirs:
                yield theirs
        finally:
            _end(stop, threads)

    def _session(self, port: Port, stop: Flag) -> Session:
        return Session(port, self.adapter(), stop, self.options.baud)

    def _accept(self, listener: socket.socket, stop: Flag) -> None:
        listener.settimeout(0.1)
        sessions: list[Thread] = []
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(None)
            sessions.append(self._start(self._session(SocketPort(connection), stop).serve))
        for thread in sessions:
            thread.join(timeout=2.0)

    def _tick(self, stop: Flag) -> None:
        while not stop.wait(_TICK_S):
            self.catch_up()

    def _start(self, work: Callable[..., None], *arguments: object) -> Thread:
        thread = Thread(target=work, args=arguments, name=f"simulated car {self.options.name}", daemon=True)
        thread.start()
        return thread


def _end(stop: Flag, threads: list[Thread]) -> None:
    stop.set()
    for thread in threads:
        thread.join(timeout=5.0)
