"""The chat for every program that speaks OpenAI's API: /v1/chat/completions and /v1/models."""

import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sse_starlette import EventSourceResponse

from server.chat.builtin import NAME as BUILT_IN
from server.chat.collected import Answered, collect_while_awaited
from server.chat.events import ArtifactMade, Done, Event, Failed, TextDelta
from server.chat.openai_requests import ANY_MODEL, CompletionRequest
from server.chat.responder import Question, Responder
from server.errors import REFUSALS, STATUS, ErrorBody
from tools.errors import ToolError

_FINISH = {"stop": "stop", "length": "length", "refusal": "content_filter"}


class ErrorDetail(BaseModel):
    """What went wrong, as clients of that API read it; `code` is ours."""

    message: str
    type: str
    code: str
    param: str | None


class OpenAIError(BaseModel):
    """An error as clients of that API expect it."""

    error: ErrorDetail


_ANSWERS: dict[int | str, dict[str, Any]] = {
    # A body that does not fit, or a caller that is not let in, is refused before this door and in its words.
    **{status: {"model": OpenAIError | ErrorBody} for status in REFUSALS},
    200: {"description": "The answer, or its chunks", "content": {"text/event-stream": {}}},
}


def openai_routes(responder: Responder) -> APIRouter:
    """Return the OpenAI-compatible routes."""
    router = APIRouter(prefix="/v1", tags=["openai"])
    router.add_api_route("/chat/completions", _completions(responder), methods=["POST"], responses=_ANSWERS)
    router.add_api_route("/models", _models(responder), methods=["GET"], responses=REFUSALS)
    return router


def _models(responder: Responder) -> Any:
    def list_models() -> dict[str, Any]:
        """List who can answer: the model with the tools, and the built-in rules."""
        names = dict.fromkeys([ANY_MODEL, *responder.models])
        rows = [{"id": name, "object": "model", "created": 0, "owned_by": "obd-agent"} for name in names]
        return {"object": "list", "data": rows}

    return list_models


def _completions(responder: Responder) -> Any:
    async def create_chat_completion(
        request: CompletionRequest,
        http: Request,
        authorization: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> Response:
        """Answer the last message with this server's tools; nothing is stored."""
        try:
            question = _question(responder, request, authorization)
            if request.stream:
                usage = bool((request.stream_options or {}).get("include_usage"))
                return EventSourceResponse(_stream(responder, question, request.model, usage), sep="\n")
            answered = await collect_while_awaited(responder.ask(question), http)
        except ToolError as error:
            return JSONResponse(_error(error.body()), status_code=STATUS[error.code])
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": _with_pictures(answered)},
            "finish_reason": _FINISH[answered.finish],
        }
        body = _body(_new_id(), "chat.completion", request.model, [choice])
        return JSONResponse(body | {"usage": _usage(answered.input_tokens, answered.output_tokens)})

    return create_chat_completion


def _question(responder: Responder, request: CompletionRequest, authorization: str) -> Question:
    if request.tools:
        raise ToolError("bad_arguments", "The tools here are the server's own.", "Leave `tools` out.")
    known = [ANY_MODEL, *responder.models]
    if request.model not in known:
        raise ToolError(
            "not_found", f"There is no model {request.model!r}.", f"There are: {', '.join(known)}."
        )
    *earlier, last = request.messages
    if last.role != "user" or not last.plain().strip():
        raise ToolError(
            "bad_arguments", "The last message is no question.", "End with a message of the user."
        )
    plain = [{"role": _role(one.role), "content": one.plain()} for one in earlier]
    return Question(
        last.plain(),
        built_in=request.model == BUILT_IN,
        earlier=plain,
        requester=request.requester(authorization),
    )


def _role(role: str) -> str:
    """Return the role shown to the model: what a client puts first is a wish, it never replaces our rules."""
    return "user" if role in ("system", "developer") else role


async def _stream(
    responder: Responder, question: Question, model: str, usage: bool
) -> AsyncIterator[dict[str, str]]:
    answer_id = _new_id()

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, str]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _sse(_body(answer_id, "chat.completion.chunk", model, [choice]))

    yield chunk({"role": "assistant", "content": ""})
    async for event in responder.ask(question):
        if text := _visible(event):
            yield chunk({"content": text})
        elif isinstance(event, Done):
            yield chunk({}, _FINISH[event.finish])
            if usage:
                counted = {"usage": _usage(event.input_tokens, event.output_tokens)}
                yield _sse(_body(answer_id, "chat.completion.chunk", model, []) | counted)
            yield {"data": "[DONE]"}
        elif isinstance(event, Failed):
            yield _sse(_error(event.body()))


def _with_pictures(answered: Answered) -> str:
    pictures = [one for one in answered.artifacts if one.mime.startswith("image/")]
    return answered.answer + "".join(_picture(one.file_name, one.artifact_id) for one in pictures)


def _picture(name: str, artifact_id: str) -> str:
    return f"\n\n![{name}](/api/artifacts/{artifact_id})\n\n"


def _visible(event: Event) -> str:
    if isinstance(event, TextDelta):
        return event.text
    if isinstance(event, ArtifactMade) and event.mime.startswith("image/"):
        return _picture(event.file_name, event.artifact_id)
    return ""


def _new_id() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"


def _body(answer_id: str, kind: str, model: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": answer_id,
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "choices": choices,
    }


def _usage(asked: int, answered: int) -> dict[str, int]:
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def _error(body: dict[str, Any]) -> dict[str, Any]:
    message = f"{body['message']} {body['hint']}".strip()
    return {"error": {"message": message, "type": body["code"], "code": body["code"], "param": None}}


def _sse(body: dict[str, Any]) -> dict[str, str]:
    return {"data": json.dumps(body, ensure_ascii=False)}
