"""An adapter's process killed or frozen in the middle of a capture: a gap with its reason, and it goes on by itself."""

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from adapter_process import PtyAdapter, TcpAdapter, emulator_process, running, simulator

from tools.capture import capture_status, start_capture, stop_capture
from tools.context import ToolContext, Workshop
from tools.sessions import get_session
from vehicle.elm327.outcomes import Disconnected
from vehicle.poller import Batch
from vehicle.poller.gaps import SHORTEST_S

# Time stands still in this car, so that each signal has one right value, before and after.
STILL = ("workshop", "--speedup", "0", "--warm", "1")
SIGNALS = ["rpm", "coolant_temp", "intake_pressure", "throttle_pos", "fuel_level"]


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


class Watched:
    """A capture whose changes of state are noted."""

    def __init__(self, context: ToolContext, address: str, signals: list[str]) -> None:
        self.states: list[str] = []
        context.workshop.recorders.listeners.append(self._note)
        self._context = context
        self.address = address
        self.session_id = start_capture(context, address, signals).session_id
        until(lambda: self.readings > 20)

    def _note(self, session_id: str, batch: Batch) -> None:
        self.states += [change.state for change in batch.states]

    @property
    def readings(self) -> int:
        return capture_status(self._context, self.session_id).readings

    def lose(self) -> None:
        """Wait until the link is gone and was tried in vain; a request then says so at once."""
        until(lambda: "waiting" in self.states)
        with self._context.workshop.links.borrow(self.address) as link:
            began = time.monotonic()
            assert isinstance(link.request(b"\x01\x0c").trouble, Disconnected)
            assert time.monotonic() - began < 1.0
        time.sleep(SHORTEST_S)  # what is back sooner is no gap

    def goes_on(self) -> None:
        until(lambda: capture_status(self._context, self.session_id).link == "connected")
        before = self.readings
        until(lambda: self.readings > before + 20)


def lose_and_find(capture: Watched, adapter: TcpAdapter | PtyAdapter, trouble: str) -> None:
    if trouble == "killed":
        adapter.kill()
        capture.lose()
        adapter.start()
    else:
        adapter.freeze()
        capture.lose()
        adapter.thaw()
    capture.goes_on()


def check_gap(context: ToolContext, capture: Watched) -> None:
    """One gap with a reason, nothing read within it, readings of the same session before and after."""
    stopped = stop_capture(context, capture.session_id)
    assert (stopped.gaps, stopped.problem) == (1, None)
    assert stopped.reconnects >= 1
    lost = capture.states.index("lost")
    assert capture.states[lost:][-1] == "connected"
    assert "waiting" in capture.states[lost:]
    (gap,) = get_session(context, capture.session_id).gaps
    assert gap.reason
    for series in context.store.samples.read(capture.session_id):
        times_s = series.times_us / 1e6
        assert not ((times_s > gap.start_s) & (times_s < gap.end_s)).any()
        assert times_s[0] < gap.start_s
        assert times_s[-1] >= gap.end_s


@pytest.mark.parametrize("trouble", ["killed", "frozen"])
@pytest.mark.parametrize("transport", ["tcp", "pty"])
def test_a_capture_survives_its_adapter(
    context: ToolContext, tmp_path: Path, transport: str, trouble: str
) -> None:
    with running(simulator(transport, tmp_path, *STILL)) as adapter:
        capture = Watched(context, adapter.address, SIGNALS)
        right = {one.signal: set(one.values) for one in context.store.samples.read(capture.session_id)}
        assert all(len(values) == 1 for values in right.values()), right
        lose_and_find(capture, adapter, trouble)
        check_gap(context, capture)
    held = context.store.samples.read(capture.session_id)
    assert {one.signal for one in held} == set(SIGNALS)
    assert {one.signal: set(one.values) for one in held} == right


@pytest.mark.skipif(
    importlib.util.find_spec("elm") is None, reason="needs ELM327-emulator (dependency group dev)"
)
def test_a_capture_survives_a_stranger_that_is_killed(context: ToolContext, tmp_path: Path) -> None:
    with running(emulator_process(tmp_path)) as adapter:
        capture = Watched(context, adapter.address, ["rpm", "throttle_pos"])
        lose_and_find(capture, adapter, "killed")
        check_gap(context, capture)
