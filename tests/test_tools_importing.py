"""Logs become sessions whole or not at all."""

from pathlib import Path

import pytest

from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.importing import import_log
from tools.sessions import get_session, list_sessions
from tools.signals import query_signals

CSV = """Time (s),Engine RPM (rpm),Vehicle speed (mph),Coolant (°F),Mood (1-5)
0.0,800,0,194,3
0.5,820,10,194,3
1.0,-,20,194,4
1.5,900,30,195.8,4
"""


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "drive.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def test_a_log_becomes_a_session_in_our_units(context: ToolContext, log: Path) -> None:
    answer = import_log(context, str(log))
    assert answer.session_id is not None
    session = get_session(context, answer.session_id)
    assert (session.session.origin, session.session.state, session.session.format) == (
        "import",
        "finished",
        "csv",
    )
    speed = query_signals(context, answer.session_id, ["speed"]).signals[0]
    assert speed.unit == "km/h"
    assert speed.values == pytest.approx([0, 16.09344, 32.18688, 48.28032])
    coolant = query_signals(context, answer.session_id, ["coolant_temp"]).signals[0]
    assert (coolant.minimum, coolant.maximum) == pytest.approx((90, 91))


def test_a_dry_run_shows_the_columns_and_stores_nothing(context: ToolContext, log: Path) -> None:
    answer = import_log(context, str(log), dry_run=True)
    assert answer.session_id is None
    assert {column.source: column.how for column in answer.columns}["Mood (1-5)"] in ("unknown", "guessed")
    assert "nothing stored" in answer.say()
    assert list_sessions(context).total == 0


def test_warnings_stay_with_the_session(context: ToolContext, log: Path) -> None:
    answer = import_log(context, str(log))
    assert answer.session_id is not None
    assert answer.warnings
    assert get_session(context, answer.session_id).warnings == answer.warnings


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", b"", "bad_arguments"),
        ("words.csv", b"Dear Sir,\nthe car is fine.\n", "bad_arguments"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "bad_arguments"),
        ("truncated.mf4", b"MDF     4.10    obd", "bad_arguments"),
        ("useless.csv", b"Time (s),Name\n0,a\n1,b\n", "bad_arguments"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_nothing_behind(
    context: ToolContext, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ToolError) as refused:
        import_log.run(context, {"path": str(tmp_path / name)})
    assert refused.value.code == code
    assert refused.value.hint
    assert list_sessions(context).total == 0


def test_a_missing_file_and_an_unknown_vehicle_are_not_found(context: ToolContext, log: Path) -> None:
    for arguments in ({"path": "/nowhere/drive.csv"}, {"path": str(log), "vehicle_id": "veh_nowhere"}):
        with pytest.raises(ToolError) as refused:
            import_log.run(context, arguments)
        assert refused.value.code == "not_found"
    assert list_sessions(context).total == 0


def test_a_cancelled_import_leaves_nothing_behind(context: ToolContext, log: Path) -> None:
    context.cancelled.set()
    with pytest.raises(ToolError, match="cancelled"):
        import_log(context, str(log))
    assert context.store.sessions.list(include_importing=True).total == 0


def test_readings_without_times_are_not_analysed_over_time(context: ToolContext, tmp_path: Path) -> None:
    from tools.analysis import analyze_session

    path = tmp_path / "trace.json"
    messages = [f'{{"name": "vehicle_speed", "value": {value}}}' for value in range(50)]
    path.write_text("\n".join(messages), encoding="utf-8")
    answer = import_log(context, str(path))
    assert answer.session_id is not None
    assert (answer.timing, answer.duration_s) == ("order", None)
    with pytest.raises(ToolError, match="no times"):
        analyze_session(context, answer.session_id)
