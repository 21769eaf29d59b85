"""The conversations over HTTP: list, show, export, rename, delete."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from server.errors import REFUSALS
from tools.context import Workshop

ConversationId = Annotated[str, Path(min_length=1, max_length=64)]
_Id = Annotated[str, Field(min_length=1, max_length=64)]


class ConversationRow(BaseModel):
    """A conversation: what it is called, and which car and session it is about."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    vehicle_id: str | None
    session_id: str | None
    messages: int
    created_at: datetime
    updated_at: datetime


class ConversationPage(BaseModel):
    """A page of conversations, last used first."""

    total: int
    offset: int
    conversations: list[ConversationRow]


class MessageRow(BaseModel):
    """One message, as a model is shown it."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    created_at: datetime
    content: dict[str, Any]


class Export(BaseModel):
    """A conversation with all its messages."""

    conversation: ConversationRow
    messages: list[MessageRow]

    def markdown(self) -> str:
        """Return the conversation to read: questions, answers, and which tools were called."""
        parts = [f"# {self.conversation.title}"]
        parts += [part for message in self.messages if (part := _paragraph(message.content))]
        return "\n\n".join(parts) + "\n"


def _paragraph(content: dict[str, Any]) -> str:
    called = [call["function"] for call in content.get("tool_calls", [])]
    lines = [f"Called `{call['name']}` with `{call['arguments']}`." for call in called]
    text = content.get("content") or ""
    if content["role"] == "tool":
        return "    " + text.replace("\n", "\n    ")
    who = "Question" if content["role"] == "user" else "Answer"
    return "\n\n".join([f"**{who}:** {text}", *lines] if text else lines)


def export(workshop: Workshop, conversation_id: str) -> Export:
    """Return a conversation with all its messages; NotFoundError where there is none."""
    conversations = workshop.store.conversations
    return Export(
        conversation=ConversationRow.model_validate(conversations.get(conversation_id)),
        messages=[MessageRow.model_validate(row) for row in conversations.messages(conversation_id)],
    )


class Changes(BaseModel):
    """What to change of a conversation."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    vehicle_id: _Id | None = None
    session_id: _Id | None = None


def conversation_routes(workshop: Workshop) -> APIRouter:
    """Return the routes that list, show, export, rename and delete conversations."""
    router = APIRouter(prefix="/api/conversations", tags=["chat"], responses=REFUSALS)
    one = "/{conversation_id}"
    router.add_api_route("", _list(workshop), methods=["GET"], response_model=ConversationPage)
    router.add_api_route(one, _get(workshop), methods=["GET"], response_model=Export, responses=_EXPORTS)
    router.add_api_route(one, _update(workshop), methods=["PATCH"], response_model=ConversationRow)
    router.add_api_route(one, _delete(workshop), methods=["DELETE"], response_model=dict[str, int])
    return router


_EXPORTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The conversation", "content": {"text/markdown": {}}}
}


def _list(workshop: Workshop) -> Any:
    def list_conversations(
        text: Annotated[str | None, Query(max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    ) -> ConversationPage:
        """List conversations, last used first."""
        page = workshop.store.conversations.list(text=text, limit=limit, offset=offset)
        rows = [ConversationRow.model_validate(row) for row in page.rows]
        return ConversationPage(total=page.total, offset=offset, conversations=rows)

    return list_conversations


def _get(workshop: Workshop) -> Any:
    def get_conversation(
        conversation_id: ConversationId,
        form: Annotated[Literal["json", "markdown"], Query(alias="format")] = "json",
    ) -> Response:
        """Show a conversation with its messages; `format=markdown` exports it to read."""
        chat = export(workshop, conversation_id)
        if form == "markdown":
            return Response(chat.markdown(), media_type="text/markdown")
        return Response(chat.model_dump_json(), media_type="application/json")

    return get_conversation


def _update(workshop: Workshop) -> Any:
    def update_conversation(conversation_id: ConversationId, changes: Changes) -> ConversationRow:
        """Rename a conversation, or choose the vehicle or session it is about."""
        store = workshop.store
        if changes.vehicle_id is not None:
            store.vehicles.get(changes.vehicle_id)
        if changes.session_id is not None:
            store.sessions.get(changes.session_id)
        changed = store.conversations.update(conversation_id, **changes.model_dump())
        return ConversationRow.model_validate(changed)

    return update_conversation


def _delete(workshop: Workshop) -> Any:
    def delete_conversation(conversation_id: ConversationId) -> dict[str, int]:
        """Delete a conversation for good; say what was removed."""
        return dict(workshop.store.conversations.delete(conversation_id).counts)

    return delete_conversation
