"""The HTTP door: POST /api/tools/{name}, one route per tool, each with its schema in OpenAPI."""

from typing import Any

from fastapi import APIRouter, Body, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from server.calls import answer, describe, find_tool
from server.hanging_up import run_for
from server.selection import AnyTool
from tools.answer import Answer
from tools.context import ToolContext, Workshop
from tools.errors import Code, ToolError

STATUS: dict[Code, int] = {
    "bad_arguments": 422,
    "not_found": 404,
    "not_allowed": 403,
    "car_unreachable": 503,
    "car_refused": 502,
    "unsupported": 501,
    "too_large": 413,
    "timeout": 504,
    "busy": 429,
    "internal_error": 500,
}


class ErrorBody(BaseModel):
    """What went wrong, for programs (`code`) and for people (`message`, `hint`)."""

    code: Code
    message: str
    hint: str


def tool_routes(tools: tuple[AnyTool, ...], workshop: Workshop) -> APIRouter:
    """Return the routes of the tools: the list, and one POST per tool."""
    router = APIRouter(prefix="/api/tools", tags=["tools"])

    @router.get("", summary="List the tools")
    def list_tools() -> list[dict[str, Any]]:
        return [describe(tool) for tool in tools]

    for tool in tools:
        router.add_api_route(
            f"/{tool.name}",
            _endpoint(tool, workshop),
            methods=["POST"],
            name=tool.name,
            summary=tool.title,
            description=tool.description,
            response_model=tool.result,
            responses={status: {"model": ErrorBody} for status in sorted(set(STATUS.values()))},
        )
    return router


def _endpoint(tool: AnyTool, workshop: Workshop) -> Any:
    needed = any(field.is_required() for field in tool.arguments.model_fields.values())

    async def endpoint(request: Request, arguments: Any) -> JSONResponse:
        context = ToolContext(workshop, requester="http")

        def call() -> JSONResponse:
            result: Answer = answer(tool, context, arguments.model_dump())
            return JSONResponse(result.structured())

        return await run_for(request, call, context.cancelled)

    endpoint.__annotations__ = {"request": Request, "arguments": tool.arguments, "return": JSONResponse}
    endpoint.__defaults__ = (Body(...) if needed else Body(default_factory=tool.arguments),)
    return endpoint


def add_error_handlers(app: FastAPI, tools: tuple[AnyTool, ...]) -> None:
    """Make every failure of the app read the same: code, message, hint."""

    def refuse(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ToolError)  # noqa: S101 - registered for this type only
        return JSONResponse(error.body(), status_code=STATUS[error.code])

    def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
        return refuse(request, _as_tool_error(request, error, tools))

    def http_error(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
        code = "not_found" if error.status_code == 404 else "bad_arguments"
        body = {"code": code, "message": str(error.detail), "hint": "GET /docs lists the routes."}
        return JSONResponse(body, status_code=error.status_code, headers=error.headers)

    app.add_exception_handler(ToolError, refuse)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)


def _as_tool_error(request: Request, error: RequestValidationError, tools: tuple[AnyTool, ...]) -> ToolError:
    """Say what every door says about these arguments."""
    prefix, _, name = request.url.path.rpartition("/")
    if prefix == "/api/tools" and isinstance(error.body, dict):
        try:
            find_tool(tools, name).check(error.body)
        except ToolError as refusal:
            return refusal
    problems = "; ".join(
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
        for problem in error.errors()[:5]
    )
    return ToolError("bad_arguments", f"{problems}.", "GET /docs shows what the route takes.")
