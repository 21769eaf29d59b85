"""What code left behind in a workspace may do to the runs after it: to its own, and to nothing of the report."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from test_sandbox_harness import frame, plain_box

from sandbox import runner, spawn
from sandbox.host import Host
from sandbox.janitor import Janitor
from sandbox.results import Limits, RunResult
from sandbox.runner import Sandbox
from sandbox.spawn import ZygoteError

MB = 1 << 20


@pytest.fixture(autouse=True)
def _needs_the_layers() -> None:
    if plain_box().status().tier != "full":
        pytest.skip(f"needs a kernel that confines fully: {plain_box().status().reason}")


def run(code: str, limits: Limits | None = None, **more: Any) -> RunResult:
    return plain_box().run(code, {"drive": frame()}, limits, **more)


def test_code_of_an_earlier_run_cannot_write_the_limits_that_a_later_one_reports() -> None:
    forge = """
import sys
worker = sys.modules["sandbox.worker.child"]
worker.rlimits.allow = lambda *a: {"AS": 1, "FORGED": "x" * 1000}
"""
    assert run(forge, workspace="forger").status == "ok"
    result = run("1", Limits(memory_mb=64), workspace="forger")
    assert result.layers is not None
    assert "FORGED" not in result.layers.rlimits
    assert result.layers.rlimits["AS"] > 100 * MB  # what the kernel holds: still that of the first run


def test_limits_in_the_report_are_those_the_kernel_holds() -> None:
    code = """
import sys
resource = sys.modules["resource"]
[resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0] for name in ("AS", "FSIZE")]
"""
    result = run(code)
    assert result.layers is not None
    assert result.result is not None
    assert [result.layers.rlimits[name] for name in ("AS", "FSIZE")] == result.result.value
    assert set(result.layers.rlimits) == {
        "NOFILE",
        "NPROC",
        "CORE",
        "MEMLOCK",
        "MSGQUEUE",
        "AS",
        "CPU",
        "FSIZE",
    }


def test_a_workspace_cannot_lift_its_limit_on_cpu_time() -> None:
    lift = """
import sys
resource, signal = sys.modules["resource"], sys.modules["signal"]
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
while True: pass
"""
    result = run(lift, Limits(wall_s=20, cpu_s=1), workspace="burner")
    assert result.status == "timeout"
    assert result.error is not None
    assert "CPU" in result.error.message
    assert result.wall_s < 15


def test_a_workspace_cannot_raise_its_memory_from_run_to_run() -> None:
    run("x = 1", Limits(memory_mb=64), workspace="eater")
    assert run("x = np.ones(40_000_000)", Limits(memory_mb=1024), workspace="eater").status == "memory"


def test_a_loop_that_answers_before_it_ends_is_stopped_and_does_not_print_into_the_next_run() -> None:
    early = """
import json, os, struct, sys
worker = sys.modules["sandbox.worker.execute"]
usual = worker.run
def answer_and_go_on(job, fds):
    answer = usual(job, fds)
    body = json.dumps(answer).encode()
    os.write(3, struct.pack("!I", len(body)) + body)
    while True:
        print("AFTER")
