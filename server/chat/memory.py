"""What a chat remembers between questions: its messages, and which car and session it is about."""

from collections.abc import Sequence
from typing import Protocol

from server.chat.desk import Outcome
from server.chat.model import Message
from storage.errors import NotFoundError
from tools.context import Workshop
from tools.errors import ToolError

TITLE_CHARS = 60


class Memory(Protocol):
    """What one answer may recall and keep; called from worker threads."""

    conversation_id: str | None
    vehicle_id: str | None
    session_id: str | None

    def history(self) -> list[Message]:
        """Return the messages so far."""
        ...

    def keep(self, messages: Sequence[Message], outcomes: Sequence[Outcome]) -> None:
        """Add messages, and remember which car and session the calls were about."""
        ...


class ClientMemory:
    """A chat that its client remembers, as with the OpenAI-compatible routes: nothing is stored."""

    conversation_id: str | None = None

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = list(messages)
        self.vehicle_id: str | None = None
        self.session_id: str | None = None

    def history(self) -> list[Message]:
        """Return what the client sent before the question."""
        return self._messages

    def keep(self, messages: Sequence[Message], outcomes: Sequence[Outcome]) -> None:
        """Remember what the calls were about; the client keeps the rest."""
        self.vehicle_id, self.session_id = focus(outcomes, self.vehicle_id, self.session_id)


class StoredMemory:
    """A conversation in the store."""

    def __init__(self, workshop: Workshop, conversation_id: str) -> None:
        self._conversations = workshop.store.conversations
        chat = self._conversations.get(conversation_id)
        self.conversation_id: str | None = chat.id
        self.vehicle_id = chat.vehicle_id
        self.session_id = chat.session_id
        self._id = chat.id

    def history(self) -> list[Message]:
        """Return all messages; what a model is shown of them is not decided here."""
        return [message.content for message in self._conversations.messages(self._id)]

    def keep(self, messages: Sequence[Message], outcomes: Sequence[Outcome]) -> None:
        """Store messages, and what the calls were about."""
        self._conversations.append(self._id, messages)
        before = (self.vehicle_id, self.session_id)
        self.vehicle_id, self.session_id = focus(outcomes, *before)
        if (self.vehicle_id, self.session_id) != before:
            self._conversations.update(self._id, vehicle_id=self.vehicle_id, session_id=self.session_id)


def focus(
    outcomes: Sequence[Outcome], vehicle_id: str | None, session_id: str | None
) -> tuple[str | None, str | None]:
    """Return the car and the session that the last successful calls named, or those before."""
    for outcome in outcomes:
        if outcome.answer is not None:
            named = {**outcome.arguments, **outcome.structured}
            vehicle_id = _text(named.get("vehicle_id")) or vehicle_id
            session_id = _text(named.get("session_id")) or session_id
    return vehicle_id, session_id


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def open_memory(
    workshop: Workshop,
    conversation_id: str | None,
    question: str,
    vehicle_id: str | None,
    session_id: str | None,
) -> StoredMemory:
    """Open a conversation, or begin one that is called like its first question.

    Raises:
        ToolError: `not_found`: there is no such conversation, vehicle or session.
    """
    store = workshop.store
    try:
        if vehicle_id is not None:
            store.vehicles.get(vehicle_id)
        if session_id is not None:
            store.sessions.get(session_id)
        if conversation_id is None:
            title = " ".join(question.split())[:TITLE_CHARS]
            conversation_id = store.conversations.create(title).id
        store.conversations.update(conversation_id, vehicle_id=vehicle_id, session_id=session_id)
        return StoredMemory(workshop, conversation_id)
    except NotFoundError as error:
        raise ToolError("not_found", error.message, error.hint) from error
