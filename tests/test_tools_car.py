"""The car as it is now: values, codes, tests, identity; and codes cleared only by a person's leave."""

from collections.abc import Iterator
from typing import Any

import anyio
import mcp
import mcp_types as types
import pytest

from server.mcp_server import build_mcp_server
from tools import TOOLS
from tools.approvals import decide
from tools.car import read_monitor_tests, read_signals, read_vehicle_info
from tools.clearing import clear_trouble_codes
from tools.context import ToolContext, Workshop
from tools.diagnosis import read_trouble_codes
from tools.errors import ToolError
from tools.trouble_codes import SNAPSHOT
from vehicle.simulator import SimulatedCar


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


@pytest.fixture
def faulty() -> Iterator[tuple[SimulatedCar, str]]:
    """A car that idled with a misfire until its codes were stored, and stands with its engine running."""
    car = SimulatedCar("workshop?fault=misfire&speedup=0")
    car.advance(900)
    with car.serve_tcp() as address:
        yield car, address.url


def refusal(call: Any, *arguments: Any, **named: Any) -> ToolError:
    with pytest.raises(ToolError) as refused:
        call.run(*arguments, named)
    return refused.value


def test_values_are_measured_per_ecu_or_absent_with_a_reason(
    context: ToolContext, faulty: tuple[SimulatedCar, str]
) -> None:
    answer = read_signals(context, ["rpm", "coolant_temp", "hybrid_battery_remaining"], faulty[1])
    kinds = {(one.signal, one.ecu): one.quantity.kind for one in answer.values}
    assert kinds["rpm", "7E8"] == kinds["rpm", "7E9"] == "measured"
    missing = next(one for one in answer.values if one.signal == "hybrid_battery_remaining")
    assert missing.quantity.value is None
    assert missing.quantity.reason


def test_codes_come_with_lamp_freeze_frame_readiness_and_time_since_clearing(
    context: ToolContext, faulty: tuple[SimulatedCar, str]
) -> None:
    answer = read_trouble_codes(context, faulty[1])
    assert answer.mil_on is True
    assert "P0300" in answer.codes("stored")
    assert {one.ecu for one in answer.lists if one.kind == "stored"} == {"7E8", "7E9"}
    assert answer.freeze_frames[0].code in answer.codes("stored")
    assert answer.since_clear.recently_cleared is False
    kept = context.store.snapshots.get(answer.snapshot_id)
    assert kept.kind == SNAPSHOT
    assert kept.data["lists"]


def test_on_board_tests_have_limits_and_verdicts(
    context: ToolContext, faulty: tuple[SimulatedCar, str]
) -> None:
    failed = [test for test in read_monitor_tests(context, faulty[1]).tests if test.verdict == "failed"]
    assert failed
    assert all(test.high is not None and test.value is not None and test.value > test.high for test in failed)


def test_the_car_says_who_it_is(context: ToolContext, faulty: tuple[SimulatedCar, str]) -> None:
    answer = read_vehicle_info(context, faulty[1])
    assert answer.vin == faulty[0].options.vin
    assert faulty[0].options.vin in answer.say()


def test_clearing_waits_for_a_person_and_then_runs_once(
    context: ToolContext, faulty: tuple[SimulatedCar, str]
) -> None:
    waiting = refusal(clear_trouble_codes, context, adapter=faulty[1])
    assert waiting.code == "not_allowed"
    assert "P0300" in waiting.message
    approval_id = waiting.details["approval_id"]
    assert (
        refusal(clear_trouble_codes, context, adapter=faulty[1], approval_id=approval_id).code
        == "not_allowed"
    )
    decide(context.store, approval_id, approved=True, by="test")
    done = clear_trouble_codes(context, faulty[1], approval_id)
    assert "7E8" in done.cleared
    assert "P0300" in done.lost
    after = read_trouble_codes(context, faulty[1])
    assert after.codes("stored") == []
    assert after.since_clear.recently_cleared is True
    again = refusal(clear_trouble_codes, context, adapter=faulty[1], approval_id=approval_id)
    assert again.code == "not_allowed"
    actions = [entry.action for entry in context.store.audit.list().rows]
    assert "cleared trouble codes" in actions


def test_a_moving_car_is_not_cleared(context: ToolContext) -> None:
    car = SimulatedCar("petrol?warm=1&cycle=highway&speedup=0")
    car.advance(120)
    with car.serve_tcp() as address:
        refused = refusal(clear_trouble_codes, context, adapter=address.url)
    assert refused.code == "not_allowed"
    assert "km/h" in refused.message
    assert context.store.approvals.pending() == []


@pytest.mark.parametrize("era", ["legacy", "auto"])
@pytest.mark.parametrize("approve", [True, False])
def test_an_mcp_client_puts_the_question_to_its_user(
    era: str, approve: bool, workshop: Workshop, faulty: tuple[SimulatedCar, str]
) -> None:
    asked: list[str] = []

    async def person(_: Any, question: types.ElicitRequestParams) -> types.ElicitResult:
        asked.append(question.message)
        return types.ElicitResult(action="accept", content={"approve": approve})

    async def call() -> types.CallToolResult:
        server = build_mcp_server(TOOLS, workshop)
        async with mcp.Client(server, mode=era, elicitation_callback=person) as client:
            return await client.call_tool("clear_trouble_codes", {"adapter": faulty[1]})

    result = anyio.run(call)
    assert len(asked) == 1
    assert "Lost would be" in asked[0]
    assert result.is_error is not approve
    stored = read_trouble_codes(ToolContext(workshop), faulty[1]).codes("stored")
    assert (stored == []) is approve


def test_a_client_that_cannot_ask_gets_the_approval_id(
    workshop: Workshop, faulty: tuple[SimulatedCar, str]
) -> None:
    async def call() -> types.CallToolResult:
        async with mcp.Client(build_mcp_server(TOOLS, workshop)) as client:
            return await client.call_tool("clear_trouble_codes", {"adapter": faulty[1]})

    result = anyio.run(call)
    assert result.is_error
    assert "approval_id" in result.content[0].text
