"""What a run gives back: values, errors with lines and hints, warnings, artifacts, and an end to everything."""

import hashlib
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from test_sandbox_harness import box, frame, ordinary, sessions

from sandbox.errors import BadRequestError, BusyError
from sandbox.output import Output
from sandbox.results import Limits, RunResult
from sandbox.runner import Sandbox
from sandbox.worker import tidy


@pytest.fixture(autouse=True)
def _needs_the_layers() -> None:
    if box().status().tier != "full":
        pytest.skip(f"needs a kernel that confines fully: {box().status().reason}")


def run(code: str, limits: Limits | None = None, **more: Any) -> RunResult:
    return box().run(code, {"drive": frame()}, limits, **more)


def value(code: str) -> Any:
    result = run(code)
    assert result.status == "ok", result.error
    assert result.result is not None
    return result.result


def test_ordinary_analyses_run_unchanged() -> None:
    assert len(ordinary()) >= 160
    facts = {"vehicle": {"make": "Volkswagen", "model": "Golf"}}
    failed = {}
    for name, library, code in ordinary():
        result = box().run(code, sessions(), info=facts)
        missing = library and result.error is not None and result.error.type == "ModuleNotFoundError"
        if result.status != "ok" and not missing:
            failed[name] = result.status, result.error
    assert failed == {}


def test_the_last_expression_is_the_result_and_else_the_variable_called_result() -> None:
    assert value("a = 2\na * 21").value == 42
    assert value("result = {'a': 1}").value == {"a": 1}
    assert run("a = 1").result is None
    assert run("print('x')").result is None


def test_numbers_keep_their_kind_and_what_is_no_number_in_json_is_null_with_its_text() -> None:
    assert value("np.float64(1.5)").value == 1.5
    assert value("np.int64(3)").value == 3
    assert value("np.bool_(True)").value is True
    assert value("float('nan')").value is None
    assert value("float('nan')").text == "nan"
    assert value("10**30").value == str(10**30)
    assert value("pd.Timestamp('2026-01-01', tz='UTC')").value == "2026-01-01T00:00:00+00:00"


def test_a_table_comes_with_its_columns_units_first_rows_and_all_of_it_as_a_file() -> None:
    result = run("load_session()")
    table = result.result
    assert table is not None
    assert table.kind == "table"
    assert table.columns is not None
    assert [(column.name, column.unit) for column in table.columns] == [
        ("time", ""),
        ("rpm", "rpm"),
        ("speed", "km/h"),
    ]
    assert table.total_rows == 2400
    assert table.rows is not None
    assert 0 < len(table.rows) < 2400
    assert not table.complete
    (artifact,) = [one for one in result.artifacts if one.name == table.artifact]
    text = Path(artifact.path).read_bytes()
    assert artifact.mime == "text/csv"
    assert artifact.bytes == len(text)
    assert artifact.sha256 == hashlib.sha256(text).hexdigest()
    assert text.count(b"\n") == 2401


def test_a_large_table_is_handed_over_as_parquet() -> None:
    result = run("pd.DataFrame(np.zeros((60_000, 5)), columns=list('abcde'))")
    assert result.result is not None
    if "pyarrow" in box().status().versions:
        assert result.result.artifact == "result.parquet"
    assert [artifact.kind for artifact in result.artifacts] == ["table"]


def test_a_series_is_a_table_and_an_array_says_its_shape() -> None:
    series = value("pd.Series([1.0, 2.0], index=['a', 'b'], name='x')")
    assert series.rows == [["a", 1.0], ["b", 2.0]]
    array = value("np.arange(6.0).reshape(2, 3)")
    assert (array.kind, array.shape, array.dtype) == ("array", [2, 3], "float64")
    assert value("np.zeros(10_000)").complete is False


def test_results_stay_small_whatever_their_size() -> None:
    for code in (
        "list(range(10**6))",
        "'x' * 10**7",
        "{i: 'x' * 1000 for i in range(10**4)}",
        "pd.DataFrame(np.zeros((100, 3000)))",
        "[['y' * 5000] * 300] * 300",
    ):
        result = value(code)
        assert len(result.model_dump_json()) < 64 * 1024, code
        assert not result.complete


def test_an_error_carries_its_line_of_the_users_code_and_a_hint() -> None:
    result = run("df = load_session()\n\nmean = df['sped'].mean()")
    assert result.status == "error"
    assert result.error is not None
    assert (result.error.type, result.error.line) == ("KeyError", 3)
    assert "Did you mean 'speed'" in result.error.hint
    assert "line 3" in result.error.traceback
    assert "sandbox" not in result.error.traceback


