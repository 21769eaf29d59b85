"""An approval is a person's, for one call, once, for ten minutes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from storage.errors import NotFoundError
from storage.store import Store, open_store
from storage.tables import approval

CALL = ("clear_trouble_codes", {"adapter": "sim:demo"}, "mcp")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "test.db")) as store:
        yield store


def test_an_approved_call_runs_once(store: Store) -> None:
    asked = store.approvals.ask(*CALL, "clear 2 codes")
    assert [one.id for one in store.approvals.pending()] == [asked.id]
    assert not store.approvals.use(asked.id, *CALL)
    store.approvals.decide(asked.id, approved=True, by="terminal")
    assert store.approvals.use(asked.id, *CALL)
    assert not store.approvals.use(asked.id, *CALL)
    assert store.approvals.pending() == []


def test_a_refused_call_does_not_run(store: Store) -> None:
    asked = store.approvals.ask(*CALL, "clear 2 codes")
    store.approvals.decide(asked.id, approved=False, by="terminal")
    assert not store.approvals.use(asked.id, *CALL)
    with pytest.raises(NotFoundError):
        store.approvals.decide(asked.id, approved=True, by="the model")


@pytest.mark.parametrize(
    "other",
    [
        ("run_guided_test", CALL[1], CALL[2]),
        (CALL[0], {"adapter": "sim:petrol"}, CALL[2]),
        (CALL[0], CALL[1], "http"),
    ],
)
def test_an_approval_fits_no_other_call(store: Store, other: tuple[str, dict[str, str], str]) -> None:
    asked = store.approvals.ask(*CALL, "clear 2 codes")
    store.approvals.decide(asked.id, approved=True, by="terminal")
    assert not store.approvals.use(asked.id, *other)


def test_an_approval_expires(store: Store) -> None:
    asked = store.approvals.ask(*CALL, "clear 2 codes")
    store.approvals.decide(asked.id, approved=True, by="terminal")
    with store.database.writing() as connection:
        connection.execute(update(approval).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert not store.approvals.use(asked.id, *CALL)


def test_the_audit_log_keeps_what_was_done_latest_first(store: Store) -> None:
    store.audit.add("mcp", "asked", {"tool": "clear_trouble_codes"})
    store.audit.add("terminal", "approved", {"approval": "apr_x"})
    entries, total = store.audit.list()
    assert total == 2
    assert {entry.action for entry in entries} == {"asked", "approved"}
