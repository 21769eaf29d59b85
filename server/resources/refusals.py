"""How resource routes refuse: the same body as every door, documented for every status."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from server.api import STATUS, ErrorBody
from tools.errors import ToolError
from tools.registry import ROOM_ERRORS

_OTHER = (400, 401, 405, 421)
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody} for status in sorted({*STATUS.values(), *_OTHER})
}


def add_room_errors(app: FastAPI) -> None:
    """Show what a ground room refused as every other door shows it."""

    def refuse(_: Request, error: Exception) -> JSONResponse:
        code, message, hint = (getattr(error, name) for name in ("code", "message", "hint"))
        return JSONResponse(ToolError(code, message, hint).body(), status_code=STATUS[code])

    for kind in ROOM_ERRORS:
        app.add_exception_handler(kind, refuse)
