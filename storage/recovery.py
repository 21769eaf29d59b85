"""What dead processes left behind: half imports go, recordings become interrupted and are compacted."""

import logging

from sqlalchemy import Connection, select, update

from storage.compaction import compact
from storage.database import Database
from storage.deletion import delete_session
from storage.errors import StorageError
from storage.owners import Owners
from storage.sessions import as_session, end_of, release
from storage.tables import session

_log = logging.getLogger(__name__)


def recover(database: Database, owners: Owners) -> None:
    """Take over the sessions of dead processes; one that fails is left for the next time."""
    with database.reading() as connection:
        rows = connection.execute(select(session.c.id, session.c.owner).where(session.c.owner.is_not(None)))
        owned = [(row.id, row.owner) for row in rows]
    dead = {owner for owner in {owner for _, owner in owned} if not owners.is_alive(owner)}
    for session_id, owner in owned:
        if owner in dead:
            _recover_one(database, owners.token(), session_id, owner)


def _recover_one(database: Database, me: str, session_id: str, dead: str) -> None:
    try:
        with database.writing() as connection:
            left = _take_over(connection, session_id, dead, me)
        if left:
            compact(database, session_id)
            release(database, session_id, me)
    except StorageError as error:
        _log.warning("Session %s of a process that died is not tidied up: %s", session_id, error)


def _take_over(connection: Connection, session_id: str, dead: str, me: str) -> bool:
    """Settle a session's state; return whether it is ours and still there."""
    claim = update(session).where(session.c.id == session_id, session.c.owner == dead).values(owner=me)
    if not connection.execute(claim).rowcount:
        return False
    held = as_session(connection.execute(select(session).where(session.c.id == session_id)).one())
    if held.state == "importing":
        delete_session(connection, session_id)
        return False
    if held.state == "recording":
        ended = {"state": "interrupted", "ended_at": end_of(held), "version": held.version + 1}
        connection.execute(update(session).where(session.c.id == session_id).values(ended))
    return True
