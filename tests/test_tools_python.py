"""An agent's Python runs over sessions and reaches nothing else; what came of it is kept."""

import sys
from collections.abc import Iterator

import pytest
from stored_drives import store_drive

from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.python import RUN, run_python
from tools.python_runs import get_python_run, list_python_runs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="code is confined on Linux only")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    home = tmp_path_factory.mktemp("home")
    workshop = Workshop(home, f"sqlite:///{home / 'test.db'}")
    yield workshop
    workshop.close()


@pytest.fixture(scope="module")
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


@pytest.fixture(scope="module")
def drive(context: ToolContext) -> str:
    return store_drive(context.store)


def test_code_computes_over_a_session_and_says_its_value(context: ToolContext, drive: str) -> None:
    answer = run_python(
        context, f"df = load_session('{drive}')\ndf['speed'] *= 0.5\nfloat(df['speed'].max())"
    )
    assert answer.ok, answer.say()
    assert answer.result is not None
    assert answer.result.value == 36.0
    again = run_python(context, f"float(load_session('{drive}')['speed'].max())")
    assert again.result is not None
    assert again.result.value == 72.0


def test_tables_and_figures_come_back_and_are_kept(context: ToolContext, drive: str) -> None:
    code = "df = load_session(sessions[0]['id'])\nplt.plot(df['rpm'].dropna())\ndf[['speed']].describe()"
    answer = run_python(context, code, session_ids=[drive])
    assert "speed [km/h]" in answer.say()
    figures = answer.artifacts_to_show()
    assert len(figures) == 1
    kept = context.store.artifacts.get(figures[0].artifact_id)
    assert kept.data is not None
    assert kept.data.startswith(b"\x89PNG")
    assert kept.session_id == drive
    run = context.store.snapshots.list(session_id=drive, kind=RUN).rows[0]
    assert run.data["code"] == code


def test_a_kept_run_is_listed_and_repeated_with_what_it_was_asked_with(
    context: ToolContext, drive: str
) -> None:
    answer = run_python(context, "len(load_session())", session_ids=[drive], timeout_s=20)
    listed = list_python_runs(context, session_id=drive).runs[0]
    assert (listed.run_id, listed.status, listed.begins) == (answer.run_id, "ok", "len(load_session())")
    kept = get_python_run(context, answer.run_id)
    assert (kept.timeout_s, kept.workspace, kept.run["result"]["value"]) == (20, None, 241)
    assert "len(load_session())" in kept.say()
    assert "241" in kept.say()
    again = run_python(context, kept.code, kept.session_ids, kept.timeout_s, kept.workspace)
    assert again.result == answer.result
    assert again.run_id != answer.run_id


def test_a_run_that_was_not_kept_is_not_found(context: ToolContext, drive: str) -> None:
    other = context.store.snapshots.save(drive, None, "trouble_codes", {})
    for run_id in ("nowhere", other.id):
        with pytest.raises(ToolError) as refused:
            get_python_run.run(context, {"run_id": run_id})
        assert refused.value.code == "not_found"


def test_an_error_carries_its_line_and_a_hint(context: ToolContext, drive: str) -> None:
    answer = run_python(context, "x = 1\nopen('/etc/hostname').read()")
    assert not answer.ok
    assert answer.error is not None
    assert answer.error.line == 2
    assert "load_session" in answer.error.hint


def test_every_run_says_what_confined_it(context: ToolContext, drive: str) -> None:
    answer = run_python(context, "1 + 1")
    assert answer.tier in ("full", "reduced")
    assert answer.layers is not None
    assert answer.layers.no_new_privs


def test_a_run_that_takes_too_long_is_ended(context: ToolContext, drive: str) -> None:
    answer = run_python(context, "while True: pass", timeout_s=1)
    assert answer.status == "timeout"
    assert answer.wall_s < 3


def test_an_unknown_session_is_not_found(context: ToolContext) -> None:
    with pytest.raises(ToolError) as refused:
        run_python.run(context, {"code": "1", "session_ids": ["ses_nowhere"]})
    assert refused.value.code == "not_found"


def test_everybody_who_asks_has_workspaces_of_their_own(workshop: Workshop, drive: str) -> None:
    one, other = ToolContext(workshop, requester="chat:1"), ToolContext(workshop, requester="chat:2")
    kept = run_python(one, "mine = 41", session_ids=[drive], workspace="work")
    assert kept.workspace is not None
    assert kept.workspace.name == "work"
    assert run_python(other, "mine", session_ids=[drive], workspace="work").status == "error"
    again = run_python(one, "mine + 1", session_ids=[drive], workspace="work")
    assert again.result is not None
    assert again.result.value == 42


def test_a_result_that_was_forged_too_deep_or_too_large_for_json_is_still_an_answer(
    context: ToolContext, drive: str
) -> None:
    for value in ("[" * 300 + "]" * 300, "[NaN, 1e999]", "9" * 4000):
        code = f"""
import os, struct, sys
usual = sys.modules["sandbox.worker.wire"].pack
def pack(message):
    text = '{{"nonce": "%s", "value": {{"kind": "data", "value": {value}}}}}' % message.get("nonce")
    return struct.pack("!I", len(text)) + text.encode()
sys.modules["sandbox.worker.wire"].pack = pack
"""
        answer = run_python(context, code, session_ids=[drive])
        assert answer.structured()["status"] in ("ok", "crashed")
        assert answer.say()
