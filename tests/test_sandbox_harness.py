"""Runs attempts to break out, tells whether one did, and makes the table that says which layer stops what.

Run as a script it puts that table into docs/sandbox.md: `python tests/test_sandbox_harness.py table` (some minutes).
"""

import atexit
import contextlib
import csv
import ctypes
import datetime as dt
import errno
import functools
import json
import os
import re
import resource
import secrets
import selectors
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from sandbox import startup
from sandbox.errors import SandboxError
from sandbox.frames import Frame, FrameStore
from sandbox.gate import check
from sandbox.host import Host
from sandbox.jobs import Job, carry_out
from sandbox.results import Limits, RunResult
from sandbox.runner import Sandbox
from sandbox.worker import kernel

DATA = Path(__file__).with_name("data") / "sandbox"
CHECKOUT = Path(__file__).parents[1]
PAGE = CHECKOUT / "docs" / "sandbox.md"
MARKS = ("<!-- table of layers: begin -->", "<!-- table of layers: end -->")
USER = 45002  # who the sandbox runs for when tests run as root and a server without privileges is wanted
LIMITS = Limits(wall_s=5, memory_mb=256, scratch_mb=48, file_mb=32, flood_mb=2, files=200)
SHORT = LIMITS.model_copy(update={"wall_s": 0.4})
_HIDING = re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
Run = Callable[[str, Limits], RunResult]


@dataclass(frozen=True)
class Attempt:
    """One piece of code that tries something, and the sign by which it is known to have got through."""

    category: str
    name: str
    sign: str
    argument: str
    control: bool  # harmless: run without layers too, where the sign must show
    code: str
    check: str = ""

    @property
    def limits(self) -> Limits:
        return SHORT if "timeout" in self.argument else LIMITS


@functools.cache
def attempts() -> tuple[Attempt, ...]:
    """Return every attempt of the corpus."""
    return tuple(attempt for path in sorted((DATA / "attacks").glob("*.txt")) for attempt in _read(path))


@functools.cache
def ordinary() -> tuple[tuple[str, str, str], ...]:
    """Return ordinary code: name, the optional library it needs or "", and the code."""
    blocks = (DATA / "ordinary.txt").read_text(encoding="utf-8").split("\n=== ")[1:]
    heads = [(*block.split("\n", 1)[0].partition(" | ")[::2], block.split("\n", 1)[1]) for block in blocks]
    return tuple(heads)


def _read(path: Path) -> Iterator[Attempt]:
    for block in path.read_text(encoding="utf-8").split("\n=== ")[1:]:
        head, code = block.split("\n", 1)
        name, sign, *flags = [part.strip() for part in head.split("|")]
        sign, _, argument = sign.partition(" ")
        code, _, check = code.partition("\n--- check\n")
        yield Attempt(path.stem, name, sign, argument, "control" in flags, code, check)


def temporary(prefix: str) -> Path:
    """Make a folder that goes away with this process."""
    path = Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def frame() -> Frame:
    """Return a session of two signals, forty minutes long."""
    count = 2400
    places = np.arange(count)
    columns = {"rpm": np.linspace(800.0, 3000.0, count), "speed": np.abs(np.sin(places / 100)) * 90}
    return Frame(
        "drive",
        places * 1_000_000,
        columns,
        {"rpm": "rpm", "speed": "km/h"},
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )


