"""A capture records a car over real ELM327 bytes; what was read is durable, and the end is clean."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from emulator import emulator

from tools.capture import capture_status, start_capture, stop_capture
from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.sessions import get_session, list_sessions
from tools.signals import query_signals

CAR = "sim:petrol?speedup=20&warm=1"
SIGNALS = ["rpm", "speed", "coolant_temp", "engine_load"]


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_a_capture_of_a_given_length_ends_by_itself_and_is_finished(context: ToolContext) -> None:
    started = start_capture(context, CAR, SIGNALS, duration_s=20)
    assert (started.state, started.simulated) == ("recording", True)
    until(lambda: capture_status(context, started.session_id).state == "finished")
    session = get_session(context, started.session_id)
    assert session.session.state == "finished"
    assert session.session.started_at is not None
    assert {row.signal for row in session.signals} == set(SIGNALS)
    assert session.session.duration_s == pytest.approx(20, abs=15)
    rpm = query_signals(context, started.session_id, ["rpm"]).signals[0]
    assert rpm.maximum is not None
    assert 500 < rpm.maximum < 8000


def test_readings_can_be_queried_while_it_records(context: ToolContext) -> None:
    session_id = start_capture(context, CAR, SIGNALS).session_id
    until(lambda: capture_status(context, session_id).readings > 0)
    assert query_signals(context, session_id, ["rpm"]).signals[0].readings > 0
    stopped = stop_capture(context, session_id)
    assert stopped.state == "finished"
    assert stopped.readings == get_session(context, session_id).session.readings


def test_a_signal_the_car_does_not_have_is_named_with_the_reason(context: ToolContext) -> None:
    session_id = start_capture(context, CAR, ["rpm", "oil_temp", "hybrid_battery_remaining"]).session_id
    until(lambda: capture_status(context, session_id).readings > 0)
    stopped = stop_capture(context, session_id)
    assert "hybrid_battery_remaining" in stopped.unsupported
    assert any("hybrid_battery_remaining" in warning for warning in get_session(context, session_id).warnings)


def test_one_adapter_records_once_at_a_time(context: ToolContext) -> None:
    session_id = start_capture(context, CAR, SIGNALS).session_id
    with pytest.raises(ToolError) as refused:
        start_capture(context, CAR, SIGNALS)
    assert refused.value.code == "busy"
    assert session_id in refused.value.message
    stop_capture(context, session_id)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"adapter": "socket://127.0.0.1:9"}, "car_unreachable"),
        ({"adapter": "carrier-pigeon:7"}, "bad_arguments"),
        ({"adapter": "sim:petrol?fault=gremlins"}, "bad_arguments"),
        ({"adapter": CAR, "signals": ["rmp"]}, "bad_arguments"),
        ({"adapter": CAR, "vehicle_id": "veh_nowhere"}, "not_found"),
        ({}, "bad_arguments"),
    ],
)
def test_what_cannot_be_started_says_why_and_leaves_no_session(
    context: ToolContext, arguments: dict[str, object], code: str
) -> None:
    with pytest.raises(ToolError) as refused:
        start_capture.run(context, arguments)
    assert refused.value.code == code
    assert refused.value.hint
    assert list_sessions(context).total == 0


def test_a_session_of_another_process_is_not_a_capture_here(context: ToolContext) -> None:
    session = context.store.sessions.create(origin="import", source="x.csv")
    with pytest.raises(ToolError, match="not a capture of this process"):
        capture_status(context, session.id)


def test_closing_the_workshop_finishes_its_captures(workshop: Workshop) -> None:
    context = ToolContext(workshop)
    session_id = start_capture(context, CAR, SIGNALS).session_id
    until(lambda: capture_status(context, session_id).readings > 0)
    workshop.close()
    assert workshop.store.sessions.get(session_id).state == "finished"


def test_a_stranger_to_our_simulator_is_captured_too(context: ToolContext, tmp_path: Path) -> None:
    with emulator(tmp_path) as address:
        session_id = start_capture(context, address, ["rpm", "speed", "throttle_pos"]).session_id
        until(lambda: capture_status(context, session_id).readings > 20, 20)
        stopped = stop_capture(context, session_id)
    assert not stopped.simulated
    assert not stopped.unsupported
    rpm = query_signals(context, session_id, ["rpm"]).signals[0]
    assert rpm.unit == "rpm"
    assert rpm.readings > 5
