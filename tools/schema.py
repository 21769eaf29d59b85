"""JSON schemas as clients want them, and argument errors as people want them."""

from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError


def tidy_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without the titles pydantic repeats for every property: a fifth of the tool list."""
    return {key: _tidy(value, key) for key, value in schema.items() if key != "title"}


def _tidy(value: Any, key: str) -> Any:
    if isinstance(value, list):
        return [_tidy(item, "") for item in value]
    if not isinstance(value, dict):
        return value
    named = key in ("properties", "$defs")
    return {
        name: _tidy(item, "" if named else name) for name, item in value.items() if named or name != "title"
    }


def explain_invalid(tool: str, arguments: type[BaseModel], error: ValidationError) -> tuple[str, str]:
    """Return message and hint for arguments that do not fit: what was wrong, what is allowed."""
    problems = [_explain(arguments, problem) for problem in error.errors(include_url=False)[:5]]
    required = [name for name, field in arguments.model_fields.items() if field.is_required()]
    optional = [name for name, field in arguments.model_fields.items() if not field.is_required()]
    takes = f"{tool} takes " + (", ".join(required + [f"{name}?" for name in optional]) or "no arguments")
    return "; ".join(problems) + ".", takes + "."


def _explain(arguments: type[BaseModel], problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(place, arguments.model_fields, n=1)
        return f"unknown argument {place!r}" + (f", did you mean {near[0]!r}?" if near else "")
    if problem["type"] == "missing":
        return f"the argument {place!r} is missing"
    found = str(problem["input"])[:60]
    return f"{place}: {problem['msg']} (got {found!r})"
