"""The independent ELM327 emulator from PyPI as a second test rig, reached over TCP."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def emulator(folder: Path, scenario: str = "car") -> Iterator[str]:
    """Run ELM327-emulator in a process of its own; gives its `socket://` address."""
    command = Path(sys.executable).with_name("elm")
    if not command.exists() and not shutil.which("elm"):
        pytest.skip("needs the package ELM327-emulator (dependency group dev)")
    port = _free_port()
    start = [str(command), "-b", str(folder / "elm.txt"), "-s", scenario, "-n", str(port)]
    with subprocess.Popen(start, cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield f"socket://127.0.0.1:{port}"
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    end = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
