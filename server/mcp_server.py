"""The MCP door: every tool over stdio and /mcp, in both protocol eras."""

import base64
import json
from collections.abc import Mapping
from importlib.metadata import version
from threading import Event
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.stdio import stdio_server

import prompts
from server import elicitation
from server.calls import answer, find_tool
from server.selection import AnyTool
from tools.answer import Answer
from tools.context import ToolContext, Workshop
from tools.errors import ToolError

LARGEST_IMAGE_BYTES = 2_000_000

Request = ServerRequestContext[Any, Any]


def describe(tool: AnyTool) -> types.Tool:
    """Return the tool as MCP lists it."""
    effects = tool.effects
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=effects.read_only,
            destructive_hint=effects.destructive,
            idempotent_hint=effects.idempotent,
            open_world_hint=effects.open_world,
        ),
    )


def build_mcp_server(tools: tuple[AnyTool, ...], workshop: Workshop) -> Server[Any]:
    """Return an MCP server that offers these tools."""

    async def list_tools(_: Request, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[describe(tool) for tool in tools])

    async def call_tool(
        request: Request, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        try:
            return await _call(request, tools, workshop, params)
        except ToolError as error:
            return _refuse(error)

    return Server(
        "obd-agent",
        version=version("obd-agent"),
        title="Vehicle diagnostics",
        instructions=prompts.instructions({tool.toolset for tool in tools}),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _call(
    request: Request, tools: tuple[AnyTool, ...], workshop: Workshop, params: types.CallToolRequestParams
) -> types.CallToolResult | types.InputRequiredResult:
    """Run a tool; where it needs a person's approval, put the question to the client's user if it can."""
    tool = find_tool(tools, params.name)
    arguments = dict(params.arguments or {})
    decided = elicitation.answered(params)
    if decided is not None:
        await anyio.to_thread.run_sync(elicitation.settle, workshop, *decided)
        return await _run(request, tool, workshop, {**arguments, "approval_id": decided[0]})
    try:
        return await _run(request, tool, workshop, arguments)
    except ToolError as refusal:
        if "approval_id" not in refusal.details or not elicitation.can_ask(request):
            raise
        if elicitation.is_modern(request):
            return elicitation.question(refusal)
        approval_id = refusal.details["approval_id"]
        approved = await elicitation.ask(request, refusal)
    await anyio.to_thread.run_sync(elicitation.settle, workshop, approval_id, approved)
    return await _run(request, tool, workshop, {**arguments, "approval_id": approval_id})


async def _run(
    request: Request, tool: AnyTool, workshop: Workshop, arguments: Mapping[str, Any]
) -> types.CallToolResult:
    """Run a tool in a worker thread, with progress and cancellation."""
    cancelled = Event()

    def report(done: float, total: float | None, message: str) -> None:
        anyio.from_thread.run(request.session.report_progress, done, total, message)

    context = ToolContext(workshop, requester="mcp", progress=report, cancelled=cancelled)
    try:
        return await anyio.to_thread.run_sync(
            lambda: _finish(answer(tool, context, arguments), workshop), abandon_on_cancel=True
        )
    except anyio.get_cancelled_exc_class():
        cancelled.set()
        raise


def _finish(result: Answer, workshop: Workshop) -> types.CallToolResult:
    content: list[types.ContentBlock] = [types.TextContent(type="text", text=result.say())]
    for artifact in result.artifacts_to_show():
        if artifact.mime == "image/png" and artifact.size_bytes <= LARGEST_IMAGE_BYTES:
            data = workshop.store.artifacts.get(artifact.artifact_id).data
            image = base64.b64encode(data or b"").decode("ascii")
            content.append(types.ImageContent(type="image", data=image, mime_type=artifact.mime))
    return types.CallToolResult(content=content, structured_content=result.structured())


def _refuse(error: ToolError) -> types.CallToolResult:
    """Answer an error that the model can read: the same body as at every other door."""
    text = types.TextContent(type="text", text=json.dumps(error.body(), ensure_ascii=False))
    return types.CallToolResult(content=[text], is_error=True)


async def serve_stdio(server: Server[Any]) -> None:
    """Serve one client over standard input and output until it leaves."""
    options = server.create_initialization_options(NotificationOptions(tools_changed=False))
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, options)
