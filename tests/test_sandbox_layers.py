"""Each layer fails closed, and the zygote knows nothing and dies with us."""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from test_sandbox_harness import CHECKOUT, LIMITS, Lab, as_user, by_the_door, grounds, plain_box

from sandbox import scratch
from sandbox.host import Host, Worker
from sandbox.jobs import Job, carry_out
from sandbox.runner import Sandbox
from sandbox.spawn import Child, ZygoteError
from sandbox.supervise import attested
from sandbox.worker import wire
from sandbox.worker import zygote as zygote_module
from sandbox.worker.orders import House, Order

ROOT = os.getuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="needs root, who may look into other processes")


@pytest.fixture(autouse=True)
def _needs_the_layers() -> None:
    if plain_box().status().tier != "full":
        pytest.skip(f"needs a kernel that confines fully: {plain_box().status().reason}")


def test_the_report_names_what_confines_a_run_and_that_everything_forbidden_was_tried() -> None:
    report = plain_box().status()
    assert report.tier == "full"
    assert report.threads == 1
    assert [probe.name for probe in report.selftest] == [
        "read",
        "write",
        "tcp",
        "udp",
        "fork",
        "signal_parent",
    ]
    assert all(probe.contained for probe in report.selftest)
    result = by_the_door("1", LIMITS)
    assert result.layers is not None
    assert result.layers.landlock_abi is not None
    assert result.layers.landlock_abi >= 1
    assert result.layers.seccomp
    assert result.layers.no_new_privs
    assert result.layers.rlimits["NPROC"] == 0
    assert result.layers.rlimits["FSIZE"] == LIMITS.file_mb << 20
    assert result.layers.uid_separated == ROOT or result.layers.uid == 0


CALLS = [
    "landlock",
    "seccomp",
    "limits",
    "no_new_privs",
    "limits of a job",
    *(["changing users"] if ROOT else []),
]


