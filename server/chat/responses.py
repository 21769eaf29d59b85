"""Speaks the Responses API, stateless: nothing is kept at the service (`store=False`)."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from server.chat.model import Call, Finish, Message, ModelAccess, Reply
from server.chat.provider import failed, failures, open_client, truncated


class ResponsesModel:
    """A model behind /responses."""

    def __init__(self, access: ModelAccess) -> None:
        self.name = access.model
        self._client = open_client(access)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def turn(
        self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]], *, may_call: bool
    ) -> AsyncIterator[str | Reply]:
        """Yield pieces of text as they come, then the whole turn; ToolError where it fails."""
        body: dict[str, Any] = {"input": [item for message in messages for item in _items(message)]}
        if tools:
            body["tools"] = [{"type": "function", "strict": False, **tool} for tool in tools]
            body["tool_choice"] = "auto" if may_call else "none"
        rules = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
        final: Any = None
        async with failures(self.name):
            stream = await self._client.responses.create(
                model=self.name, instructions=rules, store=False, stream=True, extra_body=body
            )
            async with stream:
                async for event in stream:
                    if event.type in ("response.output_text.delta", "response.refusal.delta"):
                        yield event.delta
                    elif event.type == "error":
                        raise failed(self.name, event.message)
                    elif event.type in ("response.completed", "response.incomplete", "response.failed"):
                        final = event.response
        yield _reply(self.name, final)


def _items(message: Message) -> Iterator[dict[str, Any]]:
    """Return a message of Chat Completions as input items of Responses."""
    if message["role"] == "tool":
        yield {
            "type": "function_call_output",
            "call_id": message["tool_call_id"],
            "output": message["content"],
        }
    elif message["role"] != "system" and message.get("content"):
        yield {"role": message["role"], "content": message["content"]}
    for call in message.get("tool_calls", []):
        yield {"type": "function_call", "call_id": call["id"], **call["function"]}


def _reply(model: str, response: Any) -> Reply:
    if response is None:
        raise truncated()
    if response.status == "failed":
        raise failed(model, response.error.message if response.error else "no reason was given")
    calls = [
        Call(item.call_id, item.name, item.arguments)
        for item in response.output
        if item.type == "function_call"
    ]
    cut = response.status == "incomplete"
    if cut and calls:
        raise truncated()
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    refused = any(part.type == "refusal" for part in parts)
    text = "".join(part.refusal if part.type == "refusal" else part.text for part in parts)
    usage = response.usage
    tokens = (usage.input_tokens, usage.output_tokens) if usage else (None, None)
    return Reply(text, calls, _finish(refused, cut), *tokens)


def _finish(refused: bool, cut: bool) -> Finish:
    if refused:
        return "refusal"
    return "length" if cut else "stop"
