"""The poller against the simulated car: right values, rates, gaps, states, reasons, and it always comes back."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from vehicle.errors import CannotConnectError, UnknownSignalError
from vehicle.links import Link, open_link
from vehicle.poller import Batch, Poller
from vehicle.poller.gaps import GapLog
from vehicle.poller.poller import NothingToReadError
from vehicle.poller.support import pids_of, read_support
from vehicle.signals import SIGNALS, decode_mode01, read_signal_file
from vehicle.simulator import SimulatedCar

BASIC = ["rpm", "speed", "coolant_temp", "throttle_pos", "maf", "intake_pressure"]


class Rig:
    """A served car whose clock stands still at half a minute into its drive, and a link to it."""

    def __init__(self, stack: ExitStack, options: str) -> None:
        self.car = SimulatedCar(options, clock=lambda: 0.0)
        self.car.advance(30.0)
        self.link: Link = stack.enter_context(open_link(stack.enter_context(self.car.serve_tcp()).url))

    def value(self, signal: str, ecu: str = "7E8") -> float:
        pid = SIGNALS[signal].pid
        assert pid is not None
        return decode_mode01(pid, self.link.request(bytes([1, pid]), ecu).checked()[0].data[2:])[signal]


@pytest.fixture
def rig_of() -> Iterator[Callable[[str], Rig]]:
    with ExitStack() as stack:
        yield lambda options: Rig(stack, options)


def collect(
    poller: Poller, seconds: float, until: Callable[[list[Batch]], bool] = lambda _: False
) -> list[Batch]:
    stop, batches, end = Event(), [], time.monotonic() + seconds
    for batch in poller.poll(stop):
        batches.append(batch)
        if time.monotonic() >= end or until(batches):
            stop.set()
    return batches


def merged(batches: list[Batch]) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    runs: dict[tuple[str, str], list[tuple[np.ndarray, np.ndarray]]] = {}
    for batch in batches:
        for run in batch.runs:
            assert run.signal not in SIGNALS or run.unit == SIGNALS[run.signal].unit
            runs.setdefault((run.signal, run.ecu), []).append((run.times_us, run.values))
    return {key: tuple(map(np.concatenate, zip(*parts, strict=True))) for key, parts in runs.items()}  # type: ignore[misc]  # two arrays each


def test_values_are_the_cars_and_times_go_up(rig_of: Callable[[str], Rig]) -> None:
    rig = rig_of("petrol?warm=1&ecus=2")
    poller = Poller(rig.link, BASIC, batch_s=0.1)
    batches = collect(poller, 0.6)
    runs = merged(batches)
    assert {signal for signal, _ in runs} == set(BASIC)
    for (signal, ecu), (times, values) in runs.items():
        assert ecu == "7E8"
        assert times.dtype == np.int64
        assert (times >= 0).all()
        assert (np.diff(times) >= 0).all()
        assert (values == rig.value(signal)).all(), signal
    assert times[-1] <= batches[-1].end_us
    assert poller.signals == tuple(BASIC)
    assert len(batches) >= 4
    assert not any(batch.gaps for batch in batches)


def test_fast_signals_come_every_round_and_slow_ones_about_once_a_second(
    rig_of: Callable[[str], Rig],
) -> None:
    runs = merged(collect(Poller(rig_of("petrol?ecu_ms=2").link, BASIC), 1.4))
    assert runs["coolant_temp", "7E8"][0].size in (2, 3)
    assert runs["rpm", "7E8"][0].size > 50


def test_without_a_list_everything_the_car_says_it_has_is_read(rig_of: Callable[[str], Rig]) -> None:
    rig = rig_of("petrol?warm=1&ecus=2")
    poller = Poller(rig.link)
    runs = merged(collect(poller, 1.0))
    listed = read_support(rig.link)["7E8"]
    wanted = {name for name, signal in SIGNALS.items() if signal.service == 1 and signal.pid in listed}
    assert {signal for signal, _ in runs} == wanted - set(poller.unsupported)
    assert "marks this part as not there" in poller.unsupported["o2_b1s1_trim"]


def test_what_cannot_be_read_is_named_with_its_reason(rig_of: Callable[[str], Rig]) -> None:
    rig = rig_of("petrol")
    poller = Poller(rig.link, ["rpm", "latitude", "nox_b1s1", "rpm@7EA", "elm_voltage"])
    runs = merged(collect(poller, 0.3))
    assert poller.unsupported["latitude"] == "no request to a car reads it"
    assert poller.unsupported["nox_b1s1"] == "no ECU lists PID 83"
    assert 10.0 < runs["elm_voltage", ""][1][0] < 16.0
    with pytest.raises(UnknownSignalError):
        Poller(rig.link, ["rmp"])
    with pytest.raises(NothingToReadError, match="latitude: no request"):
        next(Poller(rig.link, ["latitude"]).poll(Event()))


def test_one_ecus_own_reading_can_be_asked_for(rig_of: Callable[[str], Rig]) -> None:
    rig = rig_of("petrol?warm=1&ecus=2")
    runs = merged(collect(Poller(rig.link, ["rpm", "rpm@7E9"]), 0.3))
    assert set(runs) == {("rpm", "7E8"), ("rpm", "7E9")}
    assert runs["rpm", "7E9"][1][-1] == rig.value("rpm", "7E9")


@pytest.mark.parametrize("trouble", ["drop", "ignition", "freeze"])
def test_an_interruption_is_a_gap_with_a_reason_and_reading_goes_on(
    rig_of: Callable[[str], Rig], trouble: str
) -> None:
    rig = rig_of("petrol?warm=1")
    right = {name: rig.value(name) for name in BASIC}
    poller = Poller(rig.link, BASIC, batch_s=0.1, deadline_s=0.3)
    began = time.monotonic()
    done = []

    def steer(batches: list[Batch]) -> bool:
        elapsed = time.monotonic() - began
        if elapsed > 0.3 and not done:
            done.append("broken")
            if trouble == "ignition":
                rig.car.ignition(False)
            elif trouble == "drop":
                rig.car.misbehaviour.set("down")
                rig.car.drop_lines()
            else:
                rig.car.misbehaviour.set("freeze")
        if elapsed > 1.0 and len(done) == 1:
            done.append("mended")
            rig.car.misbehaviour.clear()
            rig.car.ignition(True)
        return any(batch.gaps for batch in batches) and bool(batches[-1].runs)

    batches = collect(poller, 8.0, steer)
    gaps = [gap for batch in batches for gap in batch.gaps]
    assert gaps, "a gap was recorded"
    assert gaps[0].end_us - gaps[0].start_us > 500_000
    assert gaps[0].reason
    states = {change.state for batch in batches for change in batch.states}
    if trouble != "freeze":  # so short a freeze is survived without opening the line again
        assert states & {"no_car", "lost", "waiting"}
        assert "connected" in states
    runs = merged(batches)
    assert max(times[-1] for times, _ in runs.values()) > gaps[0].end_us - 100_000
    if trouble != "ignition":
        assert all(set(values) == {right[signal]} for (signal, _), (_, values) in runs.items())


def test_an_adapter_that_takes_one_parameter_at_a_time_is_found_out_and_remembered(
    rig_of: Callable[[str], Rig],
) -> None:
    rig = rig_of("petrol?warm=1&clone=1")
    runs = merged(collect(Poller(rig.link, BASIC), 1.0))
    assert rig.link.batch_limit == 1
    assert {signal for signal, _ in runs} == set(BASIC)
    assert all((values == rig.value(signal)).all() for (signal, _), (_, values) in runs.items())


def test_a_car_on_k_line_is_read_one_parameter_at_a_time(rig_of: Callable[[str], Rig]) -> None:
    rig = rig_of("petrol?warm=1&protocol=5&ecus=2")
    runs = merged(collect(Poller(rig.link, ["rpm", "speed", "coolant_temp"]), 0.6))
    assert {ecu for _, ecu in runs} == {"10"}
    assert runs["rpm", "10"][0].size >= 2


def test_no_misbehaviour_puts_a_wrong_value_into_a_capture(rig_of: Callable[[str], Rig]) -> None:
    rig = rig_of("petrol?warm=1&ecus=2")
    right = {name: rig.value(name) for name in BASIC}
    kinds = iter(
        [
            "garbled",
            "half_frame",
            "lost_frame",
            "wrong_pid",
            "stale_reply",
            "interleaved",
            "no_data",
            "can_error",
            "bus_busy",
            "buffer_full",
            "question",
            "refuse",
            "reset",
            "lost_prompt",
        ]
    )

    def spoil(batches: list[Batch]) -> bool:
        kind = next(kinds, None)
        if kind is not None:
            rig.car.misbehaviour.clear()
            rig.car.misbehaviour.set(kind, times=2)
        return kind is None and bool(batches[-1].runs)

    runs = merged(collect(Poller(rig.link, BASIC, batch_s=0.08, deadline_s=0.2), 10.0, spoil))
    assert {signal for signal, _ in runs} == set(BASIC)
    for (signal, _), (_, values) in runs.items():
        assert set(values) == {right[signal]}, signal


def test_a_users_own_signal_is_read_with_its_request(rig_of: Callable[[str], Rig], tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "name,request,length,formula,unit,header,rate\nvin_first,22F190,17,A,code,7E0,fast\n", "utf-8"
    )
    rig = rig_of("petrol")
    runs = merged(collect(Poller(rig.link, ["vin_first", "rpm"], custom=read_signal_file(path)), 0.3))
    assert set(runs["vin_first", "7E8"][1]) == {ord(rig.car.options.vin[0])}


def test_stopping_ends_the_poll_at_once_and_a_closed_link_is_an_error(rig_of: Callable[[str], Rig]) -> None:
    rig = rig_of("petrol")
    stop = Event()
    poll = Poller(rig.link, BASIC).poll(stop)
    next(poll)
    stop.set()
    began = time.monotonic()
    assert len(list(poll)) <= 2
    assert time.monotonic() - began < 0.5
    rig.link.close()
    with pytest.raises(CannotConnectError, match="closed"):
        next(Poller(rig.link, BASIC).poll(Event()))


def test_short_interruptions_are_no_gaps_and_the_first_reason_counts() -> None:
    log = GapLog(100.0)
    log.failed(101.0, "NO DATA")
    log.worked(101.1)
    log.failed(102.0, "lost")
    log.failed(102.5, "waiting")
    log.worked(104.0)
    assert log.take() == ((2_000_000, 4_000_000, "lost"),)
    assert log.take() == ()


def test_a_gap_does_not_begin_before_the_last_reading() -> None:
    log = GapLog(0.0)
    log.worked(1.5)
    log.failed(1.4, "asked before the answer came, and lost")
    log.worked(3.0)
    assert log.take() == ((1_500_000, 3_000_000, "asked before the answer came, and lost"),)


def test_a_bitmap_marks_parameters_from_its_first_bit_on() -> None:
    assert pids_of(0x00, bytes.fromhex("80000001")) == {0x01, 0x20}
    assert pids_of(0x20, bytes.fromhex("40000000")) == {0x22}