def test_an_error_within_a_library_is_put_down_to_the_users_line() -> None:
    result = run("def f(column):\n    return pd.to_datetime(column, format='%Y')\n\nf(['no'])")
    assert result.error is not None
    assert result.error.line == 2


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("load_session('nope')", "drive"),
        ("load_session('drive', signals=['boost'])", "rpm"),
        ("load_sesion('drive')", "load_session"),
        ("pd.DataFrame({'a': [1]}).applymap(str)", "DataFrame.map"),
        ("np.trapz([1, 2])", "trapezoid"),
        ("load_session().resample('1T').mean()", "'min'"),
        ("open('/etc/hostname')", "load_session"),
        ("open('missing.csv')", "load_session"),
        ("plt.savefig('/tmp/plot.png')", "relative file names"),
        ("pd.read_csv('http://127.0.0.1:9/a.csv')", "no network"),
        ("import tensorflow_of_my_own", ""),
        ("np.ones(10**11)", "fewer signals"),
        ("def f(): return f()\nf()", "loop"),
        ("signal.welch(load_session()['rpm'])", "to_numpy"),
    ],
)
def test_hints_say_what_to_do(code: str, hint: str) -> None:
    result = run(code)
    assert result.error is not None
    assert hint in result.error.hint + result.error.message


def test_a_syntax_error_has_its_line_and_nothing_is_run() -> None:
    result = run("print('RAN')\ndf = (1,\n")
    assert result.status == "error"
    assert result.error is not None
    assert result.error.type == "SyntaxError"
    assert result.stdout == ""
    assert result.layers is None


def test_warnings_come_back_with_their_line_even_when_the_code_silences_them() -> None:
    code = "import warnings\nwarnings.filterwarnings('ignore')\ndf = load_session()\ndf[df['speed'] > 50]['rpm'] = 0"
    (warning,) = run(code).warnings
    assert (warning.category, warning.line) == ("ChainedAssignmentError", 4)
    (divided,) = run("np.array([1.0]) / np.array([0.0])").warnings
    assert divided.category == "RuntimeWarning"


def test_a_table_that_is_mostly_empty_says_so() -> None:
    (warning,) = box().run("df = load_session('commute')", sessions()).warnings
    assert "67% of this table is empty" in warning.message
    assert warning.line == 1


def test_figures_left_open_are_saved_as_picture_drawing_and_thumbnail() -> None:
    result = run("load_session()['speed'].plot()\nplt.show()")
    kinds = {artifact.name: (artifact.mime, artifact.kind) for artifact in result.artifacts}
    assert kinds == {
        "figure_1.png": ("image/png", "figure"),
        "figure_1.svg": ("image/svg+xml", "figure"),
        "figure_1.thumb.png": ("image/png", "thumbnail"),
    }


def test_a_run_that_comes_while_its_worker_is_still_warming_up_finds_no_figure_of_it() -> None:
    for pause in range(12):
        time.sleep(pause * 0.005)
        result = run("len(plt.get_fignums())")
        assert result.result is not None
        assert result.result.value == 0
        assert result.artifacts == []


def test_at_most_eight_figures_are_saved_and_the_rest_is_mentioned() -> None:
    code = "for _ in range(10):\n    plt.figure(figsize=(1, 1))"
    result = run(code)
    assert len([one for one in result.artifacts if one.kind == "thumbnail"]) == 8
    assert any("2 more figures" in note for note in result.notes)


def test_a_figure_of_many_points_is_saved_as_a_picture_only() -> None:
    result = run("plt.plot(np.zeros(60_000))")
    assert "figure_1.svg" not in {artifact.name for artifact in result.artifacts}
    assert any("too many points" in note for note in result.notes)


def test_facts_about_vehicle_and_sessions_are_there() -> None:
    facts = {"vehicle": {"make": "Skoda"}, "sessions": {"drive": {"note": "cold start"}}}
    result = run("[vehicle['make'], sessions[0]['note'], sessions[0]['readings']]", info=facts)
    assert result.result is not None
    assert result.result.value == ["Skoda", "cold start", 4800]


def test_output_keeps_its_beginning_and_its_end_and_says_what_is_missing() -> None:
    result = run("print('first')\nprint('x' * 300_000)\nprint('last')")
    assert result.truncated
    assert result.stdout.startswith("first")
    assert result.stdout.rstrip().endswith("last")
    assert "bytes left out" in result.stdout
    assert len(result.stdout) < 70_000


