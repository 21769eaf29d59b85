"""Simulated cars for tests: a clock moved by hand, and an adapter that is past its setup."""

from vehicle.simulator import SimulatedCar
from vehicle.simulator.elm.adapter import Adapter


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def still_car(address: str = "petrol", driven_s: float = 0.0) -> SimulatedCar:
    """Return a car whose time stands still after it was driven for some seconds."""
    car = SimulatedCar(address, clock=HandClock())
    if driven_s:
        car.advance(driven_s)
    return car


def plug(car: SimulatedCar, *setup: str) -> Adapter:
    """Return an adapter without echo and linefeeds on protocol 6, and with further commands given."""
    adapter = car.adapter()
    for command in ("ATE0", "ATL0", f"ATSP{car.options.protocol}", *setup):
        adapter.exchange(command.encode() + b"\r")
    return adapter


def ask(adapter: Adapter, request: str) -> bytes:
    """Return the answer to one command without the prompt."""
    answer = adapter.exchange(request.encode() + b"\r")
    assert answer.endswith(b"\r\r>"), answer
    return answer[: -len(b"\r\r>")]


def payload(adapter: Adapter, request: str) -> bytes:
    """Return the data bytes of a one-unit answer shown without headers, reassembled."""
    lines = ask(adapter, request).decode().replace(" ", "").split("\r")
    if len(lines) == 1:
        return bytes.fromhex(lines[0])
    data = "".join(line.split(":")[1] for line in lines[1:])
    return bytes.fromhex(data)[: int(lines[0], 16)]
