"""A model that follows a script: an OpenAI-compatible server with both APIs, streaming, and ways to fail."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Step = dict[str, Any]


def say(text: str) -> Step:
    return {"text": text}


def call(*calls: tuple[str, Any], text: str = "") -> Step:
    """Ask for tools at once; arguments that are text are sent as they are, right or wrong."""
    return {"text": text, "calls": [(name, a if isinstance(a, str) else json.dumps(a)) for name, a in calls]}


def fail(status: int, code: str = "") -> Step:
    return {"status": status, "code": code}


class ScriptedModel:
    """Answers each request with the next step; `obey` sees the whole request and may choose the step."""

    def __init__(self, *steps: Step, obey: Callable[[dict[str, Any]], Step] | None = None) -> None:
        self.steps = list(steps)
        self.obey = obey
        self.requests: list[dict[str, Any]] = []
        paths = {"/v1/chat/completions": self._chat, "/v1/responses": self._responses}
        self.app = Starlette(
            routes=[Route(path, _door(self, stream), methods=["POST"]) for path, stream in paths.items()]
        )

    async def _chat(self, step: Step) -> AsyncIterator[bytes]:
        for piece in _pieces(step.get("text", "")):
            yield _chunk({step.get("as", "content"): piece})
        for index, (name, arguments) in enumerate(step.get("calls", [])):
            yield _chunk({"tool_calls": [_piece(index, f"call_{index}", name, "")]})
            for part in _pieces(arguments):
                yield _chunk({"tool_calls": [_piece(index, None, None, part)]})
        if step.get("cut"):
            return
        if step.get("break"):
            raise ConnectionError("the script says so")
        if step.get("fault"):
            yield _data({"error": {"message": step["fault"], "code": "server_error"}})
            return
        yield _chunk({}, step.get("finish", "tool_calls" if step.get("calls") else "stop"))
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        yield _data({"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"

    async def _responses(self, step: Step) -> AsyncIterator[bytes]:
        refuses = step.get("as") == "refusal"
        kind = "response.refusal.delta" if refuses else "response.output_text.delta"
        for piece in _pieces(step.get("text", "")):
            yield _data({"type": kind, "delta": piece, "item_id": "m"})
        if step.get("cut"):
            return
        if step.get("break"):
            raise ConnectionError("the script says so")
        if step.get("fault"):
            yield _data({"type": "error", "code": "server_error", "message": step["fault"]})
            return
        output: list[dict[str, Any]] = [
            {"type": "function_call", "id": f"f{i}", "call_id": f"call_{i}", "name": name, "arguments": text}
            for i, (name, text) in enumerate(step.get("calls", []))
        ]
        if text := step.get("text"):
            part = {"type": "refusal", "refusal": text} if refuses else {"type": "output_text", "text": text}
            output.append({"type": "message", "id": "m", "role": "assistant", "content": [part]})
        usage = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}
        status = "incomplete" if step.get("finish") == "length" else "completed"
        response = {"id": "r", "object": "response", "status": status, "output": output, "usage": usage}
        yield _data({"type": f"response.{status}", "response": response})


def _door(model: ScriptedModel, stream: Callable[[Step], AsyncIterator[bytes]]) -> Any:
    async def door(request: Request) -> Response:
        body = await request.json()
        model.requests.append(body)
        step = model.obey(body) if model.obey else model.steps.pop(0)
        if "status" in step:
            error = {"error": {"message": "scripted", "code": step["code"]}}
            return JSONResponse(error, step["status"], {"retry-after-ms": "5"})
        return StreamingResponse(stream(step), media_type="text/event-stream")

    return door


def _pieces(text: str) -> list[str]:
    return [text[start : start + 7] for start in range(0, len(text), 7)]


def _piece(index: int, call_id: str | None, name: str | None, arguments: str) -> dict[str, Any]:
    return {
        "index": index,
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _data({"id": "c", "object": "chat.completion.chunk", "model": "scripted", "choices": [choice]})


def _data(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode()
