"""The way in: open a database and reach everything that is remembered."""

from types import TracebackType
from typing import Self

from storage.alerts import Alerts
from storage.approvals import Approvals
from storage.artifacts import Artifacts
from storage.audit import Audit
from storage.conversations import Conversations
from storage.database import Database
from storage.manuals import Manuals
from storage.owners import owners_of
from storage.recovery import recover
from storage.research import ResearchNotes
from storage.samples import Samples
from storage.schema import migrate
from storage.sessions import Sessions
from storage.snapshots import Snapshots
from storage.vehicles import Vehicles


class Store:
    """One open database; may be used from many threads at once, and by several processes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._owners = owners_of(database)
        self.vehicles = Vehicles(database)
        self.sessions = Sessions(database, self._owners)
        self.samples = Samples(database, self._owners)
        self.artifacts = Artifacts(database)
        self.snapshots = Snapshots(database)
        self.alerts = Alerts(database)
        self.approvals = Approvals(database)
        self.audit = Audit(database)
        self.conversations = Conversations(database)
        self.research = ResearchNotes(database)
        self.manuals = Manuals(database)

    def recover(self) -> None:
        """Take over what processes that died left behind."""
        recover(self.database, self._owners)

    def close(self) -> None:
        """Close all connections; sessions still recording count as interrupted from now on."""
        self._owners.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(address: str) -> Store:
    """Open a database by URL or SQLite path, creating and upgrading it as needed.

    Recordings of processes that died become `interrupted`, their half imports are removed. Raises StorageError
    where the database cannot be reached, is damaged, or was written by a later version.
    """
    database = Database(address)
    try:
        migrate(database)
        store = Store(database)
        store.recover()
    except BaseException:
        database.close()
        raise
    return store
