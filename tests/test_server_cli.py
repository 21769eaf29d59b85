"""The command line: text for people, one JSON document for programs, an exit status that tells."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from stored_drives import store_drive

from storage.store import open_store

ROOT = Path(__file__).parents[1]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def run(home: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from server.cli import main; main()", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"OBD_AGENT_HOME": str(home), "PATH": "/usr/bin:/bin", "MPLCONFIGDIR": str(home)},
        cwd=ROOT,
    )


def drive_in(home: Path) -> str:
    with open_store(f"sqlite:///{home / 'obd-agent.db'}") as store:
        return store_drive(store)


def test_sessions_are_listed_as_text_and_as_json(home: Path) -> None:
    session_id = drive_in(home)
    assert session_id in run(home, "sessions").stdout
    listed = json.loads(run(home, "sessions", "--json").stdout)
    assert [row["id"] for row in listed["sessions"]] == [session_id]


def test_a_call_prints_json_and_takes_its_arguments_from_standard_input(home: Path) -> None:
    session_id = drive_in(home)
    done = run(home, "call", "get_session", "-", stdin=json.dumps({"session_id": session_id}))
    assert done.returncode == 0
    assert json.loads(done.stdout)["session"]["id"] == session_id


def test_a_failed_call_says_why_as_json_and_by_its_exit_status(home: Path) -> None:
    done = run(home, "call", "get_session", '{"session_id": "ses_nowhere"}')
    assert done.returncode == 1
    assert json.loads(done.stdout)["code"] == "not_found"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", ["{", "[1]", '{"sesion_id": "x"}'])
def test_wrong_usage_has_exit_status_two(home: Path, arguments: str) -> None:
    done = run(home, "call", "get_session", arguments)
    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == "bad_arguments"


def test_an_unknown_command_or_toolset_is_wrong_usage(home: Path) -> None:
    assert run(home, "fly").returncode == 2
    refused = run(home, "mcp", "--toolsets", "lokup")
    assert refused.returncode == 2
    assert "Did you mean lookup?" in refused.stderr


def test_the_doctor_finds_a_sound_installation_and_a_broken_one(home: Path) -> None:
    sound = run(home, "doctor")
    assert sound.returncode == 0, sound.stdout
    (home / "obd-agent.db").write_bytes(b"this is no database" * 100)
    broken = run(home, "doctor", "--json")
    assert broken.returncode == 1
    storage = next(check for check in json.loads(broken.stdout) if check["name"] == "storage")
    assert not storage["ok"]
    assert storage["hint"]


def test_the_demo_drives_records_and_writes_its_report(home: Path) -> None:
    done = run(home, "demo", "--minutes", "1")
    assert done.returncode == 0, done.stderr
    path = Path(next(line for line in done.stdout.splitlines() if line.startswith("The report: "))[12:])
    assert path.read_text(encoding="utf-8").startswith("# Health report")
    assert '"command": "obd-agent"' in done.stdout
