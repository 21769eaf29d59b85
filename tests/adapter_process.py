"""An adapter that is a process of its own, to be killed, frozen and started again: ours, or ELM327-emulator."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
STARTS_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class AdapterProcess:
    """A process that serves a car; `start` waits until a host can connect."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not started"
        return self._process

    def start(self) -> None:
        log = self._folder / "adapter.txt"
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )
        end = time.monotonic() + STARTS_S
        while not self.reachable(log):
            assert self._process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.02)

    def reachable(self, log: Path) -> bool:
        raise NotImplementedError

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10.0)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


class TcpAdapter(AdapterProcess):
    """An adapter on a TCP port that stays the same."""

    def __init__(self, command: list[str], folder: Path, port: int) -> None:
        super().__init__(command, folder)
        self._port = port
        self.address = f"socket://127.0.0.1:{port}"

    def reachable(self, log: Path) -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self._port), timeout=1.0).close()
            return True
        return False


class PtyAdapter(AdapterProcess):
    """An adapter on a pseudo-terminal that is found under a name of its own, as udev would give it."""

    def __init__(self, command: list[str], folder: Path) -> None:
        super().__init__(command, folder)
        self._name = folder / "ttyUSB7"
        self.address = f"/dev/..{self._name}"

    def reachable(self, log: Path) -> bool:
        path = log.read_text().strip()
        if not path.startswith("/dev/"):
            return False
        fresh = self._name.with_suffix(".new")
        fresh.symlink_to(path)
        fresh.replace(self._name)
        return True

    def kill(self) -> None:
        super().kill()
        self._name.unlink()


def simulator(transport: str, folder: Path, *options: str) -> TcpAdapter | PtyAdapter:
    command = [sys.executable, "-m", "vehicle.simulator", *options]
    if transport == "pty":
        return PtyAdapter([*command, "--pty"], folder)
    port = free_port()
    return TcpAdapter([*command, "--port", str(port)], folder, port)


def emulator_process(folder: Path) -> TcpAdapter:
    port = free_port()
    elm = str(Path(sys.executable).with_name("elm"))
    return TcpAdapter([elm, "-b", str(folder / "elm.txt"), "-s", "car", "-n", str(port)], folder, port)


@contextmanager
def running(adapter: TcpAdapter | PtyAdapter) -> Iterator[TcpAdapter | PtyAdapter]:
    adapter.start()
    try:
        yield adapter
    finally:
        if adapter.process.poll() is None:
            adapter.process.kill()
            adapter.process.wait(timeout=10.0)