@pytest.fixture(scope="module")
def without() -> dict[str, Any]:
    """Return what happened on machines that are each without one thing, by name; two are tried at a time."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(CALLS, pool.map(lambda calls: as_user("without", calls), CALLS), strict=True))


@pytest.mark.parametrize("calls", CALLS)
def test_where_a_layer_cannot_be_put_on_no_code_is_run(calls: str, without: dict[str, Any]) -> None:
    report, result = without[calls]["report"], without[calls]["result"]
    assert report["tier"] == "off"
    assert report["reason"]
    assert result["status"] == "refused"
    assert result["stdout"] == ""
    assert result["layers"] is None


def test_the_reason_names_the_layer_that_is_missing(without: dict[str, Any]) -> None:
    for calls, word in (("landlock", "landlock"), ("seccomp", "seccomp"), ("limits", "rlimits")):
        assert word in without[calls]["report"]["reason"]
        assert word in without[calls]["result"]["error"]["message"]


def test_a_kernel_without_landlock_is_off_and_the_sandbox_refuses_every_run() -> None:
    seen = as_user("reduced", "landlock")
    assert seen["report"]["tier"] == "off"
    assert seen["result"]["status"] == "refused"
    assert seen["result"]["stdout"] == ""


def test_a_kernel_without_landlock_is_offered_as_reduced_only_when_the_operator_says_so() -> None:
    seen = as_user("reduced", "landlock", "--allow")
    assert seen["report"]["tier"] == "reduced"
    assert seen["report"]["missing"] == ["landlock"]
    assert seen["result"]["tier"] == "reduced"
    assert seen["result"]["layers"]["audit"]
    assert seen["result"]["layers"]["landlock_abi"] is None
    assert seen["result"]["stdout"].split() == ["RAN", "PermissionError"]
    assert seen["import_os"] == "rejected"


def test_a_process_that_attests_nothing_or_half_or_a_failure_is_given_no_job() -> None:
    for said in (b"", b'{"uid": 1', b'{"failed": "landlock: no"}', b"[]", b"\xff"):
        child = Child(Order("x", "/nowhere"))
        os.write(child.their_attest, said)
        child.close_theirs()
        worker = Worker(child, Path("/nowhere"))
        zygote: Any = SimpleNamespace(
            hello={"identity": {"uid": 1, "separated": True, "own_root": True}}, house=House("")
        )
        Host(quick=True)._check(worker, zygote, attested(child))
        assert worker.reason
        result = carry_out(Job("x", "print('RAN')", LIMITS, "full", Path("/nowhere")), worker)
        assert result.status == "refused"
        child.close()


def test_an_attestation_that_does_not_come_is_not_waited_for_for_ever() -> None:
    child = Child(Order("x", "/nowhere"))
    started = time.monotonic()
    assert attested(child, timeout_s=0.1) == {}
    assert time.monotonic() - started < 1
    child.close_theirs()
    child.close()


def test_a_zygote_with_two_threads_forks_nobody() -> None:
    ours, theirs = socket.socketpair()
    zygote = zygote_module._Zygote(theirs, House("/nowhere"))
    zygote._process.threads = lambda: 2  # type: ignore[method-assign]
    zygote._fork = lambda *_: pytest.fail("it forked")  # type: ignore[method-assign]
    wire.send(ours, {"run": "x", "scratch": "/nowhere"})
    assert zygote._obey()
    answer = wire.receive(ours)
    assert answer is not None
    assert answer[0] == {"run": "x", "refused": "2 threads in the zygote"}
    ours.close()
    theirs.close()


def test_a_zygote_that_was_killed_is_replaced_and_the_next_run_does_not_notice() -> None:
    before = plain_box().status()
    assert before.zygote_pid is not None
    os.kill(before.zygote_pid, signal.SIGKILL)
    time.sleep(0.05)
    assert by_the_door("1 + 1", LIMITS).status == "ok"
    after = plain_box().status()
    assert after.zygote_pid != before.zygote_pid
    assert after.respawns == before.respawns + 1


def test_a_run_whose_zygote_dies_ends_as_crashed() -> None:
    pid = plain_box().status().zygote_pid
    assert pid is not None
    killer = subprocess.Popen([sys.executable, "-c", f"import os,time; time.sleep(0.4); os.kill({pid}, 9)"])
    result = by_the_door("import time\ntime.sleep(30)", LIMITS)
    killer.wait()
    assert result.status == "crashed"
    assert result.wall_s < 4


@needs_root
def test_the_zygote_has_no_secret_in_its_environment_or_its_memory() -> None:
    os.environ["OBD_TEST_TOKEN"] = grounds().secret  # and the harness holds it in this process's memory
    try:
        with Sandbox(grounds().folder / "home") as sandbox:
            pid = sandbox.start().zygote_pid
            assert Path(f"/proc/{pid}/environ").read_bytes().strip(b"\0") == b""
            assert not _finds(pid, grounds().secret)
            assert _finds(os.getpid(), grounds().secret)
    finally:
        del os.environ["OBD_TEST_TOKEN"]


def _finds(pid: int | None, text: str) -> bool:
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if " rw" in line and end - start < 1 << 27:
                with contextlib.suppress(OSError, ValueError):
                    memory.seek(start)
                    if text.encode() in memory.read(end - start):
                        return True
    return False


def test_descriptors_that_the_server_left_inheritable_reach_neither_zygote_nor_child() -> None:
    bait = os.open(grounds().folder / "bait" / "canary.txt", os.O_RDONLY)
    os.set_inheritable(bait, True)
    with Sandbox(grounds().folder / "home") as sandbox:
        pid = sandbox.start().zygote_pid
        if ROOT:
            linked = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
            assert not any("canary" in target for target in linked)
        code = """import os, stat
found = {}
for fd in range(1024):
    try:
        found[fd] = stat.S_IFMT(os.fstat(fd).st_mode)
    except OSError:
        pass
