"""Named workspaces: workers that keep their variables between runs, for a while."""

import re
import signal
import threading
import time
from dataclasses import dataclass, field

from sandbox.errors import BadRequestError, BusyError
from sandbox.host import Host, Worker
from sandbox.jobs import Job, carry_out
from sandbox.results import RunResult, WorkspaceState

LIFETIME_S = 900.0
MOST = 4
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_SWEEP_S = 2.0


@dataclass
class Workspace:
    """One worker that is kept, stopped while nobody uses it."""

    name: str
    worker: Worker
    files: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # what earlier runs left behind
    lock: threading.Lock = field(default_factory=threading.Lock)
    used_at: float = field(default_factory=time.monotonic)
    runs: int = 0

    def expires_in_s(self) -> float:
        """Return how long it will be kept if nobody uses it."""
        return round(max(self.used_at + LIFETIME_S - time.monotonic(), 0.0), 1)

    def state(self, alive: bool) -> WorkspaceState:
        """Return what a result says about it."""
        return WorkspaceState(
            name=self.name,
            fresh=self.runs == 1,
            alive=alive,
            expires_in_s=self.expires_in_s() if alive else 0.0,
        )


class Workspaces:
    """The workspaces of one sandbox; the longest unused goes when there are too many."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._all: dict[str, Workspace] = {}
        self._lock = threading.Lock()
        self._sweeper: threading.Thread | None = None
        self._closing = threading.Event()

    def names(self) -> list[str]:
        """Return the names of those that live."""
        return list(self._all)

    def run(self, name: str, job: Job) -> RunResult:
        """Run a job in the workspace of this name, which is gone afterwards when the run had to be ended.

        Raises BadRequestError for a name that is none, BusyError when a run is using it, ZygoteError as the host.
        """
        workspace = self._take(name)
        alive = False
        try:
            job.known = workspace.files
            workspace.worker.child.signal(signal.SIGCONT)
            result = carry_out(job, workspace.worker)
            workspace.used_at, workspace.runs = time.monotonic(), workspace.runs + 1
            alive = result.status in ("ok", "error", "memory") and workspace.worker.child.lives()
            state = workspace.state(alive)
            return result.model_copy(update={"workspace": state})
        finally:
            if not alive:
                self.drop(name)
            workspace.lock.release()
            self._host.prepare()

    def _take(self, name: str) -> Workspace:
        """Return the workspace of this name, made if need be, and locked; the caller releases its lock."""
        if not _NAME.fullmatch(name):
            raise BadRequestError(
                f"{name[:80]!r} is no name for a workspace",
                "Use up to 64 letters, digits and _ . : - , beginning with a letter or digit.",
            )
        with self._lock:
            workspace = self._alive(name)
            if workspace is not None and not workspace.lock.acquire(blocking=False):
                raise BusyError(
                    f"workspace {name!r} is running something",
                    "Wait for that run, cancel it, or use another workspace.",
                )
            if workspace is None:
                workspace = Workspace(name, self._host.worker())
                workspace.lock.acquire()
                self._all[name] = workspace
                self._make_room()
            self._watch_over()
        return workspace

    def _alive(self, name: str) -> Workspace | None:
        """Return the workspace of this name; one whose process has ended meanwhile is cleared away."""
        workspace = self._all.get(name)
        if workspace is not None and not workspace.worker.child.lives() and not workspace.lock.locked():
            self._all.pop(name).worker.discard()
            return None
        return workspace

    def drop(self, name: str) -> None:
        """End a workspace; nothing happens when there is none."""
        with self._lock:
            workspace = self._all.pop(name, None)
        if workspace is not None:
            workspace.worker.discard()

    def close(self) -> None:
        """End all of them."""
        self._closing.set()
        for name in self.names():
            self.drop(name)

    def _make_room(self) -> None:
        unused = sorted(
            (one for one in self._all.values() if not one.lock.locked()), key=lambda one: one.used_at
        )
        for workspace in unused[: max(len(self._all) - MOST, 0)]:
            self._all.pop(workspace.name).worker.discard()

    def _watch_over(self) -> None:
        if self._sweeper is None:
            self._sweeper = threading.Thread(target=self._sweep, name="sandbox-workspaces", daemon=True)
            self._sweeper.start()

    def _sweep(self) -> None:
        while not self._closing.wait(_SWEEP_S):
            for workspace in list(self._all.values()):
                if workspace.expires_in_s() <= 0 and workspace.lock.acquire(blocking=False):
                    self.drop(workspace.name)
