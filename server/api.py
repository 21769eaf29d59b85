"""The HTTP door: POST /api/tools/{name}, one route per tool, each with its schema in OpenAPI."""

from typing import Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse

from server.calls import answer, describe
from server.errors import REFUSALS
from server.hanging_up import run_for
from server.selection import AnyTool
from tools.answer import Answer
from tools.context import ToolContext, Workshop


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
            responses=REFUSALS,
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
