"""What clients of OpenAI's API send: messages, a wish for a model, and who they are."""

import json
from hashlib import sha256
from itertools import takewhile
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.errors import ToolError

ANY_MODEL = "obd-agent"


class Part(BaseModel):
    """A part of a message; only text is understood."""

    model_config = ConfigDict(extra="allow")

    type: str
    text: str | None = None


class ChatMessage(BaseModel):
    """A message as clients of that API send it."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part] | None = None

    def plain(self) -> str:
        """Return the text.

        Raises:
            ToolError: the message holds an image or a file.
        """
        if not isinstance(self.content, list):
            return self.content or ""
        if any(part.type != "text" for part in self.content):
            raise ToolError("bad_arguments", "Only text is understood here.", "Send text parts only.")
        return "\n".join(part.text or "" for part in self.content)


class CompletionRequest(BaseModel):
    """A chat request; the tools are this server's own, and what is not named here is ignored."""

    model_config = ConfigDict(extra="allow")

    model: str = ANY_MODEL
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=2000)]
    stream: bool = False
    stream_options: dict[str, Any] | None = None
    tools: list[Any] | None = None
    user: Annotated[str | None, Field(max_length=512)] = None

    def requester(self, authorization: str) -> str:
        """Return who asks, as approvals are bound to: the token, the named user, and how the conversation began.

        Clients of that API send the whole conversation each time and name it nowhere, so its beginning stands for it.
        """
        opening = list(takewhile(lambda one: one.role != "assistant", self.messages))
        said = [authorization, self.user or "", *(f"{one.role} {one.plain()}" for one in opening)]
        return f"v1:{sha256(json.dumps(said).encode()).hexdigest()[:32]}"
