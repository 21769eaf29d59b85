"""Readings per second straight on CAN beside the same car through an ELM327 adapter, in the same run.

Each car lives in a process of its own and answers after the same time: at once, or after 5 ms. The adapter has the
timing of 500 kbaud; UDP multicast stands in for the CAN bus, whose frames would take 0.25 ms each. The same six
parameters everywhere (0C 0D 05 11 0F 10), asked by the same poller, in interleaved rounds; medians count.
"""

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

sys.path.insert(0, str(Path(__file__).parents[1]))

from vehicle.links import open_link
from vehicle.poller import Poller

NAMES = ["rpm", "speed", "coolant_temp", "throttle_pos", "intake_temp", "maf"]
GROUP = "239.74.163.78"
ROUNDS = 5
SECONDS = 0.5
CAR = "petrol?warm=1&ecus=1"
ROOT = Path(__file__).parents[1]
SERVE = """
import sys
from vehicle.simulator import SimulatedCar
with SimulatedCar(sys.argv[1]).serve_tcp() as address:
    print(address.url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def process(*arguments: str) -> Iterator[str]:
    """Run a Python process while the context lasts; gives its first line."""
    with subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        try:
            yield child.stdout.readline().strip()
        finally:
            child.stdin.close()
            child.wait(timeout=10)


@contextmanager
def on_can(ecu_ms: int) -> Iterator[str]:
    """Put the car on a bus of datagrams that never leave this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    with process("tests/can_peer.py", GROUP, str(port), CAR, str(ecu_ms)) as ready:
        assert ready == "ready"
        yield f"can:udp_multicast:{GROUP}:{port}?hops=0"


@contextmanager
def behind_adapter(ecu_ms: int) -> Iterator[str]:
    """Put the car behind an adapter with the timing of 500 kbaud."""
    with process("-c", SERVE, f"{CAR}&baud=500000&wait_ms=40&ecu_ms={ecu_ms}") as url:
        yield url


def rate(address: str) -> tuple[float, float]:
    """Connect and poll the six parameters every round; returns seconds to connect and readings per second."""
    began = time.perf_counter()
    with open_link(address) as link:
        connected = time.perf_counter() - began
        readings, began = 0, 0.0
        for batch in Poller(link, NAMES, batch_s=0.1, every_round=True).poll(Event()):
            count = sum(run.values.size for run in batch.runs)
            readings += count if began else 0
            began = began or (time.perf_counter() if count else 0.0)
            if began and time.perf_counter() - began >= SECONDS:
                break
        return connected, readings / (time.perf_counter() - began)


def compare(ecu_ms: int) -> None:
    """Print rates side by side for one time an ECU takes to answer."""
    with on_can(ecu_ms) as can, behind_adapter(ecu_ms) as adapter:
        rounds = [(rate(can), rate(adapter)) for _ in range(ROUNDS)]
    connects = [statistics.median(pair[side][0] for pair in rounds) for side in (0, 1)]
    rates = [statistics.median(pair[side][1] for pair in rounds) for side in (0, 1)]
    ratios = sorted(pair[0][1] / pair[1][1] for pair in rounds)
    print(
        f"ECU {ecu_ms} ms: CAN {rates[0]:,.0f} readings/s, adapter {rates[1]:,.0f}; "
        f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}); "
        f"connected in {connects[0]:.2f} s and {connects[1]:.2f} s"
    )


if __name__ == "__main__":
    for milliseconds in (0, 5):
        compare(milliseconds)