def sessions() -> dict[str, Frame]:
    """Return the two sessions ordinary code works on: one clean table, one with signals at moments of their own."""
    t = np.arange(1800)
    rng = np.random.default_rng(5)
    speed = np.clip(60 * np.sin(t / 90) + 25 * np.sin(t / 31) + rng.normal(0, 0.5, len(t)), 0, None)
    rpm = 750 + speed * 28 + rng.normal(0, 15, len(t))
    load = np.clip(18 + speed * 0.5 + rng.normal(0, 3, len(t)), 0, 100)
    columns = {
        "rpm": rpm,
        "speed": speed,
        "coolant_temp": 90 - 68 * np.exp(-t / 260),
        "engine_load": load,
        "throttle_pos": load * 0.8,
        "maf": rpm * load / 9000,
        "intake_temp": 20 + t / 300,
        "short_fuel_trim_1": rng.normal(0, 2, len(t)),
        "long_fuel_trim_1": rng.normal(1.5, 0.2, len(t)),
        "control_module_voltage": 14.1 + rng.normal(0, 0.05, len(t)),
    }
    units = {"rpm": "rpm", "speed": "km/h", "coolant_temp": "°C", "engine_load": "%", "maf": "g/s"}
    drive = Frame("drive", t * 1_000_000, columns, units, dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC))
    times = {
        "rpm": t * 500_000,
        "speed": t[::2] * 500_000 + 130_000,
        "coolant_temp": t[::20] * 500_000 + 270_000,
    }
    values = {"rpm": rpm, "speed": speed[::2], "coolant_temp": columns["coolant_temp"][::20]}
    return {"drive": drive, "commute": Frame("commute", times, values, units)}


