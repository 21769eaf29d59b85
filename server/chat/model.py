"""What a language model is to the chat: where it is, one turn of it, and how it fails."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import SecretStr

Message = dict[str, Any]
Finish = Literal["stop", "length", "refusal"]


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """Where the model is: any OpenAI-compatible service; `api` is what it speaks."""

    model: str
    api_key: SecretStr | None = None
    base_url: str | None = None
    api: Literal["chat", "responses"] = "chat"
    timeout_s: float = 120.0
    retries: int = 4


class Call(NamedTuple):
    """A tool call as the model wrote it: `arguments` is its JSON text, right or wrong."""

    id: str
    name: str
    arguments: str


class Reply(NamedTuple):
    """One whole turn of the model."""

    text: str
    calls: Sequence[Call] = ()
    finish: Finish = "stop"
    input_tokens: int | None = None
    output_tokens: int | None = None


class Model(Protocol):
    """A model that can be asked for one turn."""

    name: str

    def turn(
        self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]], *, may_call: bool
    ) -> AsyncIterator[str | Reply]:
        """Yield pieces of text as they come, then the whole turn.

        Messages are those of Chat Completions, tools `{name, description, parameters}`. Raises ToolError
        where the model cannot be reached, refuses, or breaks off.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