found"""
        seen = sandbox.run(code, {}).result
    os.close(bait)
    assert seen is not None
    files = {fd for fd, kind in seen.value.items() if stat.S_ISREG(kind) or stat.S_ISDIR(kind)}
    sockets = {fd for fd, kind in seen.value.items() if stat.S_ISSOCK(kind)}
    assert files == set()
    assert sockets == {"3"}  # its line to the supervisor; what else there is are pyarrow's own pipes


def test_a_child_has_one_owner_thread_and_only_pyarrows_besides() -> None:
    result = by_the_door("import threading\nthreading.active_count()", LIMITS)
    assert result.result is not None
    assert result.result.value == 1


SERVER = """
import sys, threading
sys.path.insert(0, {checkout!r})
from pathlib import Path
from sandbox.runner import Sandbox
sandbox = Sandbox(Path({home!r}))
print(sandbox.start().zygote_pid, flush=True)
print(sandbox._host._folder, flush=True)
sandbox.run("import time\\ntime.sleep(60)", {{}}, workspace="w")
"""


def test_when_the_server_is_killed_every_process_goes_and_the_next_start_clears_its_folder(
    tmp_path: Path,
) -> None:
    code = SERVER.format(checkout=str(CHECKOUT), home=str(tmp_path))
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    zygote, folder = int(server.stdout.readline()), Path(server.stdout.readline().strip())
    time.sleep(0.2)
    children = _children(zygote)
    assert children
    server.kill()
    server.wait()
    server.stdout.close()
    deadline = time.monotonic() + 5
    while any(_lives(pid) for pid in (zygote, *children)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [pid for pid in (zygote, *children) if _lives(pid)]
    assert folder.exists()
    scratch._remove_leftovers()
    assert not folder.exists()


def _children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat_line = (entry / "stat").read_text(encoding="utf-8", errors="replace")
                if int(stat_line.rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return found


def _lives(pid: int) -> bool:
    try:
        state = (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()[0]
        )
    except OSError:
        return False
    return state != "Z"


def test_a_server_without_privileges_hides_its_memory_from_its_own_user() -> None:
    seen = as_user("hidden")
    assert seen["tier"] == "full"
    assert seen["dumpable"] == 0
    assert not seen["uid_separated"]


@needs_root
@pytest.mark.parametrize("reachable", [False, True])
def test_as_root_of_a_container_it_confines_fully_too(reachable: bool) -> None:
    seen = as_user("container", *(["--reachable"] if reachable else []))
    assert seen["layers"]["landlock_abi"] >= 1
    assert seen["layers"]["seccomp"]
    assert not seen["layers"]["own_root"]
    assert {name: how for name, how in seen["verdicts"].items() if how} == {}
    if reachable:
        assert seen["identity"]["separated"]
    elif not seen["identity"]["separated"]:
        assert "without capabilities" in seen["identity"]["reason"]


def test_a_lab_without_the_limits_says_so_in_its_layers() -> None:
    lab = Lab(("rlimits",))
    result = lab.run("1", LIMITS)
    lab.close()
    assert result.layers is not None
    assert result.layers.rlimits == {}


def test_a_host_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    host = Host(quick=True)
    with pytest.raises(ZygoteError, match="zygote ended"):
        host.start()
    host.close()


ELSEWHERE = """
import sys
import RestrictedPython.transformer, asyncio, numpy, pydantic, pydantic.main, subprocess, tempfile, zoneinfo
for name in ("fcntl", "resource", "pwd", "grp", "termios", "select.poll"):
    sys.modules[name] = None
import ctypes
ctypes.CDLL = None
sys.path.insert(0, {checkout!r})
sys.platform = {platform!r}
from pathlib import Path
from sandbox.runner import Sandbox
sandbox = Sandbox(Path({home!r}), allow_reduced=True)
report, result = sandbox.start(), sandbox.run("print('RAN')", {{}})
print(report.tier, result.status, repr(result.stdout), report.reason)
"""


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_elsewhere_than_on_linux_it_can_be_imported_and_is_off(platform: str, tmp_path: Path) -> None:
    code = ELSEWHERE.format(checkout=str(CHECKOUT), platform=platform, home=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("off refused ''")
    assert "Docker" in done.stdout
