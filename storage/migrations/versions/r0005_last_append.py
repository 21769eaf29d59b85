"""When a session last took readings, by this machine's clock."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; of older sessions nobody knows."""
    op.add_column("session", sa.Column("appended_us", sa.BigInteger()))
