"""The simulated car: model, control units and adapter behind one object that can be served."""

import dataclasses
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from vehicle.errors import CannotConnectError
from vehicle.simulator.ecus.bus import Bus
from vehicle.simulator.elm.adapter import Adapter
from vehicle.simulator.misbehaviour import Misbehaviour
from vehicle.simulator.model import STEP_S, Model
from vehicle.simulator.options import SimulatorOptions, parse_simulator
from vehicle.simulator.serving.lines import Lines
from vehicle.simulator.serving.ports import PtyPort, SocketPort


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

    Simulated time is the clock's time since the car was made, times `speedup`, plus what `advance` added; the
    same options and the same simulated time give the same values.
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
        self._served: list[Lines] = []

    @property
    def misbehaviour(self) -> Misbehaviour:
        """The handle that makes car, adapter or line misbehave while it is served."""
        return self.bus.misbehaviour

    def state(self) -> dict[str, float]:
        """Return the true values and sensor readings of this moment by name, as `State` lists them."""
        self.catch_up()
        with self.bus.lock:
            values = dataclasses.asdict(self.model.state)
        return {name: value for name, value in values.items() if isinstance(value, (int, float))}

    def ignition(self, on: bool) -> None:
        """Turn the key: off stops the car and ends the driving cycle, on starts the engine again."""
        self.catch_up()
        with self.bus.lock:
            self.model.switch_ignition(on)

    def pedal(self, rpm: float | None) -> None:
        """Hold the parked car's engine at a speed in rpm; None takes the foot off."""
        self.catch_up()
        with self.bus.lock:
            self.model.driver.rpm = rpm

    def switch_on(self, loads_a: float) -> None:
        """Switch on consumers that draw so many amperes; 0 switches them off."""
        self.catch_up()
        with self.bus.lock:
            self.model.driver.loads_a = loads_a

    def repair(self) -> None:
        """Take the fault away for good, as a workshop would; codes and learnt trims stay."""
        self.catch_up()
        with self.bus.lock:
            self.model.repair()

    def advance(self, seconds: float) -> None:
        """Let simulated time jump ahead by some seconds, driving all the way."""
        with self.bus.lock:
            self._ahead_s += seconds
        self.catch_up()

    def catch_up(self) -> None:
        """Step the model up to the present simulated time."""
        with self.bus.lock:
            now = (self._clock() - self._born) * self.options.speedup + self._ahead_s
            for _ in range(int(now / STEP_S + 1e-6) - self.model.steps):
                self.model.step()

    def adapter(self) -> Adapter:
        """Return a new adapter plugged into this car, to be talked to in this process."""
        return Adapter(self.bus, self.catch_up)

    def drop_lines(self) -> None:
        """Close every line that is open now; hosts may open new ones."""
        for lines in self._served:
            lines.drop()

    @contextmanager
    def serve_tcp(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[TcpAddress]:
        """Serve adapters on a TCP port while the context lasts, one per host; port 0 takes a free one."""
        try:
            listener = socket.create_server((host, port))
        except OSError as error:
            raise CannotConnectError(
                f"{host}:{port} cannot be listened on: {error}.", "Take port 0."
            ) from error
        address = TcpAddress(*listener.getsockname()[:2])
        with self._lines() as lines:
            lines.listen(listener)
            yield address

    @contextmanager
    def serve_pty(self) -> Iterator[str]:
        """Serve one adapter on a pseudo-terminal while the context lasts; gives its path."""
        port = PtyPort()
        with self._lines() as lines:
            lines.plug(port)
            yield port.path

    @contextmanager
    def serve_socket(self) -> Iterator[socket.socket]:
        """Serve one adapter on a socket pair while the context lasts; gives the host's end."""
        ours, theirs = socket.socketpair()
        with self._lines() as lines, theirs:
            lines.plug(SocketPort(ours))
            yield theirs

    @contextmanager
    def _lines(self) -> Iterator[Lines]:
        lines = Lines(self.adapter, self.catch_up, self.options.baud)
        self._served.append(lines)
        try:
            yield lines
        finally:
            self._served.remove(lines)
            lines.end()