class Grounds:
    """The bait: a secret, a folder, listeners, a bystander; tells what happened to them."""

    def __init__(self, owner: int | None = None) -> None:
        self.secret = os.environ.get("OBD_TEST_SECRET") or "OBDSECRET-" + secrets.token_hex(16)
        self.folder = temporary("obd-grounds-")
        self.folder.chmod(0o755)
        self._owner = owner
        self._heard = threading.Event()
        self.patience_s = 0.05  # how long to wait for a sign that comes from another thread or process
        self._bystander: subprocess.Popen[bytes] | None = None
        self._sockets: dict[str, socket.socket] = {}
        self.outside = self.folder / "outside"
        self._lay_out()
        self._listen()
        atexit.register(self.close)
        self.fresh()

    def _lay_out(self) -> None:
        bait = self.folder / "bait"
        bait.mkdir()
        (bait / "canary.txt").write_text(self.secret + "\n", encoding="utf-8")
        (bait / "canary_module.py").write_text("WORD = 'ESCAPED'\n", encoding="utf-8")
        with zipfile.ZipFile(bait / "canary.zip", "w") as archive:
            archive.writestr("canary_in_zip.py", "WORD = 'ESCAPED'\n")

    def _listen(self) -> None:
        selector = selectors.DefaultSelector()
        places: dict[str, tuple[int, int, Any]] = {
            "port": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "udp": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "unix": (socket.AF_UNIX, socket.SOCK_STREAM, str(self.folder / "stream")),
            "unix_datagram": (socket.AF_UNIX, socket.SOCK_DGRAM, str(self.folder / "datagram")),
            "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, "\0obd-test-" + secrets.token_hex(8)),
        }
        for name, (family, kind, address) in places.items():
            listener = self._sockets[name] = socket.socket(family, kind)
            listener.bind(address)
            if kind == socket.SOCK_STREAM:
                listener.listen(64)
            if isinstance(address, str) and not address.startswith("\0"):
                Path(address).chmod(0o777)
            selector.register(listener, selectors.EVENT_READ)
        threading.Thread(target=self._hear, args=(selector,), daemon=True).start()

    def _hear(self, selector: selectors.BaseSelector) -> None:
        while True:
            for key, _ in selector.select():
                listener: Any = key.fileobj
                with contextlib.suppress(OSError):
                    self._heard.set()
                    if listener.type == socket.SOCK_STREAM:
                        listener.accept()[0].close()
                    else:
                        listener.recv(100)

    def fresh(self) -> None:
        """Put everything back as it was."""
        shutil.rmtree(self.outside, ignore_errors=True)
        self.outside.mkdir()
        self.outside.chmod(0o777)
        for name in ("existing", "owned"):
            path = self.outside / name
            path.write_text("as it was", encoding="utf-8")
            path.chmod(0o666)
        if self._owner is not None:
            os.chown(self.outside / "owned", self._owner, self._owner)
        self._before = self._state()
        self._heard.clear()
        if self._bystander is None or self._bystander.poll() is not None:
            self._bystander = subprocess.Popen(["sleep", "900"], start_new_session=True)
            time.sleep(0.02)

    def _state(self) -> list[Any]:
        found = []
        for path in sorted(self.outside.rglob("*")):
            info = path.lstat()
            found.append(
                (path.name, info.st_mode, info.st_uid, info.st_size, info.st_mtime_ns, info.st_nlink)
            )
        return found

    @property
    def info(self) -> dict[str, Any]:
        """Return what the attempts are told about the bait."""
        bait = self.folder / "bait"
        assert self._bystander is not None
        maps = Path(f"/proc/{self._bystander.pid}/maps").read_text(encoding="utf-8").splitlines()
        readable = next((line for line in maps if " r" in line), "0-0")
        return {
            "canary": str(bait / "canary.txt"),
            "canary_dir": str(bait),
            "canary_zip": str(bait / "canary.zip"),
            "outside": str(self.outside),
            "server": os.getpid(),
            "bystander": self._bystander.pid,
            "bystander_address": int(readable.split("-")[0], 16),
            "home": str(Path.home()),
            "checkout": str(CHECKOUT),
            "port": self._sockets["port"].getsockname()[1],
            "udp": self._sockets["udp"].getsockname()[1],
            "unix": str(self.folder / "stream"),
            "unix_datagram": str(self.folder / "datagram"),
            "abstract": self._sockets["abstract"].getsockname().decode()[1:],
        }

    def plant(self, house: Path) -> None:
        """Put the secret where another run of the same sandbox would have its files."""
        other = house / "another-run"
        if not other.exists():
            other.mkdir(mode=0o700)
            (other / "data.txt").write_text(self.secret, encoding="utf-8")
            for path in (other, other / "data.txt") if self._owner is not None else ():
                os.chown(path, self._owner or 0, self._owner or 0)

    def close(self) -> None:
        """Take the bait away."""
        if self._bystander is not None:
            self._bystander.kill()
            self._bystander.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def verdict(self, attempt: Attempt, result: RunResult, took_s: float) -> str:
        """Say how the attempt got through; "" when it did not."""
        if result.status == "refused":
            return "no verdict: " + (result.error.message if result.error else "refused")
        return {
            "secret": self._secret,
            "says": _says,
            "next": _says,
            "outside": self._outside,
            "heard": self._hears,
            "bystander": self._hit,
            "held": functools.partial(_held, took_s=took_s),
            "sane": _sane,
            "lies": _lies,
            "formula": _formula,
        }[attempt.sign](attempt, result)

    def _secret(self, attempt: Attempt, result: RunResult) -> str:
        told = result.model_dump_json() + "".join(
            Path(artifact.path).read_text(encoding="utf-8", errors="replace") for artifact in result.artifacts
        )
        return "the secret came out" if self.secret in told else ""

    def _outside(self, attempt: Attempt, result: RunResult) -> str:
        return "something outside was changed" if self._state() != self._before else ""

    def _hears(self, attempt: Attempt, result: RunResult) -> str:
        return "a listener heard it" if self._heard.wait(self.patience_s) else ""

    def _hit(self, attempt: Attempt, result: RunResult) -> str:
        assert self._bystander is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._bystander.wait(self.patience_s)
            return "the bystander was hit"
        return ""


def _says(attempt: Attempt, result: RunResult) -> str:
    told = result.stdout + (result.result.model_dump_json() if result.result else "")
    return "it says so" if "ESCAPED" in told else ""


def _held(attempt: Attempt, result: RunResult, took_s: float) -> str:
    if result.status not in (*attempt.argument.split(","), "rejected"):
        return f"it ended with {result.status}: {result.error}"
    if took_s > attempt.limits.wall_s + 5:
        return f"it took {took_s:.1f} s"
    return _says(attempt, result)


