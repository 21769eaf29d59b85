"""Conversations, research and manuals."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.String()
WHOLE = sa.Integer()
JSON = sa.JSON()
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    _conversation()
    _research()
    _manual()


def _must(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _conversation() -> None:
    op.create_table(
        "conversation",
        _must("id", TEXT),
        _must("title", TEXT),
        sa.Column("vehicle_id", TEXT),
        sa.Column("session_id", TEXT),
        _must("messages", WHOLE),
        _must("created_at", TIME),
        _must("updated_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_conversation"),
    )
    op.create_table(
        "message",
        _must("conversation_id", TEXT),
        _must("number", WHOLE),
        _must("content", JSON),
        _must("created_at", TIME),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_message_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("conversation_id", "number", name="pk_message"),
    )


def _research() -> None:
    op.create_table(
        "research",
        _must("id", TEXT),
        _must("title", TEXT),
        _must("text", TEXT),
        _must("sources", JSON),
        _must("tags", JSON),
        sa.Column("vehicle_id", TEXT),
        sa.Column("trouble_code", TEXT),
        _must("created_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_research"),
    )


def _manual() -> None:
    op.create_table(
        "manual",
        _must("id", TEXT),
        _must("name", TEXT),
        sa.Column("title", TEXT),
        _must("digest", TEXT),
        _must("pages", WHOLE),
        _must("unreadable", JSON),
        _must("created_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_manual"),
        sa.UniqueConstraint("digest", name="uq_manual_digest"),
    )
    op.create_table(
        "manual_page",
        _must("manual_id", TEXT),
        _must("page", WHOLE),
        sa.Column("label", TEXT),
        _must("words", WHOLE),
        _must("text", TEXT),
        sa.ForeignKeyConstraint(["manual_id"], ["manual.id"], name="fk_manual_page_manual_id_manual"),
        sa.PrimaryKeyConstraint("manual_id", "page", name="pk_manual_page"),
    )
    op.create_table(
        "manual_word",
        _must("word", TEXT),
        _must("manual_id", TEXT),
        _must("pages", JSON),
        sa.ForeignKeyConstraint(["manual_id"], ["manual.id"], name="fk_manual_word_manual_id_manual"),
        sa.PrimaryKeyConstraint("word", "manual_id", name="pk_manual_word"),
    )
