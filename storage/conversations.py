"""Chats: what was asked and answered, and which car and session it was about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from storage.checks import plain_json
from storage.database import Database
from storage.errors import NotFoundError
from storage.ids import new_id
from storage.paging import page
from storage.records import Conversation, Deleted, Message, Page
from storage.text_tables import conversation, message


class Conversations:
    """All chats; messages are added at the end, never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, title: str = "", *, vehicle_id: str | None = None, session_id: str | None = None
    ) -> Conversation:
        """Begin a chat."""
        now = datetime.now(UTC)
        row: dict[str, Any] = {"id": new_id("cnv"), "title": title, "messages": 0}
        row |= {"vehicle_id": vehicle_id, "session_id": session_id, "created_at": now, "updated_at": now}
        with self._database.writing() as connection:
            connection.execute(insert(conversation).values(row))
        return Conversation(**row)

    def get(self, conversation_id: str) -> Conversation:
        """Return a chat; NotFoundError where there is none."""
        with self._database.reading() as connection:
            return _found(connection, conversation_id)

    def list(self, *, text: str | None = None, limit: int = 50, offset: int = 0) -> Page[Conversation]:
        """Return chats, last used first; `text` is looked for in the title."""
        c = conversation.c
        chosen = select(conversation)
        if text:
            chosen = chosen.where(c.title.icontains(text, autoescape=True))
        window = (limit, offset)
        latest = c.updated_at.desc()
        return page(self._database, chosen, latest, window, lambda row: Conversation(**row._mapping))

    def update(
        self,
        conversation_id: str,
        *,
        title: str | None = None,
        vehicle_id: str | None = None,
        session_id: str | None = None,
    ) -> Conversation:
        """Change what is given, leave what is None; NotFoundError where there is no such chat."""
        given = {"title": title, "vehicle_id": vehicle_id, "session_id": session_id}
        values = {name: value for name, value in given.items() if value is not None}
        with self._database.writing() as connection:
            _change(connection, conversation_id, values)
            return _found(connection, conversation_id)

    def append(self, conversation_id: str, messages: Sequence[Mapping[str, Any]]) -> Conversation:
        """Add messages at the end, all or none; NotFoundError where there is no such chat."""
        now = datetime.now(UTC)
        with self._database.writing() as connection:
            # Counted before it is read: on PostgreSQL the update holds the row until the end.
            _change(connection, conversation_id, {"messages": conversation.c.messages + len(messages)})
            chat = _found(connection, conversation_id)
            first = chat.messages - len(messages)
            rows = [
                {
                    "conversation_id": conversation_id,
                    "number": first + index,
                    "content": plain_json("message", content),
                    "created_at": now,
                }
                for index, content in enumerate(messages)
            ]
            if rows:
                connection.execute(insert(message), rows)
            return chat

    def messages(self, conversation_id: str) -> Sequence[Message]:
        """Return all messages in order; NotFoundError where there is no such chat."""
        chosen = select(message.c.number, message.c.content, message.c.created_at)
        chosen = chosen.where(message.c.conversation_id == conversation_id).order_by(message.c.number)
        with self._database.reading() as connection:
            _found(connection, conversation_id)
            return [Message(**row._mapping) for row in connection.execute(chosen)]

    def delete(self, conversation_id: str) -> Deleted:
        """Remove a chat with its messages; NotFoundError where there is none."""
        with self._database.writing() as connection:
            _found(connection, conversation_id)
            mine = message.c.conversation_id == conversation_id
            removed = connection.execute(delete(message).where(mine)).rowcount
            connection.execute(delete(conversation).where(conversation.c.id == conversation_id))
            return Deleted({"conversations": 1, "messages": removed})


def _change(connection: Connection, conversation_id: str, values: dict[str, Any]) -> None:
    changed = update(conversation).where(conversation.c.id == conversation_id)
    connection.execute(changed.values(**values, updated_at=datetime.now(UTC)))


def _found(connection: Connection, conversation_id: str) -> Conversation:
    row = connection.execute(select(conversation).where(conversation.c.id == conversation_id)).first()
    if row is None:
        raise NotFoundError(
            f"There is no conversation {conversation_id}.", "List the conversations to find its id."
        )
    return Conversation(**row._mapping)
