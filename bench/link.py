"""Readings per second and time to connect, beside python-OBD in the same run.

Three cars: ELM327-emulator's, and our simulated one with the timing of 38400 baud and of 500 kbaud. The same six
parameters everywhere (0C 0D 05 11 0F 10), as fast as each library goes, in interleaved rounds; medians count.
"""

import logging
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

sys.path.insert(0, str(Path(__file__).parents[1]))

from vehicle.links import open_link
from vehicle.poller import Poller

PIDS = bytes.fromhex("0C0D05110F10")
NAMES = ["rpm", "speed", "coolant_temp", "throttle_pos", "intake_temp", "maf"]
ROUNDS = 5
SECONDS = 0.5
EMULATOR = "ELM327-emulator, scenario car"
TIMED = (
    ("simulated 38400 baud, ECU 10 ms", "petrol?warm=1&ecus=1&baud=38400&ecu_ms=10&wait_ms=200"),
    ("simulated 500 kbaud, ECU 5 ms", "petrol?warm=1&ecus=1&baud=500000&ecu_ms=5&wait_ms=40"),
)
GOALS = {
    EMULATOR: {"python-OBD sync": 2.0, "python-OBD Async": 10.0},
    TIMED[0][0]: {"python-OBD sync": 3.0, "python-OBD Async": 10.0},
    TIMED[1][0]: {"python-OBD sync": 4.0, "python-OBD Async": 10.0},
}
CONNECT_GOAL = 0.4
SERVE = """
import sys, time
from vehicle.simulator import SimulatedCar
with SimulatedCar(sys.argv[1]).serve_tcp() as address:
    print(address.url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def emulator() -> Iterator[str]:
    """Run ELM327-emulator with its car scenario in a process of its own."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("elm")), "-b", "/dev/null", "-s", "car", "-n", str(port)]
    with (
        tempfile.TemporaryDirectory() as folder,  # it writes its log where it stands
        subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
        ) as process,
    ):
        try:
            for _ in range(100):
                try:
                    socket.create_connection(("127.0.0.1", port), 1.0).close()
                    break
                except OSError:
                    time.sleep(0.05)
            time.sleep(0.5)
            yield f"socket://127.0.0.1:{port}"
        finally:
            process.kill()


@contextmanager
def simulated(options: str) -> Iterator[str]:
    """Serve our simulated car in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def ours(address: str) -> tuple[float, float]:
    """Connect and poll the six parameters every round; returns seconds to connect and readings per second."""
    began = time.perf_counter()
    with open_link(address) as link:
        connected = time.perf_counter() - began
        poller = Poller(link, NAMES, batch_s=0.1, every_round=True)
        readings, began = 0, 0.0
        for batch in poller.poll(Event()):
            count = sum(run.values.size for run in batch.runs)
            readings += count if began else 0
            began = began or (time.perf_counter() if count else 0.0)
            if began and time.perf_counter() - began >= SECONDS:
                break
        return connected, readings / (time.perf_counter() - began)


def python_obd_sync(connection: object, commands: list[object]) -> float:
    """Query the six commands in turn with fast=True, its quickest way; returns readings per second."""
    readings, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        readings += sum(connection.query(command).value is not None for command in commands)  # type: ignore[attr-defined]  # ships no types
    return readings / (time.perf_counter() - began)


def python_obd_async(address: str, commands: list[object]) -> tuple[float, float]:
    """Watch the six commands with Async as it comes; returns seconds to connect and readings per second."""
    import obd

    began = time.perf_counter()
    connection = obd.Async(address, baudrate=38400)
    connected = time.perf_counter() - began
    readings = 0

    def count(response: object) -> None:
        nonlocal readings
        readings += getattr(response, "value", None) is not None

    for command in commands:
        connection.watch(command, callback=count)
    connection.start()
    time.sleep(0.3)
    readings, began = 0, time.perf_counter()
    time.sleep(2 * SECONDS)
    rate = readings / (time.perf_counter() - began)
    connection.stop()
    connection.close()
    return connected, rate


def measure(name: str, our_address: str, their_address: str, rounds: int) -> None:
    """Measure in interleaved rounds, each library at a server of its own, and print the rows of the table."""
    import obd

    commands = [obd.commands[1][pid] for pid in PIDS]
    began = time.perf_counter()
    connection = obd.OBD(their_address, baudrate=38400, fast=True)
    connect_sync = time.perf_counter() - began
    python_obd_sync(connection, commands)
    found, sync = [], []
    for _ in range(rounds):
        found.append(ours(our_address))
        sync.append(python_obd_sync(connection, commands))
    connection.close()
    connect_async, rate_async = python_obd_async(their_address, commands)
    connect = statistics.median(seconds for seconds, _ in found)
    rate = statistics.median(rate for _, rate in found)
    print(f"{name:33} ours             {rate:7.0f}/s{'':26}connects in {connect:.2f} s")
    for method, theirs, seconds in (
        ("python-OBD sync", statistics.median(sync), connect_sync),
        ("python-OBD Async", rate_async, connect_async),
    ):
        ratio = rate / theirs if theirs else float("inf")
        print(
            f"{'':33} {method:16} {theirs:7.0f}/s  ours/it {ratio:6.2f} (goal {GOALS[name][method]:g}) "
            f"connects in {seconds:.2f} s, ours/it {connect / seconds:.2f} (goal {CONNECT_GOAL:g} or less)",
            flush=True,
        )


def main() -> None:
    """Print the table of ratios."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with emulator() as first, emulator() as second:
        measure(EMULATOR, first, second, rounds)
    for name, options in TIMED:
        with simulated(options) as first, simulated(options) as second:
            measure(name, first, second, rounds)


if __name__ == "__main__":
    main()
