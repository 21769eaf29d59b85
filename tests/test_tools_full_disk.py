"""A full disk is one clear error at the door, and nothing acknowledged is lost."""

from pathlib import Path

import pytest
from sqlalchemy import event
from stored_drives import store_drive

from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.importing import import_log
from tools.sessions import get_session, list_sessions


def fill_up(workshop: Workshop) -> None:
    """Let the database grow by no page more, as on a full disk."""
    engine = workshop.store.database.engine
    engine.dispose()
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1"))


def test_an_import_onto_a_full_disk_fails_whole_and_keeps_the_rest(
    workshop: Workshop, tmp_path: Path
) -> None:
    context = ToolContext(workshop)
    drive = store_drive(context.store)
    before = get_session(context, drive)
    log = tmp_path / "long.csv"
    rows = [
        f"{number / 10:.1f},{800 + number * 7919 % 6000 / 4},{number * 31 % 200}" for number in range(60_000)
    ]
    log.write_text("\n".join(["Time (s),Engine RPM (rpm),Vehicle speed (km/h)", *rows]), encoding="utf-8")
    fill_up(workshop)
    with pytest.raises(ToolError) as refused:
        import_log.run(context, {"path": str(log)})
    assert refused.value.code == "too_large"
    assert "full" in refused.value.message
    assert refused.value.hint
    assert [row.id for row in list_sessions(context).sessions] == [drive]
    assert get_session(context, drive) == before
