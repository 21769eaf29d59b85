"""A guided test is run against a driven simulated car: steps asked, condition seen, session recorded, verdict."""

import json
import time
from dataclasses import replace
from threading import Event, Timer

import pytest

from analysis.guided.procedures import PROCEDURES
from tools.capture import start_capture, stop_capture
from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.guided import run_guided_test
from tools.sessions import get_session, list_sessions
from tools.signals import query_signals


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


@pytest.mark.parametrize(
    ("test", "address", "rule"),
    [
        ("hold_2500_rpm", "sim:workshop?driver=hold2500&speedup=60", None),
        (
            "hold_2500_rpm",
            "sim:workshop?driver=hold2500&fault=vacuum_leak&speedup=60",
            "hold-2500-vacuum-leak",
        ),
        (
            "snap_throttle",
            "sim:workshop?driver=snap&fault=fuel_pressure_low&speedup=20",
            "snap-throttle-fuel-delivery-weak",
        ),
        (
            "idle_with_load",
            "sim:workshop?driver=load&fault=weak_alternator&speedup=40",
            "idle-with-load-alternator-weak",
        ),
    ],
)
def test_a_driven_car_gets_the_right_verdict(
    context: ToolContext, test: str, address: str, rule: str | None
) -> None:
    answer = run_guided_test.run(context, {"test": test, "adapter": address})
    told = answer.structured()
    assert told["outcome"]["verdict"] == ("failed" if rule else "passed"), answer.say()
    assert [finding["rule"] for finding in told["outcome"]["findings"]][:1] == ([rule] if rule else [])
    assert all(step["seen"] for step in told["steps"])
    assert told["simulated"]
    assert "simulated car" in answer.say()
    json.dumps(told)


def test_the_phases_are_recorded_so_that_the_evidence_can_be_looked_at_later(workshop: Workshop) -> None:
    said: list[tuple[float, str]] = []
    context = ToolContext(workshop, progress=lambda done, _, message: said.append((done, message)))
    answer = run_guided_test(context, "crank", "sim:workshop?driver=crank&speedup=8")
    assert answer.session_id is not None
    session = context.store.sessions.get(answer.session_id)
    assert (session.state, session.origin) == ("finished", "capture")
    assert session.details["guided_test"] == "crank"
    assert [phase["step"] for phase in session.details["phases"]] == ["standing", "cranking", "running"]
    assert get_session(context, answer.session_id).session.name == "Guided test: Starting the engine"
    seen = answer.steps[1].seen
    assert seen is not None
    rpm = query_signals(context, answer.session_id, ["rpm"], seen.start_s, seen.end_s).signals[0]
    assert rpm.maximum is not None
    assert rpm.maximum >= 390
    assert any("Start the engine." in message for _, message in said)
    assert any("Now rpm" in message and "wanted" in message for _, message in said)
    assert [done for done, _ in said] == sorted(done for done, _ in said)


def test_explaining_returns_the_steps_and_touches_nothing(context: ToolContext) -> None:
    answer = run_guided_test(context, "hold_2500_rpm", "/dev/ttyUSB7", explain_only=True)
    assert (answer.outcome, answer.session_id) == (None, None)
    assert "Hold the engine at 2500 rpm" in answer.say()
    assert answer.steps[1].wanted[0] == "rpm 2,250 to 2,750 rpm"
    assert list_sessions(context).total == 0


def test_a_cancelled_test_ends_at_once_and_gives_no_verdict(workshop: Workshop) -> None:
    cancelled = Event()
    context = ToolContext(workshop, cancelled=cancelled)
    Timer(0.8, cancelled.set).start()
    began = time.monotonic()
    answer = run_guided_test(context, "hold_2500_rpm", "sim:workshop")
    assert time.monotonic() - began < 4
    assert answer.outcome is not None
    assert (answer.outcome.verdict, answer.outcome.reason) == ("not carried out", "The test was cancelled.")
    assert answer.session_id is not None
    assert context.store.sessions.get(answer.session_id).state == "finished"
    assert workshop.running_captures() == []


def test_what_is_not_done_in_time_gives_no_verdict(context: ToolContext) -> None:
    answer = run_guided_test(context, "hold_2500_rpm", "sim:workshop?speedup=150")
    assert answer.outcome is not None
    assert answer.outcome.verdict == "not carried out"
    assert "Hold the engine at 2500 rpm" in answer.outcome.reason
    assert [step.seen is not None for step in answer.steps] == [True, False]


def test_an_adapter_that_records_already_is_busy(context: ToolContext) -> None:
    session_id = start_capture(context, "sim:workshop", ["rpm"]).session_id
    with pytest.raises(ToolError) as refused:
        run_guided_test(context, "crank", "sim:workshop")
    assert refused.value.code == "busy"
    stop_capture(context, session_id)


def test_a_car_that_lacks_a_signal_or_sleeps_is_told_and_leaves_no_session(
    context: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    hybrid = replace(PROCEDURES["crank"], needs=(("rpm",), ("hybrid_battery_remaining",)))
    monkeypatch.setattr("tools.guided.PROCEDURES", {"crank": hybrid})
    with pytest.raises(ToolError, match="hybrid_battery_remaining") as refused:
        run_guided_test(context, "crank", "sim:workshop")
    assert refused.value.code == "unsupported"
    with pytest.raises(ToolError) as asleep:
        run_guided_test(context, "crank", "sim:workshop?misbehave=ignition_off")
    assert asleep.value.code == "car_unreachable"
    assert list_sessions(context).total == 0


def test_a_test_that_would_write_needs_a_person(
    context: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = replace(PROCEDURES["crank"], writes="switches the fuel pump off")
    monkeypatch.setattr("tools.guided.PROCEDURES", {"crank": writing})
    with pytest.raises(ToolError) as refused:
        run_guided_test(context, "crank", "sim:workshop")
    assert refused.value.code == "not_allowed"
    assert "fuel pump" in refused.value.message
    assert refused.value.details["approval_id"] in {one.id for one in context.store.approvals.pending()}
