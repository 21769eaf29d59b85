"""Alerts that live readings raised."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.String()
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "alert",
        _must("id", TEXT),
        _must("session_id", TEXT),
        _must("rule", TEXT),
        _must("signal", TEXT),
        sa.Column("ecu", TEXT),
        _must("severity", TEXT),
        _must("title", TEXT),
        sa.Column("value", sa.Double()),
        _must("unit", TEXT),
        _must("expected", TEXT),
        _must("explanation", TEXT),
        _must("recommendation", TEXT),
        _must("start_us", sa.BigInteger()),
        sa.Column("end_us", sa.BigInteger()),
        _must("raised_at", TIME),
        sa.Column("cleared_at", TIME),
        sa.Column("acknowledged_at", TIME),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_alert_session_id_session"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index("ix_alert_session_id", "alert", ["session_id"])


def _must(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
