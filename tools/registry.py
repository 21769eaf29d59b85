"""Turns one typed function into a tool: schemas, effects, checked arguments, one kind of error."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from analysis.errors import AnalysisError
from sandbox.errors import SandboxError
from storage.errors import StorageError
from tools.answer import Answer
from tools.context import ToolContext
from tools.errors import ToolError
from tools.schema import explain_invalid, tidy_schema
from vehicle.errors import CarError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result", bound=Answer)
Toolset = Literal["capture", "sessions", "analysis", "python", "lookup", "research"]

ROOM_ERRORS = (AnalysisError, CarError, SandboxError, StorageError)


@dataclass(frozen=True)
class Effects:
    """What calling a tool may do to the world outside the answer."""

    read_only: bool = True
    destructive: bool = False
    idempotent: bool = True
    open_world: bool = False


class Tool(Generic[Parameters, Result]):
    """One function that an agent can ask for. Calling it directly stays typed; `run` checks plain JSON first."""

    def __init__(
        self,
        function: Callable[Concatenate[ToolContext, Parameters], Result],
        toolset: Toolset,
        title: str,
        effects: Effects,
    ) -> None:
        self.function = function
        self.toolset = toolset
        self.title = title
        self.effects = effects
        self.name = function.__name__
        self.description = inspect.getdoc(function) or ""

    def __call__(
        self, context: ToolContext, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Run the function as it is written."""
        return self.function(context, *args, **kwargs)

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The model of the arguments, built from the signature; unknown arguments are an error."""
        hints = get_type_hints(self.function, include_extras=True)
        fields: dict[str, Any] = {
            name: (hints[name], ... if parameter.default is parameter.empty else parameter.default)
            for name, parameter in list(inspect.signature(self.function).parameters.items())[1:]
        }
        strict = ConfigDict(extra="forbid", allow_inf_nan=False)
        return create_model(f"{self.name}_arguments", __config__=strict, **fields)

    @cached_property
    def result(self) -> type[Answer]:
        """The model of the answer: the function's return annotation."""
        answer: type[Answer] = get_type_hints(self.function)["return"]
        if not issubclass(answer, Answer):
            raise TypeError(f"the tool {self.name} must return an Answer, not {answer}")
        return answer

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """JSON schema of the arguments."""
        return tidy_schema(self.arguments.model_json_schema())

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """JSON schema of the structured answer."""
        return tidy_schema(self.result.model_json_schema(mode="serialization"))

    def check(self, arguments: Mapping[str, Any]) -> BaseModel:
        """Check plain JSON arguments.

        Raises:
            ToolError: `bad_arguments`, saying what was wrong and what the tool takes.
        """
        try:
            return self.arguments.model_validate(dict(arguments))
        except ValidationError as error:
            raise ToolError("bad_arguments", *explain_invalid(self.name, self.arguments, error)) from error

    def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> Answer:
        """Check plain JSON arguments and run the function.

        Raises:
            ToolError: bad arguments, or what the function or a room below it refused.
        """
        checked = self.check(arguments)
        values = {name: getattr(checked, name) for name in type(checked).model_fields}
        try:
            return self.function(context, **values)  # type: ignore[call-arg]  # checked above, not by mypy
        except ROOM_ERRORS as error:
            raise ToolError(error.code, error.message, error.hint) from error  # type: ignore[arg-type]  # rooms declare plain str


def tool(
    toolset: Toolset,
    title: str,
    *,
    read_only: bool = True,
    destructive: bool = False,
    idempotent: bool = True,
    open_world: bool = False,
) -> Callable[[Callable[Concatenate[ToolContext, Parameters], Result]], Tool[Parameters, Result]]:
    """Make a tool of a function `(context, typed arguments) -> Answer`; its docstring is what the model reads."""
    effects = Effects(read_only, destructive, idempotent, open_world)

    def make(
        function: Callable[Concatenate[ToolContext, Parameters], Result],
    ) -> Tool[Parameters, Result]:
        return Tool(function, toolset, title, effects)

    return make
