"""What this machine can do: starts the zygote, keeps a child ready, and replaces what dies."""

import contextlib
import os
import platform
import signal
import threading
import uuid
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sandbox import scratch, supervise
from sandbox.janitor import Janitor
from sandbox.results import Layers
from sandbox.spawn import Child, Zygote, ZygoteError
from sandbox.worker.orders import House, Order

_FIRST_UID = 45001
_BURIAL_S = 5.0


@dataclass
class Worker:
    """A confined child that waits for its first job, and the folder it may write to."""

    child: Child
    folder: Path
    layers: Layers | None = None
    reason: str = ""  # why it must not be given a job

    def discard(self) -> None:
        """End the child, see it buried, and remove its folder."""
        self.child.close()
        with contextlib.suppress(FutureTimeoutError, ZygoteError):
            if self.child.pid:
                self.child.ended.result(_BURIAL_S)
        scratch.remove(self.folder)


def own_uid() -> int | None:
    """Return a user for the sandbox that nobody else is; None when this process may not change users."""
    if os.getuid() != 0:
        return None
    import pwd

    taken = {entry.pw_uid for entry in pwd.getpwall()}
    return next(uid for uid in range(_FIRST_UID, _FIRST_UID + 1000) if uid not in taken)


class Host:
    """Hands out workers; one is always being prepared, so that a run does not wait for it."""

    def __init__(self, without: tuple[str, ...] = (), audit: bool = False, quick: bool = False) -> None:
        self._settings = House("", own_uid(), without, audit, warm=not quick, extras=not quick)
        self._folder: Path | None = None
        self._zygote: Zygote | None = None
        self._spare: Worker | None = None
        self._lock = threading.Lock()
        self._janitor = Janitor()
        self.respawns = -1

    @property
    def without(self) -> tuple[str, ...]:
        """Return the layers left out."""
        return self._settings.without

    @property
    def hello(self) -> dict[str, Any]:
        """Return what the zygote said about itself when it was ready."""
        return self._zygote.hello if self._zygote is not None else {}

    def start(self) -> None:
        """Start the zygote unless one is alive; raise ZygoteError when it does not come up."""
        with self._lock:
            self._living_zygote()

    def worker(self) -> Worker:
        """Return a worker; the caller checks its `reason`, and discards it in the end.

        Raises ZygoteError when not even a fresh zygote has one.
        """
        try:
            return self._worker()
        except ZygoteError:
            return self._worker()  # the zygote had died; there is a new one now

    def dismiss(self, worker: Worker) -> None:
        """Have a worker cleared away, and then the next one prepared; does not wait for it."""
        worker.child.signal(signal.SIGKILL)
        self._janitor.leave(worker.discard)
        self._janitor.leave(self.prepare)

    def settle(self) -> None:
        """Wait until everything that was dismissed is gone and the next worker exists."""
        self._janitor.wait()
        with self._lock, contextlib.suppress(ZygoteError):
            if self._spare is not None and self._zygote is not None:
                self._zygote.await_start(self._spare.child)

    def forgo_spare(self) -> None:
        """Let go of the worker that was prepared, so that the next one is forked when it is asked for."""
        with self._lock:
            worker, self._spare = self._spare, None
        if worker is not None:
            worker.discard()

    def prepare(self) -> None:
        """Order the next worker, so that it is ready when it is wanted; a dead zygote is met then, not now.

        To be called when a run has ended: a fork during the run would slow it, and the report of its end.
        """
        with self._lock, contextlib.suppress(ZygoteError):
            if self._zygote is not None and self._zygote.alive and self._spare is None:
                self._spare = self._order(self._zygote)

    def close(self) -> None:
        """End zygote and children, and remove every scratch folder."""
        self._janitor.close()
        with self._lock:
            if self._spare is not None:
                self._spare.child.close()
                self._spare = None
            if self._zygote is not None:
                self._zygote.close()
                self._zygote = None
            if self._folder is not None:
                scratch.remove(self._folder)
                self._folder = None

    def _worker(self) -> Worker:
        with self._lock:
            zygote = self._living_zygote()
            worker, self._spare = self._spare or self._order(zygote), None
        try:
            zygote.await_start(worker.child)
        except ZygoteError:
            worker.discard()
            raise
        says = supervise.attested(worker.child)
        if "failed" not in says and not worker.child.lives():
            worker.discard()
            raise ZygoteError("the process that waited for the code is gone", "Run the code again.")
        self._check(worker, zygote, says)
        return worker

    def _living_zygote(self) -> Zygote:
        if self._zygote is not None and self._zygote.alive:
            return self._zygote
        if self._spare is not None:
            self._spare.discard()
            self._spare = None
        self._folder = self._folder or scratch.make_house(self._settings.uid)
        zygote = Zygote(replace(self._settings, scratch=str(self._folder)))
        zygote.start()
        self._zygote = zygote
        self.respawns += 1
        return zygote

    def _order(self, zygote: Zygote) -> Worker:
        run = uuid.uuid4().hex
        uid = zygote.hello["identity"]["uid"] if os.getuid() == 0 else None
        folder = scratch.make(Path(zygote.house.scratch), run, uid)
        try:
            return Worker(zygote.spawn(Order(run, str(folder))), folder)
        except ZygoteError:
            scratch.remove(folder)
            raise

    def _check(self, worker: Worker, zygote: Zygote, says: dict[str, Any]) -> None:
        """Write down what confines the worker, or why it must not be used."""
        identity = zygote.hello["identity"]
        if "failed" in says or not says:
            worker.reason = f"the process could not be confined: {says.get('failed', 'it attested nothing')}"
            return
        with contextlib.suppress(ValueError, TypeError):
            worker.layers = Layers(
                gate=True,
                uid_separated=identity["separated"],
                own_root=identity["own_root"],
                audit=zygote.house.audit,
                **says,
            )
        worker.reason = self._lacking(worker.layers, identity["uid"])

    def _lacking(self, layers: Layers | None, uid: int) -> str:
        without = self._settings.without
        if layers is None:
            return "the process's attestation cannot be read"
        held = {
            "its own user": layers.uid == uid,
            "no_new_privs": layers.no_new_privs,
            "landlock": layers.landlock_abi is not None or "landlock" in without,
            "seccomp": layers.seccomp or "seccomp" in without,
            "rlimits": layers.rlimits.get("NPROC") == 0 or "rlimits" in without,
        }
        lacking = [name for name, holds in held.items() if not holds]
        return f"the process runs without {', '.join(lacking)}" if lacking else ""


def machine() -> str:
    """Return what kind of machine this is, in one line."""
    return (
        f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}"
    )
