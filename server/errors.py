"""How every HTTP route refuses: one body, one status for each code, the same words as at every other door."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from server.calls import find_tool
from server.selection import AnyTool
from tools.errors import Code, ToolError
from tools.registry import ROOM_ERRORS

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


# What a route may answer beside its own: also what the web itself refuses before the route is reached.
_OTHER = (400, 401, 405, 415, 421)
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody} for status in sorted({*STATUS.values(), *_OTHER})
}


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

    def refuse_for_room(request: Request, error: Exception) -> JSONResponse:
        code, message, hint = (getattr(error, name) for name in ("code", "message", "hint"))
        return refuse(request, ToolError(code, message, hint))

    app.add_exception_handler(ToolError, refuse)
    for kind in ROOM_ERRORS:
        app.add_exception_handler(kind, refuse_for_room)
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
