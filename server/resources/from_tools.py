"""Resource routes that are a tool under another address: the tool stays the one definition."""

import re
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Body, Header, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, create_model

from server.calls import answer
from server.errors import REFUSALS
from server.selection import AnyTool
from tools.answer import Answer
from tools.context import ToolContext, Workshop


class Resource(NamedTuple):
    """A method on a path, and the tool that it is; `{name}` in the path are arguments of the tool."""

    method: str
    path: str
    tool: str
    status: int = 200
    is_versioned: bool = False


RESOURCES = (
    Resource("GET", "/api/vehicles", "list_vehicles"),
    Resource("POST", "/api/vehicles", "save_vehicle", 201),
    Resource("PATCH", "/api/vehicles/{vehicle_id}", "save_vehicle"),
    Resource("GET", "/api/sessions", "list_sessions"),
    Resource("GET", "/api/sessions/{session_id}", "get_session", is_versioned=True),
    Resource("PATCH", "/api/sessions/{session_id}", "update_session"),
    Resource("DELETE", "/api/sessions/{session_id}", "delete_session"),
)
Changed = Callable[[str, str], None]


def tool_resources(tools: tuple[AnyTool, ...], workshop: Workshop, changed: Changed) -> APIRouter:
    """Return the routes of those tools that this process offers; `changed(tool, session_id)` hears of changes."""
    router = APIRouter(responses=REFUSALS)
    offered = {tool.name: tool for tool in tools}
    for resource in RESOURCES:
        if resource.tool in offered:
            _add(router, resource, offered[resource.tool], workshop, changed)
    return router


def _add(router: APIRouter, resource: Resource, tool: AnyTool, workshop: Workshop, changed: Changed) -> None:
    router.add_api_route(
        resource.path,
        _endpoint(resource, tool, workshop, changed),
        methods=[resource.method],
        name=f"{resource.method.lower()} {resource.path}",
        operation_id=f"{resource.method.lower()}_{tool.name}",
        summary=tool.title,
        description=tool.description,
        response_model=tool.result,
        status_code=resource.status,
        tags=[resource.path.split("/")[2]],
        responses={304: {"description": "You have it: nothing changed."}} if resource.is_versioned else None,
    )


def _endpoint(resource: Resource, tool: AnyTool, workshop: Workshop, changed: Changed) -> Any:
    in_path = re.findall(r"{(\w+)}", resource.path)
    rest = _arguments_without(tool, in_path, resource)

    def endpoint(**given: Any) -> Response:
        tag = _tag(workshop, given["session_id"]) if resource.is_versioned else None
        if tag is not None and tag in (given["if_none_match"] or ""):
            return Response(status_code=304, headers=_validator(tag))
        arguments = {name: given[name] for name in in_path}
        if "rest" in given:
            arguments |= given["rest"].model_dump(exclude_unset=True)
        result: Answer = answer(tool, ToolContext(workshop, requester="http"), arguments)
        if not tool.effects.read_only:
            changed(tool.name, str(arguments.get("session_id", "")))
        return JSONResponse(result.structured(), resource.status, _validator(tag) if tag else None)

    endpoint.__signature__ = _signature(tool, in_path, rest, resource)  # type: ignore[attr-defined]  # functions take one
    return endpoint


def _tag(workshop: Workshop, session_id: str) -> str:
    """Return the ETag of all that a session holds: its version grows with every change."""
    return f'"{session_id}-{workshop.store.sessions.get(session_id).version}"'


def _validator(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": "private, no-cache"}


def _arguments_without(tool: AnyTool, names: list[str], resource: Resource) -> type[BaseModel]:
    fields: dict[str, Any] = {
        name: (
            field.annotation if not field.metadata else Annotated[field.annotation, *field.metadata],
            field,
        )
        for name, field in tool.arguments.model_fields.items()
        if name not in names and not (resource.method == "POST" and name == "vehicle_id")
    }
    return create_model(
        f"{resource.method.lower()}_{tool.name}", __config__=ConfigDict(extra="forbid"), **fields
    )


def _signature(tool: AnyTool, in_path: list[str], rest: type[BaseModel], resource: Resource) -> Signature:
    kind = Parameter.KEYWORD_ONLY
    parameters = [
        Parameter(name, kind, annotation=Annotated[str, Path(min_length=1, max_length=64)])
        for name in in_path
    ]
    if resource.is_versioned:
        header = Annotated[str | None, Header(max_length=200)]
        parameters.append(Parameter("if_none_match", kind, default=None, annotation=header))
    if rest.model_fields:
        where = Query() if resource.method in ("GET", "DELETE") else Body()
        parameters.append(Parameter("rest", kind, annotation=Annotated[rest, where]))
    return Signature(parameters, return_annotation=tool.result)