def _sane(attempt: Attempt, result: RunResult) -> str:
    """Look for anything in the report that only the code can have put there."""
    whole = result.model_dump_json()
    json.dumps(json.loads(whole), allow_nan=False)
    if re.search(r"[:\[,]-?\d{20,}[,\]}]", whole):
        return "a number came through that takes more than 64 bits"
    facts = result.model_dump_json(
        include={"tier", "status", "layers", "limits", "cpu_s", "wall_s", "run_id"}
    )
    if "ESCAPED" in facts or "FORGED" in facts or '"cpu_s":-' in facts:
        return f"the report is forged: {facts}"
    if result.result is not None and "FORGED" in (result.result.artifact or ""):
        return "a file that is not there is named"
    if _HIDING.search(whole):
        return "letters that turn or hide text came through"
    if len(whole) > 400_000:
        return "the report is enormous"
    if any(ord(letter) < 32 and letter not in "\n\t\r" for letter in _texts(result)):
        return "control characters came through"
    odd = [
        artifact.name
        for artifact in result.artifacts
        if not artifact.name.isprintable() or "\\" in artifact.name
    ]
    return f"odd names came through: {odd}" if odd else ""


def _texts(result: RunResult) -> str:
    error = result.error
    return (
        result.stdout
        + (f"{error.type}{error.message}{error.traceback}" if error else "")
        + "".join(result.notes)
    )


def _lies(attempt: Attempt, result: RunResult) -> str:
    return (
        "the file was handed on"
        if attempt.argument in {artifact.name for artifact in result.artifacts}
        else ""
    )


def _formula(attempt: Attempt, result: RunResult) -> str:
    """Look for formulas in every cell, whatever the delimiter is taken to be."""
    texts = [Path(artifact.path).read_text(encoding="utf-8") for artifact in result.artifacts]
    cells = [
        cell.strip()
        for text in texts
        for delimiter in ",;\t"
        for row in csv.reader(text.splitlines(), delimiter=delimiter)
        for cell in row
    ]
    run = [cell for cell in cells if cell.startswith(("=", "+", "@")) or re.match(r"-.*[(|=!@]", cell)]
    return f"a spreadsheet would run {run[0]!r}" if run else ""


def try_all(run: Run, grounds: Grounds, chosen: tuple[Attempt, ...]) -> dict[str, str]:
    """Run attempts and return how each got through, by name; "" for those that did not."""
    verdicts = {}
    for attempt in chosen:
        grounds.fresh()
        started = time.monotonic()
        result = run(attempt.code, attempt.limits)
        took_s = time.monotonic() - started
        if attempt.check:
            result = run(attempt.check, attempt.limits)
        verdicts[attempt.name] = grounds.verdict(attempt, result, took_s)
    return verdicts


@functools.cache
def grounds() -> Grounds:
    """Return the bait, laid out once for all tests of this process."""
    return Grounds(owner=45001 if os.getuid() == 0 else None)


@functools.cache
def box() -> Sandbox:
    """Return one sandbox for all tests of this process, started."""
    sandbox = Sandbox(temporary("obd-sandbox-home-"))
    atexit.register(sandbox.close)
    sandbox.start()
    return sandbox


@functools.cache
def plain_box() -> Sandbox:
    """Return a sandbox that imports no extras and warms nobody up: the same layers, sooner."""
    sandbox = Sandbox(temporary("obd-sandbox-home-"))
    atexit.register(sandbox.close)
    usual, startup.Host = startup.Host, functools.partial(Host, quick=True)  # type: ignore[misc, assignment]
    try:
        sandbox.start()
    finally:
        startup.Host = usual  # type: ignore[misc]
    return sandbox


def by_the_door(code: str, limits: Limits) -> RunResult:
    """Run code as a caller does."""
    return plain_box().run(code, {"drive": frame()}, limits, info=grounds().info)


