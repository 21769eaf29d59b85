"""Create everything."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None

TEXT = sa.String()
WHOLE = sa.Integer()
BIG = sa.BigInteger()
REAL: TypeEngine[Any] = sa.Double()
BYTES = sa.LargeBinary()
JSON = sa.JSON()
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create everything."""
    _vehicle()
    _session()
    _channel()
    _live_chunk()
    _chunk()
    _gap()
    _artifact()
    _snapshot()
    if op.get_bind().dialect.name == "postgresql":
        _leave_compressed_bytes_alone()


def _must(name: str, kind: TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _may(name: str, kind: TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _belongs_to_session(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=f"fk_{table}_session_id_session")


def _vehicle() -> None:
    op.create_table(
        "vehicle",
        _must("id", TEXT),
        _may("name", TEXT),
        _may("vin", TEXT),
        _may("make", TEXT),
        _may("model", TEXT),
        _may("year", WHOLE),
        _may("fuel_type", TEXT),
        _may("displacement_l", REAL),
        _may("mass_kg", REAL),
        _may("notes", TEXT),
        _must("created_at", TIME),
        _must("updated_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_vehicle"),
        sa.UniqueConstraint("vin", name="uq_vehicle_vin"),
    )


def _session() -> None:
    op.create_table(
        "session",
        _must("id", TEXT),
        _may("vehicle_id", TEXT),
        _must("name", TEXT),
        _must("state", TEXT),
        _must("origin", TEXT),
        _must("source", TEXT),
        _may("format", TEXT),
        _may("started_at", TIME),
        _must("created_at", TIME),
        _may("ended_at", TIME),
        _may("first_us", BIG),
        _may("last_us", BIG),
        _must("readings", BIG),
        _must("batches", BIG),
        _must("version", BIG),
        _may("owner", TEXT),
        _may("notes", TEXT),
        _must("details", JSON),
        _must("warnings", JSON),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicle.id"], name="fk_session_vehicle_id_vehicle"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
    )
    op.create_index("ix_session_owner", "session", ["owner"])
    op.create_index("ix_session_vehicle_id", "session", ["vehicle_id"])


def _channel() -> None:
    op.create_table(
        "channel",
        _must("session_id", TEXT),
        _must("number", WHOLE),
        _must("signal", TEXT),
        _must("unit", TEXT),
        _must("ecu", TEXT),
        _must("source", TEXT),
        _must("readings", BIG),
        _may("first_us", BIG),
        _may("last_us", BIG),
        _may("vmin", REAL),
        _may("vmax", REAL),
        _may("vsum", REAL),
        _belongs_to_session("channel"),
        sa.PrimaryKeyConstraint("session_id", "number", name="pk_channel"),
        sa.UniqueConstraint("session_id", "signal", "ecu", "unit", "source", name="uq_channel_session_id"),
    )


def _live_chunk() -> None:
    op.create_table(
        "live_chunk",
        _must("session_id", TEXT),
        _must("seq", BIG),
        _must("first_us", BIG),
        _must("last_us", BIG),
        _must("n", BIG),
        _must("head", BYTES),
        _must("data", BYTES),
        _belongs_to_session("live_chunk"),
        sa.PrimaryKeyConstraint("session_id", "seq", name="pk_live_chunk"),
    )
    op.create_table(
        "receipt",
        _must("session_id", TEXT),
        _must("key", TEXT),
        _must("seq", BIG),
        _belongs_to_session("receipt"),
        sa.PrimaryKeyConstraint("session_id", "key", name="pk_receipt"),
    )


def _chunk() -> None:
    op.create_table(
        "time_base",
        _must("session_id", TEXT),
        _must("number", WHOLE),
        _must("data", BYTES),
        _belongs_to_session("time_base"),
        sa.PrimaryKeyConstraint("session_id", "number", name="pk_time_base"),
    )
    op.create_table(
        "chunk",
        _must("session_id", TEXT),
        _must("channel", WHOLE),
        _must("part", WHOLE),
        _must("time_base", WHOLE),
        _must("n", WHOLE),
        _must("first_us", BIG),
        _must("last_us", BIG),
        _must("vmin", REAL),
        _must("vmax", REAL),
        _must("vsum", REAL),
        _must("data", BYTES),
        _part_of("channel", "channel"),
        _part_of("time_base", "time_base"),
        sa.PrimaryKeyConstraint("session_id", "channel", "part", name="pk_chunk"),
    )


def _part_of(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["session_id", column],
        [f"{table}.session_id", f"{table}.number"],
        name=f"fk_chunk_session_id_{table}",
    )


def _gap() -> None:
    op.create_table(
        "gap",
        _must("session_id", TEXT),
        _must("number", WHOLE),
        _must("start_us", BIG),
        _must("end_us", BIG),
        _must("reason", TEXT),
        _belongs_to_session("gap"),
        sa.PrimaryKeyConstraint("session_id", "number", name="pk_gap"),
    )


def _artifact() -> None:
    op.create_table(
        "artifact",
        _must("id", TEXT),
        _may("session_id", TEXT),
        _must("kind", TEXT),
        _must("name", TEXT),
        _must("mime", TEXT),
        _must("size", BIG),
        _must("created_at", TIME),
        _must("details", JSON),
        _must("data", BYTES),
        _belongs_to_session("artifact"),
        sa.PrimaryKeyConstraint("id", name="pk_artifact"),
    )
    op.create_index("ix_artifact_session_id", "artifact", ["session_id"])


def _snapshot() -> None:
    op.create_table(
        "snapshot",
        _must("id", TEXT),
        _may("session_id", TEXT),
        _may("vehicle_id", TEXT),
        _must("kind", TEXT),
        _must("created_at", TIME),
        _must("data", JSON),
        _belongs_to_session("snapshot"),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicle.id"], name="fk_snapshot_vehicle_id_vehicle"),
        sa.PrimaryKeyConstraint("id", name="pk_snapshot"),
    )
    op.create_index("ix_snapshot_session_id", "snapshot", ["session_id"])
    op.create_index("ix_snapshot_vehicle_id", "snapshot", ["vehicle_id"])


def _leave_compressed_bytes_alone() -> None:
    """Keep PostgreSQL from compressing again what zstd has compressed."""
    for table in ("live_chunk", "time_base", "chunk"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN data SET STORAGE EXTERNAL")
