"""Approvals of writes, and the audit log."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.String()
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "approval",
        _must("id", TEXT),
        _must("tool", TEXT),
        _must("arguments", TEXT),
        _must("requester", TEXT),
        _must("what", TEXT),
        _must("created_at", TIME),
        _must("expires_at", TIME),
        sa.Column("decision", TEXT),
        sa.Column("decided_by", TEXT),
        sa.Column("decided_at", TIME),
        sa.Column("used_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
    )
    op.create_table(
        "audit",
        _must("id", TEXT),
        _must("at", TIME),
        _must("actor", TEXT),
        _must("action", TEXT),
        _must("details", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def _must(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
