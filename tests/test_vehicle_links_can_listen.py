"""Listening on CAN: what others ask for is decoded, nothing is sent, a thousand answers a second are kept."""

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from uuid import uuid4

import can
import numpy as np
import pytest
from can_peer import can_peer
from slcan_adapter import SlcanAdapter

from vehicle.errors import BadAddressError, CannotConnectError, UnknownSignalError
from vehicle.links import open_link
from vehicle.links.can_listen import CanListener, PassingAnswers
from vehicle.poller import Batch
from vehicle.simulator import SimulatedCar

RPM = bytes.fromhex("04410C1AF8")


def answer(data: bytes, number: int = 0x7E8) -> can.Message:
    return can.Message(arbitration_id=number, data=data, is_extended_id=number > 0x7FF)


class Listening(threading.Thread):
    """A listener at work in a thread, its batches kept."""

    def __init__(self, listener: CanListener) -> None:
        super().__init__(daemon=True)
        self.listener = listener
        self.batches: list[Batch] = []
        self.ready = Event()
        self._ended = Event()

    def run(self) -> None:
        for batch in self.listener.poll(self._ended):
            self.batches.append(batch)
            self.ready.set()

    def __enter__(self) -> "Listening":
        self.start()
        assert self.ready.wait(5.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def times_and_values(self, signal: str, ecu: str = "7E8") -> tuple[np.ndarray, np.ndarray]:
        runs = [run for batch in self.batches for run in batch.runs if (run.signal, run.ecu) == (signal, ecu)]
        return np.concatenate([run.times_us for run in runs]), np.concatenate([run.values for run in runs])


def test_what_another_tester_asks_for_is_heard_with_its_ecu() -> None:
    channel = uuid4().hex
    car = SimulatedCar("petrol?warm=1&ecus=2", clock=lambda: 0.0)
    with ExitStack() as stack:
        peer = stack.enter_context(can_peer(channel, car))
        link = stack.enter_context(open_link(f"can:virtual:{channel}"))
        with Listening(CanListener(f"can:virtual:{channel}", batch_s=0.05)) as listening:
            link.request(bytes.fromhex("010C0D05110F10"), "7E8").checked()
            link.request(b"\x01\x0c").checked()
            sent = len(peer.seen)
            time.sleep(0.12)
            assert len(peer.seen) == sent
    assert len(listening.times_and_values("rpm")[0]) == 2
    assert len(listening.times_and_values("rpm", "7E9")[0]) == 1
    assert len(listening.times_and_values("maf")[0]) == 1
    assert listening.listener.passing.broken == 0


def test_a_thousand_answers_a_second_are_kept_in_order_at_their_times() -> None:
    channel = uuid4().hex
    address = f"can:virtual:{channel}"
    with (
        Listening(CanListener(address, ["rpm"], batch_s=0.1)) as listening,
        can.Bus(channel, interface="virtual", ignore_config=True) as car,
    ):
        began = time.monotonic()
        for number in range(1000):
            car.send(answer(b"\x04\x41\x0c" + number.to_bytes(2, "big")))
            car.send(answer(bytes.fromhex("03410D20")))
            time.sleep(max(0.0, began + (number + 1) / 1000 - time.monotonic()))
        took_s = time.monotonic() - began
        time.sleep(0.25)
    times, values = listening.times_and_values("rpm")
    assert (values == np.arange(1000) / 4).all()
    assert (np.diff(times) >= 0).all()
    assert abs((times[-1] - times[0]) / 1e6 - took_s) < 0.1
    assert {run.signal for batch in listening.batches for run in batch.runs} == {"rpm"}


def test_an_answer_that_comes_apart_in_no_or_two_ways_is_counted_and_not_decoded() -> None:
    passing = PassingAnswers()
    assert passing.take(0, "7E8", RPM) == (0, "7E8", {"rpm": 1726.0})
    assert passing.take(1, "18DAF110", RPM) == (1, "18DAF110", {"rpm": 1726.0})
    for damaged in ("03410C1A", "05410C1AF800", "037F0112", "0341FF00"):
        assert passing.take(2, "7E8", bytes.fromhex(damaged)) is None
    assert passing.undecoded.total() >= 3
    assert passing.take(3, "7E8", bytes.fromhex("0562F40C1AF8")) == (3, "7E8", {"rpm": 1726.0})


def test_the_request_heard_before_tells_how_an_answer_comes_apart() -> None:
    passing = PassingAnswers()
    assert passing.take(0, "7E0", bytes.fromhex("03010D0C")) is None
    assert passing.take(1, "7E8", bytes.fromhex("06410C1AF80D20")) == (
        1,
        "7E8",
        {"rpm": 1726.0, "speed": 32.0},
    )


def test_a_lost_interface_is_a_gap_and_listening_goes_on_silently(tmp_path: Path) -> None:
    channel = uuid4().hex
    adapter = SlcanAdapter(tmp_path / "ttyCAN", channel)
    adapter.plug()
    listener = CanListener(f"can:slcan:{adapter.path}", batch_s=0.1)
    with can.Bus(channel, interface="virtual", ignore_config=True) as car, Listening(listener) as listening:
        assert "L" in adapter.commands
        assert "O" not in adapter.commands
        car.send(answer(RPM))
        time.sleep(0.2)
        adapter.unplug()
        time.sleep(0.2)
        adapter.plug()
        end = time.monotonic() + 8.0
        while len([1 for batch in listening.batches for _ in batch.states]) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        car.send(answer(RPM))
        time.sleep(0.3)
    adapter.unplug()
    assert [change.state for batch in listening.batches for change in batch.states] == ["lost", "connected"]
    assert [gap.reason[:4] for batch in listening.batches for gap in batch.gaps] == ["lost"]
    assert list(listening.times_and_values("rpm")[1]) == [1726.0, 1726.0]


def test_what_cannot_be_listened_to_is_said_at_once() -> None:
    with pytest.raises(BadAddressError):
        CanListener("can:virtual:")
    with pytest.raises(UnknownSignalError):
        CanListener("can:virtual:a", ["rmp"])
    with pytest.raises(CannotConnectError):
        next(CanListener("can:slcan:/dev/nosuchtty").poll(Event()))
