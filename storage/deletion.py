"""Remove a session and everything that belongs to it."""

from sqlalchemy import Connection, delete, select

from storage.records import Deleted
from storage.tables import (
    alert,
    artifact,
    channel,
    chunk,
    gap,
    live_chunk,
    receipt,
    session,
    snapshot,
    time_base,
)

# Children before parents, as the foreign keys want it.
_PARTS = {
    "live batches": live_chunk,
    "chunks": chunk,
    "time bases": time_base,
    "channels": channel,
    "receipts": receipt,
    "gaps": gap,
    "artifacts": artifact,
    "snapshots": snapshot,
    "alerts": alert,
}


def delete_session(connection: Connection, session_id: str) -> Deleted:
    """Remove an existing session within a transaction; return how many readings and rows of each kind went."""
    readings = connection.execute(select(session.c.readings).where(session.c.id == session_id)).scalar_one()
    counts = {"readings": readings}
    for noun, table in _PARTS.items():
        counts[noun] = connection.execute(delete(table).where(table.c.session_id == session_id)).rowcount
    connection.execute(delete(session).where(session.c.id == session_id))
    return Deleted(counts)