def test_output_in_pieces_is_the_same_as_in_one() -> None:
    text = "".join(f"line {number}\n" for number in range(3000)).encode()
    whole, pieces = Output(4096), Output(4096)
    whole.take(text)
    for start in range(0, len(text), 700):
        pieces.take(text[start : start + 700])
    assert whole.text() == pieces.text()
    assert whole.truncated


def test_a_timeout_ends_the_run_within_a_fifth_of_a_second_and_keeps_what_was_printed() -> None:
    started = time.monotonic()
    result = run("print('begun')\nwhile True: pass", Limits(wall_s=0.5))
    assert time.monotonic() - started < 0.5 + 0.5  # a fifth on a machine that has nothing else to do
    assert result.status == "timeout"
    assert result.wall_s < 0.7
    assert result.stdout == "begun\n"
    assert result.cpu_s is not None


def test_cpu_time_is_limited_apart_from_the_clock() -> None:
    result = run("while True: pass", Limits(wall_s=20, cpu_s=1))
    assert result.status == "timeout"
    assert result.error is not None
    assert "CPU" in result.error.message


def test_code_that_ends_itself_as_if_its_cpu_time_were_over_has_crashed() -> None:
    kill = "getattr(os, 'kill')"  # as it stands the gate would refuse it
    result = run(f"import os\n{kill}(os.getpid(), {int(signal.SIGXCPU)})", Limits(wall_s=20))
    assert result.status == "crashed"
    assert result.error is not None
    assert "SIGXCPU" in result.error.message


def test_memory_is_limited_and_measured() -> None:
    assert run("x = np.ones(100_000_000)", Limits(memory_mb=200)).status == "memory"
    result = run("x = np.ones(10_000_000)")
    assert result.peak_mb is not None
    assert 60 < result.peak_mb < 200


def test_cancelling_ends_a_run_at_once_and_again_does_nothing() -> None:
    cancelled = threading.Event()
    threading.Timer(0.2, cancelled.set).start()
    started = time.monotonic()
    result = run("import time\ntime.sleep(30)", cancelled=cancelled)
    assert result.status == "cancelled"
    assert time.monotonic() - started < 1
    cancelled.set()
    assert run("1", cancelled=cancelled).status == "cancelled"
    assert run("1").status == "ok"


def test_progress_is_told_every_second() -> None:
    heard: list[tuple[float, float | None, str]] = []
    run("import time\ntime.sleep(1.3)", Limits(wall_s=9), progress=lambda *told: heard.append(told))
    assert [(round(done), total, text) for done, total, text in heard] == [(1, 9, "running")]


def test_when_every_place_and_the_queue_are_taken_the_answer_is_busy() -> None:
    places = box().status().places
    cancelled = threading.Event()
    with ThreadPoolExecutor(places + 8) as pool:
        running = [
            pool.submit(run, "import time\ntime.sleep(20)", cancelled=cancelled) for _ in range(places + 8)
        ]
        deadline = time.monotonic() + 10
        while box().status().waiting < 8 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert box().status().running == places
        with pytest.raises(BusyError) as busy:
            run("1")
        assert busy.value.code == "busy"
        assert busy.value.hint
        cancelled.set()
        assert {future.result().status for future in running} == {"cancelled"}
    assert run("1").status == "ok"


def test_runs_side_by_side_do_not_mix() -> None:
    def one(number: int) -> Any:
        result = run(
            f"import time\nprint({number})\nopen('n.txt', 'w').write('{number}')\ntime.sleep(0.05)\n{number}"
        )
        assert result.result is not None
        return (
            number,
            int(result.stdout),
            result.result.value,
            Path(result.artifacts[0].path).read_text(encoding="utf-8"),
        )

    with ThreadPoolExecutor(4) as pool:
        for number, printed, returned, written in pool.map(one, range(8)):
            assert (printed, returned, written) == (number, number, str(number))


def test_fifty_runs_leave_nothing_behind() -> None:
    def state() -> tuple[int, int, int]:
        host = box()._host
        assert host is not None
        assert host._folder is not None
        host.settle()
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        return (
            descriptors,
            len([path for path in host._folder.iterdir() if path.is_dir()]),
            threading.active_count(),
        )

    run("1")
    before = state()
    for number in range(50):
        run(f"open('f{number}.txt', 'w').write('x')\n{number}")
    assert state() == before


