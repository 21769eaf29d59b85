"""Adapters as tools: what there is is listed, and one is checked with evidence."""

import json
import time

import pytest

from tools.adapters import check_adapter, list_adapters
from tools.capture import start_capture, stop_capture
from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from vehicle.simulator import FAULTS, parse_simulator


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


def test_what_there_is_to_connect_to_is_listed_and_nothing_is_invented(
    context: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    answer = list_adapters(context)
    assert (answer.serial_ports, answer.captures, answer.default_adapter) == ([], [], None)
    assert answer.simulated.faults == list(FAULTS)
    for address in answer.simulated.addresses:
        parse_simulator(address)
    keys = {one.key: one for one in answer.simulated.keys}
    assert keys["clone"].allowed == "1, hang"
    assert keys["speedup"].allowed == "0 to 200"
    assert "Serial ports: none." in answer.say()


def test_a_running_capture_and_the_default_adapter_are_listed(workshop: Workshop) -> None:
    workshop.adapter = "sim:workshop"
    context = ToolContext(workshop)
    session_id = start_capture(context, signals=["rpm"]).session_id
    listed = list_adapters(context)
    assert [(one.session_id, one.adapter) for one in listed.captures] == [(session_id, "sim:workshop")]
    assert listed.default_adapter == "sim:workshop"
    stop_capture(context, session_id)
    assert list_adapters(context).captures == []


def test_a_check_says_identity_verdict_speed_and_voltage_within_seconds(context: ToolContext) -> None:
    began = time.monotonic()
    answer = check_adapter(context, "sim:workshop?version=2.1")
    assert time.monotonic() - began < 6
    assert answer.verdict == "genuine-looking"
    assert answer.single_rate.kind == answer.batched_rate.kind == "derived"
    assert answer.supply_voltage.kind == "measured"
    assert "genuine-looking" in answer.say()
    assert "simulated car" in answer.say()
    json.dumps(answer.structured())


def test_a_check_during_a_capture_shares_the_adapter_and_says_so(context: ToolContext) -> None:
    session_id = start_capture(context, "sim:workshop", ["rpm"]).session_id
    answer = check_adapter(context, "sim:workshop")
    assert answer.shared_with == session_id
    assert answer.batch_size == 6
    assert stop_capture(context, session_id).readings > 10


def test_a_clone_has_absent_batched_speed_with_the_reason(context: ToolContext) -> None:
    answer = check_adapter(context, "sim:workshop?clone=1")
    assert answer.verdict == "clone-looking"
    assert answer.batched_rate.kind == "absent"
    assert "do not work" in (answer.batched_rate.reason or "")


def test_an_adapter_that_is_not_there_is_an_error_with_a_hint(context: ToolContext) -> None:
    with pytest.raises(ToolError) as refused:
        check_adapter.run(context, {"adapter": "socket://127.0.0.1:9"})
    assert refused.value.code == "car_unreachable"
    assert refused.value.hint
