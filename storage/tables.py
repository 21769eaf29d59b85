"""The tables of the database, the same on SQLite and PostgreSQL.

Readings are not rows: a `live_chunk` is one appended batch, a `chunk` is a long run of one channel.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Double,
    ForeignKeyConstraint,
    LargeBinary,
    MetaData,
    TypeDecorator,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A UTC time with its zone, also on SQLite, which keeps none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; a time without a zone would be a guess."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times must carry a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(SQLModel):
    """What our tables share: their own metadata."""

    metadata = metadata


class VehicleRow(Table, table=True):
    """A car."""

    __tablename__ = "vehicle"
    id: str = Field(primary_key=True)
    name: str | None = None
    vin: str | None = Field(default=None, unique=True)
    make: str | None = None
    model: str | None = None
    year: int | None = None
    fuel_type: str | None = None
    displacement_l: float | None = Field(default=None, sa_type=Double)
    mass_kg: float | None = Field(default=None, sa_type=Double)
    notes: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class SessionRow(Table, table=True):
    """One drive or capture; `owner` names the process in charge until the data are compacted.

    `appended_us` is when it last took readings, in µs since 1970 by the clock of whoever stored them.
    """

    __tablename__ = "session"
    id: str = Field(primary_key=True)
    vehicle_id: str | None = Field(default=None, foreign_key="vehicle.id", index=True)
    name: str
    state: str
    origin: str
    source: str
    format: str | None = None
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    first_us: int | None = Field(default=None, sa_type=BigInteger)
    last_us: int | None = Field(default=None, sa_type=BigInteger)
    appended_us: int | None = Field(default=None, sa_type=BigInteger)
    readings: int = Field(default=0, sa_type=BigInteger)
    batches: int = Field(default=0, sa_type=BigInteger)
    version: int = Field(default=1, sa_type=BigInteger)
    owner: str | None = Field(default=None, index=True)
    notes: str | None = None
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    warnings: list[str] = Field(default_factory=list, sa_type=JSON)


def _belongs_to_session() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["session_id"], ["session.id"])


class ChannelRow(Table, table=True):
    """One signal of one ECU in one session; the statistics cover its compacted readings."""

    __tablename__ = "channel"
    __table_args__ = (
        UniqueConstraint("session_id", "signal", "ecu", "unit", "source"),
        _belongs_to_session(),
    )
    session_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    signal: str
    unit: str
    ecu: str
    source: str
    readings: int = Field(default=0, sa_type=BigInteger)
    first_us: int | None = Field(default=None, sa_type=BigInteger)
    last_us: int | None = Field(default=None, sa_type=BigInteger)
    vmin: float | None = Field(default=None, sa_type=Double)
    vmax: float | None = Field(default=None, sa_type=Double)
    vsum: float | None = Field(default=None, sa_type=Double)


class LiveChunkRow(Table, table=True):
    """One appended batch, as it came; `head` has a zone map per column."""

    __tablename__ = "live_chunk"
    __table_args__ = (_belongs_to_session(),)
    session_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    first_us: int = Field(sa_type=BigInteger)
    last_us: int = Field(sa_type=BigInteger)
    n: int = Field(sa_type=BigInteger)
    head: bytes = Field(sa_type=LargeBinary)
    data: bytes = Field(sa_type=LargeBinary)


class ReceiptRow(Table, table=True):
    """Which batch an idempotency key stands for; outlives the batch's compaction."""

    __tablename__ = "receipt"
    __table_args__ = (_belongs_to_session(),)
    session_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)


class TimeBaseRow(Table, table=True):
    """One distinct vector of times, shared by all chunks measured at them."""

    __tablename__ = "time_base"
    __table_args__ = (_belongs_to_session(),)
    session_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    data: bytes = Field(sa_type=LargeBinary)


class ChunkRow(Table, table=True):
    """A run of readings of one channel with its zone map; the times are in its time base."""

    __tablename__ = "chunk"
    __table_args__ = (
        ForeignKeyConstraint(["session_id", "channel"], ["channel.session_id", "channel.number"]),
        ForeignKeyConstraint(["session_id", "time_base"], ["time_base.session_id", "time_base.number"]),
    )
    session_id: str = Field(primary_key=True)
    channel: int = Field(primary_key=True)
    part: int = Field(primary_key=True)
    time_base: int
    n: int
    first_us: int = Field(sa_type=BigInteger)
    last_us: int = Field(sa_type=BigInteger)
    vmin: float = Field(sa_type=Double)
    vmax: float = Field(sa_type=Double)
    vsum: float = Field(sa_type=Double)
    data: bytes = Field(sa_type=LargeBinary)


class GapRow(Table, table=True):
    """A stretch of a session in which nothing could be read."""

    __tablename__ = "gap"
    __table_args__ = (_belongs_to_session(),)
    session_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    start_us: int = Field(sa_type=BigInteger)
    end_us: int = Field(sa_type=BigInteger)
    reason: str


class ArtifactRow(Table, table=True):
    """A file made from sessions."""

    __tablename__ = "artifact"
    id: str = Field(primary_key=True)
    session_id: str | None = Field(default=None, foreign_key="session.id", index=True)
    kind: str
    name: str
    mime: str
    size: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    data: bytes = Field(sa_type=LargeBinary)


class SnapshotRow(Table, table=True):
    """What a car reported at one moment."""

    __tablename__ = "snapshot"
    id: str = Field(primary_key=True)
    session_id: str | None = Field(default=None, foreign_key="session.id", index=True)
    vehicle_id: str | None = Field(default=None, foreign_key="vehicle.id", index=True)
    kind: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class ApprovalRow(Table, table=True):
    """A write that waits for a person, bound to one tool, its arguments and who asked."""

    __tablename__ = "approval"
    id: str = Field(primary_key=True)
    tool: str
    arguments: str
    requester: str
    what: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    decision: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AuditRow(Table, table=True):
    """What was done or refused on somebody's behalf."""

    __tablename__ = "audit"
    id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    actor: str
    action: str
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class AlertRow(Table, table=True):
    """What live readings raised; the time it ended and who saw it are filled in later."""

    __tablename__ = "alert"
    id: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="session.id", index=True)
    rule: str
    signal: str
    ecu: str | None = None
    severity: str
    title: str
    value: float | None = Field(default=None, sa_type=Double)
    unit: str
    expected: str
    explanation: str
    recommendation: str
    start_us: int = Field(sa_type=BigInteger)
    end_us: int | None = Field(default=None, sa_type=BigInteger)
    raised_at: datetime = Field(sa_type=UtcDateTime)
    cleared_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


vehicle = metadata.tables["vehicle"]
session = metadata.tables["session"]
channel = metadata.tables["channel"]
live_chunk = metadata.tables["live_chunk"]
receipt = metadata.tables["receipt"]
time_base = metadata.tables["time_base"]
chunk = metadata.tables["chunk"]
gap = metadata.tables["gap"]
artifact = metadata.tables["artifact"]
snapshot = metadata.tables["snapshot"]
approval = metadata.tables["approval"]
audit = metadata.tables["audit"]
alert = metadata.tables["alert"]
