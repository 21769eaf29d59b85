"""The tables of what people, models and manuals said: chats, research, pages; the rest is in `tables`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from storage.tables import Table, UtcDateTime, metadata


class ConversationRow(Table, table=True):
    """A chat; what it is about may be deleted before it, so the ids are no foreign keys."""

    __tablename__ = "conversation"
    id: str = Field(primary_key=True)
    title: str
    vehicle_id: str | None = None
    session_id: str | None = None
    messages: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class MessageRow(Table, table=True):
    """One message of a chat, as a model is shown it."""

    __tablename__ = "message"
    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    number: int = Field(primary_key=True)
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)


class ResearchRow(Table, table=True):
    """A finding of research with its sources; outlives the vehicle it was made for."""

    __tablename__ = "research"
    id: str = Field(primary_key=True)
    title: str
    text: str
    sources: list[str] = Field(default_factory=list, sa_type=JSON)
    tags: list[str] = Field(default_factory=list, sa_type=JSON)
    vehicle_id: str | None = None
    trouble_code: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


class ManualRow(Table, table=True):
    """A manual that was added; `digest` tells the same file when it comes again."""

    __tablename__ = "manual"
    id: str = Field(primary_key=True)
    name: str
    title: str | None = None
    digest: str = Field(unique=True)
    pages: int
    unreadable: list[int] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)


class ManualPageRow(Table, table=True):
    """The text of one page that has some; `label` is the number printed on it, where the file says."""

    __tablename__ = "manual_page"
    manual_id: str = Field(primary_key=True, foreign_key="manual.id")
    page: int = Field(primary_key=True)
    label: str | None = None
    words: int
    text: str


class ManualWordRow(Table, table=True):
    """Where a word stands in a manual: {page: how often}. An index of our own, the same on every database."""

    __tablename__ = "manual_word"
    word: str = Field(primary_key=True)
    manual_id: str = Field(primary_key=True, foreign_key="manual.id")
    pages: dict[str, int] = Field(default_factory=dict, sa_type=JSON)


conversation = metadata.tables["conversation"]
message = metadata.tables["message"]
research = metadata.tables["research"]
manual = metadata.tables["manual"]
manual_page = metadata.tables["manual_page"]
manual_word = metadata.tables["manual_word"]
