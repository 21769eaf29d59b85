"""A tool is a typed function: its schemas, its checks and its errors come from the function itself."""

from typing import Annotated, Any

import pytest
from pydantic import Field

from tools import TOOLS
from tools.answer import Answer
from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.registry import Tool, tool
from vehicle.errors import NoAnswerError


class Sum(Answer):
    total: float

    def say(self) -> str:
        return f"The sum is {self.total}."


@tool("lookup", "Add")
def add(
    context: ToolContext, first: float, second: Annotated[float, Field(ge=0, description="Not negative.")] = 1
) -> Sum:
    """Add two numbers."""
    if first == 13:
        raise NoAnswerError("The adder did not answer.", "Ask again.")
    return Sum(total=first + second)


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


def test_the_schema_comes_from_the_signature_and_allows_nothing_else() -> None:
    assert add.input_schema == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "first": {"type": "number"},
            "second": {"type": "number", "minimum": 0, "default": 1, "description": "Not negative."},
        },
        "required": ["first"],
    }


def test_a_tool_runs_on_plain_json_and_stays_a_typed_function(context: ToolContext) -> None:
    assert add.run(context, {"first": 2}).structured() == {"total": 3.0}
    assert add(context, 2, second=5).total == 7


def test_an_unknown_argument_names_the_nearest_known_one(context: ToolContext) -> None:
    with pytest.raises(ToolError) as refused:
        add.run(context, {"frist": 2})
    assert refused.value.code == "bad_arguments"
    assert "did you mean 'first'" in refused.value.message
    assert refused.value.hint == "add takes first, second?."


def test_what_a_room_refuses_reaches_the_caller_with_code_and_hint(context: ToolContext) -> None:
    with pytest.raises(ToolError) as refused:
        add.run(context, {"first": 13})
    assert refused.value.body() == {
        "code": "timeout",
        "message": "The adder did not answer.",
        "hint": "Ask again.",
    }


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_leaves_as_null(context: ToolContext, bad: float) -> None:
    assert add(context, bad).structured() == {"total": None}


@pytest.mark.parametrize("one", TOOLS, ids=lambda one: one.name)
def test_every_tool_is_described_for_a_model(one: Tool[Any, Any]) -> None:
    assert len(one.description) > 60
    assert one.input_schema["additionalProperties"] is False
    assert one.output_schema["type"] == "object"
    for name, argument in one.input_schema["properties"].items():
        described = argument.get("description") or any(
            "description" in option for option in argument.get("anyOf", [])
        )
        assert described, f"{one.name} does not describe {name}"


def test_tools_are_named_once() -> None:
    assert len({one.name for one in TOOLS}) == len(TOOLS)