def test_a_workspace_keeps_variables_files_and_figures_of_one_conversation() -> None:
    first = run("a = 41\nopen('n.txt', 'w').write('x')\ndef f(): return a + 1", workspace="talk")
    assert first.workspace is not None
    assert first.workspace.fresh
    second = run("f()", workspace="talk")
    assert second.result is not None
    assert second.result.value == 42
    assert second.workspace is not None
    assert not second.workspace.fresh
    assert [artifact.name for artifact in first.artifacts] == ["n.txt"]
    assert second.artifacts == []
    assert run("a", workspace="other").status == "error"
    assert set(box().status().workspaces) >= {"talk", "other"}


def test_an_error_leaves_a_workspace_alive_and_a_timeout_ends_it() -> None:
    run("kept = 1", workspace="frail")
    assert run("1 / 0", workspace="frail").workspace.alive  # type: ignore[union-attr] # a run in one has it
    ended = run("while True: pass", Limits(wall_s=0.3), workspace="frail")
    assert ended.status == "timeout"
    assert ended.workspace is not None
    assert not ended.workspace.alive
    assert run("kept", workspace="frail").status == "error"


def test_an_idle_workspace_is_stopped_and_one_in_use_is_busy() -> None:
    run("x = 1", workspace="idle")
    workspaces = box()._workspaces
    assert workspaces is not None
    pid = workspaces._all["idle"].worker.child.pid
    time.sleep(0.05)
    assert Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"
    cancelled = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(run, "import time\ntime.sleep(20)", workspace="idle", cancelled=cancelled)
        time.sleep(0.2)
        with pytest.raises(BusyError, match="idle"):
            run("1", workspace="idle")
        cancelled.set()
        assert long.result().status == "cancelled"


def test_what_died_while_nobody_used_it_is_replaced() -> None:
    run("x = 1", workspace="gone")
    host, workspaces = box()._host, box()._workspaces
    assert host is not None
    assert workspaces is not None
    host.settle()
    assert host._spare is not None
    for pid in (workspaces._all["gone"].worker.child.pid, host._spare.child.pid):
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert run("1").status == "ok"
    again = run("x", workspace="gone")
    assert again.status == "error"
    assert again.workspace is not None
    assert again.workspace.fresh


def test_the_longest_unused_workspace_goes_when_there_are_too_many_and_all_go_with_time() -> None:
    for number in range(6):
        run("x = 1", workspace=f"many-{number}")
    workspaces = box()._workspaces
    assert workspaces is not None
    assert len(workspaces.names()) <= 4
    assert "many-5" in workspaces.names()
    workspaces._all["many-5"].used_at -= 10_000
    deadline = time.monotonic() + 5
    while "many-5" in workspaces.names() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "many-5" not in workspaces.names()


def test_a_workspace_sees_sessions_given_later_and_its_own_limits_stay() -> None:
    assert box().run("len(sessions)", {}, workspace="grows").result.value == 0  # type: ignore[union-attr] # it is ok
    assert run("len(load_session())", workspace="grows").result.value == 2400  # type: ignore[union-attr] # it is ok


def test_unusable_arguments_are_refused_with_a_hint() -> None:
    with pytest.raises(BadRequestError, match="workspace"):
        run("1", workspace="../up")
    with pytest.raises(BadRequestError, match="info"):
        run("1", info={"x": "y" * 300_000})
    circle: dict[str, Any] = {}
    circle["self"] = circle
    with pytest.raises(BadRequestError, match="plain data"):
        run("1", info=circle)
    with pytest.raises(BadRequestError, match="64"):
        box().run("1", {str(number): frame() for number in range(65)})
    with pytest.raises(ValidationError):
        Limits(wall_s=0)


def test_a_sandbox_that_was_not_started_says_so_and_a_closed_one_starts_again(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    assert sandbox.status().reason == "not started"
    assert sandbox.run("1", {}).status == "ok"
    sandbox.close()
    assert sandbox.run("2", {}).status == "ok"
    sandbox.close()
    sandbox.close()


def test_only_the_newest_runs_artifacts_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.runner._RUNS_KEPT", 3)
    runs = tmp_path / "sandbox" / "runs"
    for number in range(6):
        (runs / str(number)).mkdir(parents=True)
        os.utime(runs / str(number), (number, number))
    Sandbox(tmp_path)._prune()
    assert sorted(path.name for path in runs.iterdir()) == ["3", "4", "5"]


def test_a_figure_without_room_for_a_name_takes_another() -> None:
    result = run("open('figure_1.png', 'w').write('mine')\nplt.plot([1, 2])")
    assert "figure_1_.png" in {artifact.name for artifact in result.artifacts}
    assert tidy._FIGURES == 8
