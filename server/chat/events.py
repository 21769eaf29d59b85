"""What happens while an answer is made, as every door of the chat shows it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from tools.answer import ArtifactRef
from tools.errors import Code, ToolError


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events: a name, and a body of plain JSON values."""

    name: ClassVar[str]

    def body(self) -> dict[str, Any]:
        """Return the event as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The answer is under way; which conversation it belongs to and who answers."""

    name: ClassVar[str] = "start"
    conversation_id: str | None
    model: str


@dataclass(frozen=True, slots=True)
class TextDelta(Event):
    """More text of the answer."""

    name: ClassVar[str] = "text.delta"
    text: str


@dataclass(frozen=True, slots=True)
class ToolStart(Event):
    """A tool was called."""

    name: ClassVar[str] = "tool.start"
    call_id: str
    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolProgress(Event):
    """How far a tool is; `total` is None where nobody knows."""

    name: ClassVar[str] = "tool.progress"
    call_id: str
    tool: str
    done: float
    total: float | None
    message: str


@dataclass(frozen=True, slots=True)
class ToolEnd(Event):
    """What a tool answered, or why it did not (`error` as at every door)."""

    name: ClassVar[str] = "tool.end"
    call_id: str
    tool: str
    ok: bool
    text: str
    seconds: float
    error: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ArtifactMade(Event):
    """A tool made a file, such as a plot."""

    name: ClassVar[str] = "artifact"
    call_id: str
    artifact_id: str
    file_name: str
    mime: str
    size_bytes: int

    @classmethod
    def of(cls, call_id: str, artifact: ArtifactRef) -> "ArtifactMade":
        """Make the event of a tool's artifact."""
        return cls(call_id, artifact.artifact_id, artifact.name, artifact.mime, artifact.size_bytes)


@dataclass(frozen=True, slots=True)
class Done(Event):
    """The answer is complete; `text` is all of its last part, `finish` says why it ended."""

    name: ClassVar[str] = "done"
    text: str
    finish: str
    model: str
    turns: int
    calls: int
    input_tokens: int
    output_tokens: int
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The answer ended early; the error as at every door."""

    name: ClassVar[str] = "error"
    code: Code
    message: str
    hint: str
    details: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, error: ToolError) -> "Failed":
        """Make the event of an error."""
        return cls(error.code, error.message, error.hint, error.details)

    def as_error(self) -> ToolError:
        """Return the error."""
        return ToolError(self.code, self.message, self.hint, **self.details)


Emit = Callable[[Event], None]