class Lab:
    """Runs code without the gate, and without the layers named."""

    def __init__(self, without: tuple[str, ...] = ()) -> None:
        self._host = Host(without, quick=True)
        self._host.start()
        self.identity = self._host.hello["identity"]
        self._store = FrameStore()
        self._home = temporary("obd-lab-")
        atexit.register(self.close)

    def run(self, code: str, limits: Limits) -> RunResult:
        """Run code past the gate."""
        shared = self._store.take(frame())
        run_id = uuid.uuid4().hex
        job = Job(run_id, code, limits, "full", self._home / run_id, grounds().info, {"drive": shared.fd})
        worker = self._host.worker()
        grounds().plant(worker.folder.parent)
        try:
            return carry_out(job, worker)
        finally:
            self._host.dismiss(worker)
            os.close(shared.fd)

    @property
    def own_root(self) -> bool:
        """Say whether the lab's processes have a file system of their own."""
        return bool(self.identity["own_root"])

    def close(self) -> None:
        """End the lab's processes."""
        self._host.close()
        self._store.close()
        shutil.rmtree(self._home, ignore_errors=True)
        atexit.unregister(self.close)


LAYERS: dict[str, tuple[str, ...]] = {
    "all of the kernel's": (),
    "no Landlock": ("landlock",),
    "no seccomp": ("seccomp",),
    "no rlimits": ("rlimits",),
}
UNCONFINED = ("landlock", "seccomp", "rlimits")


def measure(names: list[str], only: list[str] | None = None) -> dict[str, dict[str, str]]:
    """Return verdicts per configuration; `unconfined` runs only what is harmless."""
    found = {}
    for name in names:
        lab = Lab(UNCONFINED if name == "unconfined" else LAYERS[name])
        grounds().patience_s = 2.0 if name == "unconfined" else 0.5 if LAYERS[name] else 0.05
        chosen = tuple(
            one
            for one in attempts()
            if (name != "unconfined" or one.control) and (not only or one.name in only)
        )
        found[name] = try_all(lab.run, grounds(), chosen)
        lab.close()
    return found


def as_user(*arguments: str) -> Any:
    """Run this file as a script by a user without privileges and return the JSON it prints."""
    command = [sys.executable, str(Path(__file__)), *arguments]
    environment = {**os.environ, "OBD_TEST_SECRET": "OBDSECRET-" + secrets.token_hex(16)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd="/", env=environment)
    if done.returncode == 77:
        import pytest

        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def become_user() -> None:
    """Give up root for good; open a way to an interpreter that lies below a closed folder such as /root."""
    if os.getuid() != 0:
        return
    try:
        _open_the_way([Path(sys.base_prefix), Path(sys.prefix), CHECKOUT])
    except OSError as error:
        sys.stderr.write(f"an unprivileged user cannot reach this interpreter: {error}")
        raise SystemExit(77) from None
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # as a process is that was this user from the start
    os.environ["HOME"] = str(temporary("obd-user-home-"))


def _open_the_way(needed: list[Path]) -> None:
    closed = {
        next((parent for parent in reversed(path.resolve().parents) if not parent.stat().st_mode & 1), None)
        for path in needed
    } - {None}
    if not closed:
        return
    kernel.call("unshare", ctypes.c_int(0x00020000))
    kernel.call("mount", b"none", b"/", b"none", ctypes.c_ulong(16384 | 1 << 18), b"")
    for parent in closed:
        assert parent is not None
        inside = [path.resolve() for path in needed if path.resolve().is_relative_to(parent)]
        kept = [(path, os.open(path, os.O_PATH | os.O_DIRECTORY)) for path in inside]
        kernel.call("mount", b"tmpfs", bytes(parent), b"tmpfs", ctypes.c_ulong(0), b"mode=755")
        for path, fd in kept:
            path.mkdir(parents=True, exist_ok=True)
            kernel.call(
                "mount", f"/proc/self/fd/{fd}".encode(), bytes(path), b"none", ctypes.c_ulong(4096), b""
            )


# Calls a kernel, or a container, may be without: number, and the argument that has to match (index, value) if any.
X86_CALLS: dict[str, list[tuple[int, tuple[int, int] | None]]] = {
    "landlock": [(444, None)],
    "seccomp": [(317, None)],
    "limits": [(302, (1, resource.RLIMIT_NPROC))],
    "limits of a job": [(302, (1, resource.RLIMIT_AS))],
    "no_new_privs": [(157, (0, 38))],
    "changing users": [(117, None), (119, None)],
    "dropping capabilities": [(117, None), (119, None), (126, None)],
}


