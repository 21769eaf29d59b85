"""Speaks Chat Completions, what every OpenAI-compatible service speaks."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from server.chat.model import Call, Finish, Message, ModelAccess, Reply
from server.chat.provider import failures, open_client, truncated


class CompletionsModel:
    """A model behind /chat/completions."""

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
        body: dict[str, Any] = {"messages": list(messages), "stream_options": {"include_usage": True}}
        if tools:
            body["tools"] = [{"type": "function", "function": dict(tool)} for tool in tools]
            body["tool_choice"] = "auto" if may_call else "none"
        turn = _Turn()
        # As extra_body, because the SDK walks over every argument and every schema in it at each turn otherwise.
        async with failures(self.name):
            stream = await self._client.chat.completions.create(
                model=self.name, messages=[], stream=True, extra_body=body
            )
            async with stream:
                async for chunk in stream:
                    if text := turn.add(chunk):
                        yield text
        yield turn.reply()


class _Turn:
    """Puts a turn together from its chunks."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.calls: dict[int, dict[str, str]] = {}
        self.finish: str | None = None
        self.refused = False
        self.tokens: tuple[int | None, int | None] = (None, None)

    def add(self, chunk: Any) -> str:
        """Take a chunk in; return the text it brought."""
        if chunk.usage is not None:
            self.tokens = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self.finish = choice.finish_reason or self.finish
        for piece in choice.delta.tool_calls or []:
            self._add_call(piece)
        refusal = getattr(choice.delta, "refusal", None)
        self.refused = self.refused or bool(refusal)
        text: str = choice.delta.content or refusal or ""
        self.text.append(text)
        return text

    def _add_call(self, piece: Any) -> None:
        # Some services leave the index out and send whole calls.
        index = len(self.calls) if piece.index is None else piece.index
        call = self.calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
        call["id"] = call["id"] or piece.id or ""
        if piece.function is not None:
            call["name"] = call["name"] or piece.function.name or ""
            call["arguments"] += piece.function.arguments or ""

    def reply(self) -> Reply:
        """Return the turn; ToolError where it ended before its end."""
        if self.finish is None or (self.finish == "length" and self.calls):
            raise truncated()
        calls = [_call(number, self.calls[number]) for number in sorted(self.calls)]
        return Reply("".join(self.text), calls, self._how(), *self.tokens)

    def _how(self) -> Finish:
        if self.refused or self.finish == "content_filter":
            return "refusal"
        return "length" if self.finish == "length" else "stop"


def _call(number: int, call: dict[str, str]) -> Call:
    return Call(call["id"] or f"call_{number}", call["name"], call["arguments"])
