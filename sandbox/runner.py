"""The sandbox's door: `Sandbox.run` runs code that we do not trust and returns what came of it."""

import contextlib
import json
import os
import shutil
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox import gate
from sandbox.allowed import Refusal
from sandbox.errors import BadRequestError
from sandbox.frames import Frame, FrameStore, LazyFrame
from sandbox.host import Host, machine
from sandbox.jobs import Job, carry_out
from sandbox.output import clean
from sandbox.places import Places
from sandbox.results import HostReport, Limits, RunError, RunResult
from sandbox.spawn import ZygoteError
from sandbox.startup import find_host
from sandbox.supervise import Progress
from sandbox.workspaces import Workspaces

__all__ = ["Frame", "HostReport", "LazyFrame", "Limits", "RunResult", "Sandbox"]

_QUEUE = 8
_RUNS_KEPT = 200
_BYTES_KEPT = 2 << 30  # of their artifacts; those of the last runs stay whatever they weigh
_PRUNE_EVERY = 20
_MOST_SESSIONS = 64
_MOST_INFO = 256 * 1024


class Sandbox:
    """Runs an agent's Python over sessions; usable from several threads. `home` keeps the artifacts of runs.

    `allow_reduced` lets code run where the kernel offers only some of the layers; the result says so.
    """

    def __init__(self, home: Path, allow_reduced: bool = False) -> None:
        self._home = Path(home) / "sandbox"
        self._allow_reduced = allow_reduced
        self._places = Places(max(1, os.cpu_count() or 1), _QUEUE)
        self._frames = FrameStore()
        self._lock = threading.Lock()
        self._pruning = threading.Lock()
        self._report = HostReport(tier="off", reason="not started", platform=machine())
        self._started = False
        self._host: Host | None = None
        self._workspaces: Workspaces | None = None
        self._runs = 0

    def start(self) -> HostReport:
        """Start the processes and try the layers, once; return what this machine can do. Never raises."""
        with self._lock:
            if not self._started:
                self._host, self._report = find_host(self._allow_reduced, self._home)
                self._workspaces = Workspaces(self._host) if self._host is not None else None
                self._started = True
        return self.status()

    def status(self) -> HostReport:
        """Return what this machine can do and how busy it is; before `start`, that nothing is known."""
        host, workspaces = self._host, self._workspaces
        return self._report.model_copy(
            update={
                "runs": self._runs,
                "running": self._places.running,
                "waiting": self._places.waiting,
                "places": self._places.places,
                "respawns": host.respawns if host is not None else 0,
                "zygote_pid": host.hello.get("pid") if host is not None else None,
                "workspaces": workspaces.names() if workspaces is not None else [],
            }
        )

    def run(
        self,
        code: str,
        frames: Mapping[str, Frame | LazyFrame],
        limits: Limits | None = None,
        *,
        info: Mapping[str, Any] | None = None,
        workspace: str | None = None,
        cancelled: threading.Event | None = None,
        progress: Progress | None = None,
    ) -> RunResult:
        """Run `code` over `frames` (session id to session) and return what came of it; errors in the code included.

        `info["vehicle"]` and `info["sessions"][id]` are facts the code finds as `vehicle` and in `sessions`.
        Runs of one `workspace` share variables and files. Setting `cancelled` ends the run; `progress(seconds,
        of seconds, text)` is called every second. Artifacts lie under `home` until 200 more runs, or 2 GB, were made.
        Raises BusyError when the queue is full or the workspace is in use, BadRequestError for unusable arguments.
        """
        report = self.start()
        job = Job(
            uuid.uuid4().hex,
            code,
            limits or Limits(),
            report.tier,
            self._home / "runs",
            _plain(info or {}),
            cancelled=cancelled,
            progress=progress,
            keep=workspace is not None,
        )
        job.target /= job.run_id
        refusals = gate.check(code, strict=report.tier == "reduced")
        if refusals:
            return _rejected(job, refusals)
        if self._host is None:
            return job.refused(report.reason)
        return self._in_turn(self._host, job, frames, workspace)

    def forget(self, session_id: str) -> None:
        """Let go of a session's samples, as when it was deleted."""
        self._frames.forget(session_id)

    def close(self) -> None:
        """End every process and remove every scratch folder; the artifacts stay. `run` starts anew."""
        with self._lock:
            if self._workspaces is not None:
                self._workspaces.close()
            if self._host is not None:
                self._host.close()
            self._frames.close()
            self._host, self._workspaces, self._started = None, None, False

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _in_turn(
        self, host: Host, job: Job, frames: Mapping[str, Frame | LazyFrame], workspace: str | None
    ) -> RunResult:
        with self._places.take(job.cancelled) as got:
            if not got:
                error = RunError(type="cancelled", message="Cancelled before it began.")
                return job.result("cancelled", error)
            return self._run(host, job, frames, workspace)

    def _run(
        self, host: Host, job: Job, frames: Mapping[str, Frame | LazyFrame], workspace: str | None
    ) -> RunResult:
        self._runs += 1
        if self._runs % _PRUNE_EVERY == 0:
            self._prune()
        try:
            with self._sessions(job, frames):
                if workspace is None or self._workspaces is None:
                    return _alone(host, job)
                return self._workspaces.run(workspace, job)
        except ZygoteError as error:
            return job.result("crashed", RunError(type="crashed", message=error.message, hint=error.hint))

    @contextlib.contextmanager
    def _sessions(self, job: Job, frames: Mapping[str, Frame | LazyFrame]) -> Iterator[None]:
        """Share the sessions' memory with the job for as long as it takes."""
        if len(frames) > _MOST_SESSIONS:
            raise BadRequestError(
                f"{len(frames)} sessions; a run takes at most {_MOST_SESSIONS}",
                "Run the code over fewer sessions at a time.",
            )
        try:
            for name, frame in frames.items():
                job.sessions[name] = self._frames.take(frame).fd
            yield
        finally:
            for fd in job.sessions.values():
                os.close(fd)

    def _prune(self) -> None:
        """Remove the artifacts of the oldest runs: those beyond a number of runs, or of bytes."""
        folder, total = self._home / "runs", 0
        with self._pruning:
            runs = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime) if folder.exists() else []
            for place, path in enumerate(reversed(runs)):
                total += sum(file.stat().st_size for file in path.rglob("*"))
                if place >= _RUNS_KEPT or (place >= _PRUNE_EVERY and total > _BYTES_KEPT):
                    shutil.rmtree(path, ignore_errors=True)