def forbid(name: str) -> None:
    """Make system calls fail for this process and whatever it starts, as on a machine that does not have them."""

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("=HBBI", code, if_true, if_false, value)

    allow, refuse = step(0x06, 0x7FFF0000), step(0x06, 0x00050000 | errno.ENOSYS)
    program = b""
    for number, match in X86_CALLS[name]:
        block = (
            refuse if match is None else step(0x20, 16 + 8 * match[0]) + step(0x15, match[1], 0, 1) + refuse
        )
        # A block that does not match falls through: the number is loaded anew for the next test.
        program += step(0x20, 0) + step(0x15, number, 0, len(block) // 8) + block
    program += allow
    buffer = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.prctl(22, 2, ctypes.byref(Program(len(program) // 8, ctypes.addressof(buffer))))


def _bait(prefix: str) -> tuple[Path, dict[str, Any]]:
    folder = temporary(prefix)
    folder.chmod(0o777)
    (folder / "marker").write_text("MARK", encoding="utf-8")
    return folder, {"marker": str(folder / "marker")}


RAN = """print('RAN')
try:
    print(open(info['marker']).read())
except OSError as error:
    print(type(error).__name__)
"""


def without_calls(name: str) -> dict[str, Any]:
    """Give a job to a worker on a machine that is without some calls; return what is reported and what happens."""
    folder, info = _bait("obd-without-")
    forbid(name)
    host = Host(quick=True)
    report = startup._examine(host, folder)
    try:
        worker = host.worker()
        job = Job("x", RAN, LIMITS, "full", folder / "run", info)
        result = carry_out(job, worker).model_dump()
        host.dismiss(worker)
    except SandboxError as error:
        result = {"status": "refused", "stdout": "", "layers": None, "reason": error.message}
    host.close()
    return {"report": report.model_dump(), "result": result}


def reduced(name: str, allow_reduced: bool) -> dict[str, Any]:
    """Use the sandbox as a caller does on a machine that is without some calls."""
    folder, info = _bait("obd-reduced-")
    forbid(name)
    with Sandbox(folder, allow_reduced=allow_reduced) as sandbox:
        report = sandbox.start().model_dump()
        result = sandbox.run(RAN, {}, info=info).model_dump()
        return {"report": report, "result": result, "import_os": sandbox.run("import os", {}).status}


# What Docker leaves a container's root by default (moby's profiles): not CAP_SYS_ADMIN, not CAP_SYS_PTRACE.
CONTAINER_CAPABILITIES = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}


def in_a_container(reachable: bool) -> dict[str, Any]:
    """Run everything past the gate as root in a container has it; `reachable` opens the way to the interpreter."""
    if reachable:
        _open_the_way([Path(sys.base_prefix), Path(sys.prefix), CHECKOUT])
    for capability in set(range(41)) - CONTAINER_CAPABILITIES:
        kernel.prctl(24, capability)  # PR_CAPBSET_DROP: what this process starts has no more than the rest
    lab = Lab()
    chosen = tuple(
        one for one in attempts() if one.category in ("reading", "secrets", "writing", "processes")
    )
    verdicts = try_all(lab.run, grounds(), chosen[::6])
    result = lab.run("1", LIMITS)
    lab.close()
    return {
        "verdicts": verdicts,
        "layers": result.layers.model_dump() if result.layers else None,
        "identity": lab.identity,
    }


def table(user: dict[str, dict[str, str]], root: dict[str, str], door: dict[str, str]) -> str:
    """Return the layers' table as Markdown: how many of a category's attempts get through."""
    gate_alone = {attempt.name: "" if check(attempt.code) else "not rejected" for attempt in attempts()}
    columns = {
        "every layer": door,
        "no gate": user["all of the kernel's"],
        **{f"no gate, {name}": user[name] for name in list(LAYERS)[1:]},
        "own user and root alone": root,
        "gate alone": gate_alone,
        "nothing": user["unconfined"],
    }
    lines = ["| category | attempts | " + " | ".join(columns) + " |", "|---|---|" + "---|" * len(columns)]
    for category in [*categories(), "all"]:
        names = [attempt.name for attempt in attempts() if category in (attempt.category, "all")]
        counts = [_count(verdicts, names) for verdicts in columns.values()]
        lines.append(f"| {category} | {len(names)} | " + " | ".join(counts) + " |")
    return "\n".join(lines)


def categories() -> list[str]:
    """Return the kinds of attempts, in order."""
    return sorted({attempt.category for attempt in attempts()})


def _count(verdicts: dict[str, str], names: list[str]) -> str:
    tried = [name for name in names if name in verdicts]
    through = sum(bool(verdicts[name]) for name in tried)
    return f"{through}" if len(tried) == len(names) else f"{through} of {len(tried)}" if tried else "-"


def test_the_corpus_is_large_and_every_category_has_a_positive_control() -> None:
    assert len(attempts()) >= 120
    names = [attempt.name for attempt in attempts()]
    assert len(set(names)) == len(names)
    for category in {attempt.category for attempt in attempts()} - {"bombs", "later", "results"}:
        assert any(attempt.control for attempt in attempts() if attempt.category == category), category


def test_the_page_counts_the_attempts_there_are_and_none_gets_through_all_layers() -> None:
    rows = PAGE.read_text(encoding="utf-8").split(MARKS[0])[1].split(MARKS[1])[0].strip().splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    counts = {row[0]: int(row[1]) for row in cells}
    assert counts == {
        **{name: sum(one.category == name for one in attempts()) for name in categories()},
        "all": len(attempts()),
    }
    assert {row[2] for row in cells} == {row[3] for row in cells} == {"0"}


def test_a_run_that_was_refused_counts_as_an_escape_because_it_proves_nothing() -> None:
    result = RunResult(run_id="x", status="refused", limits=LIMITS, tier="off")
    for attempt in attempts()[::10]:
        assert grounds().verdict(attempt, result, 0.0).startswith("no verdict")


def main(task: str, *arguments: str) -> None:
    """Measure as a user without privileges and print JSON, or print the whole table."""
    if task == "user":
        become_user()
        place = arguments.index("--only") if "--only" in arguments else len(arguments)
        sys.stdout.write(json.dumps(measure(list(arguments[:place]), list(arguments[place + 1 :]))))
        return
    if task == "hidden":
        become_user()
        with Sandbox(temporary("obd-hidden-")) as sandbox:
            report = sandbox.start()
            sys.stdout.write(
                json.dumps(
                    {
                        "tier": report.tier,
                        "dumpable": kernel.prctl(3),
                        "uid_separated": (report.layers.uid_separated if report.layers else None),
                    }
                )
            )
        return
    if task == "container":
        sys.stdout.write(json.dumps(in_a_container("--reachable" in arguments)))
        return
    if task == "without":
        sys.stdout.write(json.dumps(without_calls(arguments[0])))
        return
    if task == "reduced":
        become_user()
        sys.stdout.write(json.dumps(reduced(arguments[0], "--allow" in arguments)))
        return
    by_user = {name: as_user("user", name)[name] for name in (*LAYERS, "unconfined")}
    by_root = measure(["unconfined"])["unconfined"] if os.getuid() == 0 else {}
    plain_box()  # so that the first attempt is not blamed for the time it takes to start
    door = try_all(by_the_door, grounds(), attempts())
    text = table(by_user, by_root, door)
    before, after = (
        PAGE.read_text(encoding="utf-8").split(MARKS[0])[0],
        PAGE.read_text(encoding="utf-8").split(MARKS[1])[1],
    )
    PAGE.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")
    sys.stdout.write(text + "\n")
    for configuration, verdicts in {
        **by_user,
        "own user and root alone": by_root,
        "every layer": door,
    }.items():
        expected = configuration == "unconfined"
        names = [name for name, how in verdicts.items() if bool(how) != expected]
        sys.stdout.write(
            f"\n{configuration}{' (not shown)' if expected else ''}: {', '.join(names) or 'none'}\n"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
