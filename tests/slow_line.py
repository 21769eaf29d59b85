"""A line between host and simulated adapter that can be stalled: what is on its way then arrives late, in order."""

import os
import select
import socket
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from threading import Event, Thread

from vehicle.simulator import SimulatedCar

Read = Callable[[], bytes]
Write = Callable[[bytes], object]


class SlowLine:
    """Passes bytes on at once; those towards the host wait while the line is stalled."""

    def __init__(self) -> None:
        self.stop = Event()
        self._stalled_until_s = 0.0

    def stall(self, seconds: float) -> None:
        """Hold back what the adapter sends for some seconds from now."""
        self._stalled_until_s = time.monotonic() + seconds

    def join(self, host: int, to_host: Write, from_host: Read, adapter: socket.socket) -> None:
        """Pass bytes between a host's file descriptor and an adapter until one of them goes."""
        late = b""
        with suppress(OSError):  # whoever goes first ends the line
            while not self.stop.is_set():
                ready, _, _ = select.select([host, adapter], [], [], 0.02)
                if host in ready:
                    typed = from_host()
                    if not typed:
                        return
                    adapter.sendall(typed)
                if adapter in ready:
                    said = adapter.recv(4096)
                    if not said:
                        return
                    late += said
                if late and time.monotonic() >= self._stalled_until_s:
                    to_host(late)
                    late = b""

    @contextmanager
    def over_tcp(self, car: SimulatedCar) -> Iterator[str]:
        """Serve the car's adapters behind this line; every connection gets an adapter of its own."""
        with socket.create_server(("127.0.0.1", 0)) as listener, car.serve_tcp() as behind:
            listener.settimeout(0.1)

            def serve(host: socket.socket) -> None:
                with host, socket.create_connection(behind) as adapter:
                    self.join(host.fileno(), host.sendall, lambda: host.recv(4096), adapter)

            def accept() -> None:
                while not self.stop.is_set():
                    with suppress(TimeoutError):
                        Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

            with self._running(accept):
                yield f"socket://127.0.0.1:{listener.getsockname()[1]}"

    @contextmanager
    def over_pty(self, car: SimulatedCar) -> Iterator[str]:
        """Serve one adapter of the car behind this line on a pseudo-terminal that keeps what nobody has read yet."""
        master, slave = os.openpty()
        tty.setraw(slave)
        with car.serve_tcp() as behind, closing(socket.create_connection(behind)) as adapter:

            def serve() -> None:
                self.join(master, lambda data: os.write(master, data), lambda: os.read(master, 4096), adapter)

            try:
                with self._running(serve):
                    yield os.ttyname(slave)
            finally:
                os.close(slave)
                os.close(master)

    @contextmanager
    def _running(self, work: Callable[[], None]) -> Iterator[None]:
        thread = Thread(target=work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.stop.set()
            thread.join(timeout=2.0)