def _alone(host: Host, job: Job) -> RunResult:
    worker = host.worker()
    try:
        return carry_out(job, worker)
    finally:
        host.dismiss(worker)


def _plain(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as JSON has them; raise BadRequestError when they are too many, or nested in circles."""
    try:
        text = json.dumps(dict(info), default=str)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadRequestError(
            f"info is no plain data: {error}", "Give dicts, lists, text and numbers."
        ) from error
    if len(text) > _MOST_INFO:
        raise BadRequestError(f"info has {len(text)} characters; at most {_MOST_INFO} are allowed")
    plain: dict[str, Any] = json.loads(text)
    return plain


def _rejected(job: Job, refusals: list[Refusal]) -> RunResult:
    """Return the result of code that was read and not run; a slip of the pen is an error like any other."""
    refusals = [replace(refusal, message=clean(refusal.message)) for refusal in refusals]
    first = refusals[0]
    if first.type != "NotAllowed":
        return job.result("error", RunError(type=first.type, message=first.message, line=first.line))
    lines = [f"line {refusal.line}: {refusal.message}" for refusal in refusals[:10]]
    return job.result(
        "rejected",
        RunError(
            type=first.type,
            message=first.message,
            line=first.line,
            traceback="\n".join(lines),
            hint="Nothing was run. Change these lines; data comes from load_session(...), results go to files in the "
            "current folder or into the last expression.",
        ),
    )