worker.run = answer_and_go_on
"""
    assert run(early, workspace="talker").status == "ok"
    assert run("1", workspace="talker").status in ("ok", "crashed")
    pid_free = run("print('alone')", workspace="another")
    assert pid_free.stdout == "alone\n"


def test_one_workspace_sees_neither_variables_nor_files_of_another() -> None:
    run("secret = 41\nopen('mine.txt', 'w').write('x')", workspace="first")
    seen = run("import os\n[os.listdir('.'), 'secret' in globals()]", workspace="second")
    assert seen.result is not None
    assert seen.result.value == [[], False]


def test_a_workspace_reads_another_ones_folder_even_less_when_it_knows_where_it_is() -> None:
    where = run("import os\nopen('mine.txt', 'w').write('x')\nos.getcwd()", workspace="first")
    assert where.result is not None
    seen = run(
        "open(info['where'] + '/mine.txt').read()", workspace="second", info={"where": where.result.value}
    )
    assert seen.status == "error"
    assert seen.error is not None
    assert seen.error.type in ("PermissionError", "FileNotFoundError")


def test_a_run_that_is_cancelled_while_it_writes_files_leaves_none_behind() -> None:
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    code = "n = 0\nwhile True:\n    open(f'f{n % 50}.txt', 'w').write('x' * 100_000)\n    n += 1"
    assert run(code, cancelled=cancelled).status == "cancelled"
    host = plain_box()._host
    assert host is not None
    host.settle()
    assert host._folder is not None
    assert not list(host._folder.rglob("f*.txt"))


def test_many_runs_at_once_while_the_zygote_is_killed_all_end_and_the_next_one_works() -> None:
    pid = plain_box().status().zygote_pid
    assert pid is not None
    killer = subprocess.Popen([sys.executable, "-c", f"import os, time; time.sleep(0.5); os.kill({pid}, 9)"])
    with ThreadPoolExecutor(6) as pool:
        ends = [pool.submit(run, "import time\ntime.sleep(0.4)\n1", Limits(wall_s=10)) for _ in range(6)]
        statuses = {end.result().status for end in ends}
    killer.wait()
    # refused: its worker died before it had shown its limits, and without them no code runs
    assert statuses <= {"crashed", "ok", "refused"}
    assert run("1 + 1").status == "ok"


def test_a_zygote_that_does_not_answer_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "_ANSWER_S", 0.5)
    host = Host(quick=True)
    host.start()
    stopped = host.hello["pid"]
    os.kill(stopped, signal.SIGSTOP)
    worker = host.worker()
    assert worker.reason == ""
    assert host.hello["pid"] != stopped
    worker.discard()
    host.close()
    with pytest.raises(ProcessLookupError):
        os.kill(stopped, 0)


def test_a_zygote_that_never_answers_is_an_error_not_a_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(quick=True)
    host.start()
    monkeypatch.setattr(spawn, "_ANSWER_S", 0.0)
    with pytest.raises(ZygoteError, match="does not answer"):
        host.worker()
    host.close()


def test_what_cannot_be_cleared_away_does_not_keep_the_rest_from_it(caplog: pytest.LogCaptureFixture) -> None:
    janitor, done = Janitor(), []

    def fails() -> None:
        raise OSError("no")

    janitor.leave(fails)
    janitor.leave(lambda: done.append(1))
    janitor.close()
    assert done == [1]
    assert "could not be cleared away" in caplog.text


def test_the_server_does_not_grow_with_runs_that_flood_it() -> None:
    flood = "import os\nfor _ in range(2000): os.write(1, b'x' * 4000)\nos.write(3, b'x' * 200_000)"

    def held_mb() -> float:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MB

    for _ in range(3):
        run(flood)
    before = held_mb()
    for _ in range(20):
        run(flood)
    assert held_mb() - before < 30  # twenty floods of 8 MB each would be 160


def test_descriptors_and_threads_are_the_same_after_runs_that_end_in_every_way() -> None:
    def state() -> tuple[int, int]:
        host = plain_box()._host
        assert host is not None
        host.settle()
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    codes = (
        "1",
        "1 / 0",
        "import os\nos._exit(3)",
        "import os\nos.abort()",
        "while True: pass",
        "import os\nos.close(3)",
        "import os\nos.closerange(0, 64)",
        "import os\nos.write(3, b'x' * 9)",
        "print('x' * 9_000_000)",
        "np.ones(10**10)",
    )
    run("1")
    time.sleep(0.1)
    before = state()
    for code in codes * 2:
        run(code, Limits(wall_s=0.5))
    assert state() == before


def test_artifacts_of_old_runs_go_when_they_weigh_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_BYTES_KEPT", 1000)
    monkeypatch.setattr(runner, "_PRUNE_EVERY", 2)
    for number in range(6):
        folder = tmp_path / "sandbox" / "runs" / f"{number}"
        folder.mkdir(parents=True)
        (folder / "a.txt").write_bytes(b"x" * 400)
        os.utime(folder, (number, number))
    Sandbox(tmp_path)._prune()
    assert sorted(path.name for path in (tmp_path / "sandbox" / "runs").iterdir()) == ["4", "5"]
