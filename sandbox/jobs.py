"""Carries one job through a worker and turns what was seen into a RunResult."""

import contextlib
import secrets
import signal
import threading
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sandbox import collect, usage
from sandbox.host import Worker
from sandbox.output import clean
from sandbox.results import Layers, Limits, RunError, RunResult, RunWarning, Status, Tier, Value
from sandbox.spawn import ZygoteError
from sandbox.supervise import Progress, Watch, Watched, too_much
from sandbox.worker.orders import Rlimits

_BURIAL_S = 5.0
_ALL_BUT = 0.9  # of its CPU time a process has used when the kernel ends it for that: it counts in ticks
_OF_A_JOB = ("AS", "CPU", "FSIZE")  # limits that each job sets anew
_LIMIT_HINTS = {
    "timeout": "Work on fewer signals, a shorter stretch or a coarser grid, vectorise loops, or allow more time.",
    "memory": "Load fewer signals or a shorter stretch, or aggregate earlier.",
    "output_flood": "Print summaries instead of every value.",
    "scratch_quota": "Write fewer and smaller files; Parquet is a tenth of CSV.",
    "cancelled": "",
    "crashed": "The process ended without a result: a library crashed, or the code ended it.",
}


@dataclass
class Job:
    """What is to be run, and within what."""

    run_id: str
    code: str
    limits: Limits
    tier: Tier
    target: Path  # where artifacts go
    info: dict[str, Any] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)  # id -> descriptor of its memory
    cancelled: threading.Event | None = None
    progress: Progress | None = None
    keep: bool = False  # the worker is a workspace and lives on
    known: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def message(self) -> dict[str, Any]:
        """Return the job as the child gets it."""
        limits = self.limits
        # A little more than the clock allows, so that it is the clock that ends a run.
        cpu_s = int(limits.wall_s) + 2 if limits.cpu_s is None else limits.cpu_s
        allowance = Rlimits(limits.memory_mb << 20, cpu_s, limits.file_mb << 20)
        return {
            "code": self.code,
            "info": self.info,
            "sessions": list(self.sessions),
            "keep": self.keep,
            "nonce": secrets.token_hex(8),
            "limits": asdict(allowance),
        }

    def result(self, status: Status, error: RunError | None = None, **more: Any) -> RunResult:
        """Return a result with what is known of every run."""
        return RunResult(
            run_id=self.run_id, status=status, error=error, limits=self.limits, tier=self.tier, **more
        )

    def refused(self, reason: str) -> RunResult:
        """Return the result of a run that never began."""
        return self.result(
            "refused",
            RunError(
                type="NotConfined",
                message=f"The code was not run: {reason}.",
                hint="This is a fault of the machine or its set-up, not of the code; see docs/sandbox.md.",
            ),
        )


def carry_out(job: Job, worker: Worker) -> RunResult:
    """Run the job in the worker; afterwards a worker that is not kept, or could not be, is dead."""
    if worker.reason or worker.layers is None:
        return job.refused(worker.reason or "nothing was attested")
    before = usage.read(worker.child.pid)
    watch = Watch(worker.child, worker.folder, job.limits, job.cancelled, job.progress)
    seen = watch.follow(job.message(), list(job.sessions.values()))
    if not seen.armed and not seen.verdict:
        worker.child.close()
        return job.refused("the process did not set its limits")
    used = _used(before, usage.read(worker.child.pid))
    ended = None
    if seen.outcome is None and not seen.verdict:
        ended = _ended(worker)
    worker.child.signal(signal.SIGSTOP if job.keep and seen.outcome is not None else signal.SIGKILL)
    watch.drain()
    return _result(job, worker, seen, used, ended)


def _used(before: usage.Usage | None, after: usage.Usage | None) -> dict[str, float | None]:
    """Return CPU seconds and memory of the job alone; nothing when the process ended too early to be asked."""
    if before is None or after is None:
        return {"cpu_s": None, "peak_mb": None}
    return {
        "cpu_s": round(after.cpu_s - before.cpu_s, 4),
        "peak_mb": round(max(after.peak - before.resident, 0) / (1 << 20), 1),
    }


def _ended(worker: Worker) -> dict[str, Any] | None:
    """Return how the child ended, as its parent saw it; one that lives, and gave no account, is killed first."""
    worker.child.signal(signal.SIGKILL)
    with contextlib.suppress(FutureTimeoutError, ZygoteError):
        return worker.child.ended.result(_BURIAL_S)
    return None


def _result(
    job: Job, worker: Worker, seen: Watched, used: dict[str, float | None], ended: dict[str, Any] | None
) -> RunResult:
    account = _Account.read(seen.outcome)
    status, error = _status(job, worker, seen, account, ended)
    found = collect.Collected()
    if status != "scratch_quota":
        limits = job.limits
        found = collect.collect(
            worker.folder, job.target, limits.file_mb << 20, job.known, limits.scratch_mb << 20
        )
    return job.result(
        status,
        error,
        stdout=seen.output.text(),
        truncated=seen.output.truncated,
        result=_with_file(account.value, {artifact.name for artifact in found.artifacts}),
        warnings=account.warnings,
        artifacts=found.artifacts,
        notes=account.notes + found.notes,
        layers=_layers(worker.layers, seen.held),
        wall_s=round(seen.wall_s, 4),
        **used,
    )


def _with_file(value: Value | None, names: set[str]) -> Value | None:
    """Return the value without the file it names when no such file was handed on."""
    if value is None or value.artifact is None or value.artifact in names:
        return value
    return value.model_copy(update={"artifact": None})


def _layers(attested: Layers | None, held: dict[str, int]) -> Layers | None:
    """Return what confined the run; its limits as the kernel held them while it ran."""
    if attested is None or not attested.rlimits:
        return attested
    known = {name: held[name] for name in (*attested.rlimits, *_OF_A_JOB) if name in held}
    return attested.model_copy(update={"rlimits": {**attested.rlimits, **known}})


@dataclass
class _Account:
    """The code's own account of its run: believed for what the code computed, and for nothing else."""

    value: Value | None = None
    error: RunError | None = None
    memory: bool = False
    warnings: list[RunWarning] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    there: bool = False

    @classmethod
    def read(cls, outcome: dict[str, Any] | None) -> "_Account":
        """Return what the child sent, or an empty account when it does not have the right shape."""
        if outcome is None:
            return cls()
        try:
            outcome = clean(outcome)
            value, error = outcome.get("value"), outcome.get("error")
            return cls(
                Value.model_validate(value, strict=True) if value is not None else None,
                RunError.model_validate(error, strict=True) if error is not None else None,
                outcome.get("memory") is True,
                [
                    RunWarning.model_validate(item, strict=True)
                    for item in list(outcome.get("warnings") or [])[:20]
                ],
                [str(note)[:300] for note in list(outcome.get("notes") or [])[:20]],
                there=True,
            )
        except (ValueError, TypeError, RecursionError):  # pydantic's ValidationError is a ValueError
            return cls()


def _status(
    job: Job, worker: Worker, seen: Watched, account: "_Account", ended: dict[str, Any] | None
) -> tuple[Status, RunError | None]:
    """Say how the run went: first what was seen, then how the process ended, last what the code says."""
    if seen.verdict:
        return _by_limit(seen.verdict, seen.message)
    over = too_much(worker.folder, job.limits)
    if over:
        return _by_limit("scratch_quota", over)
    if not account.there:
        return _by_exit(ended or {}, job.limits)
    if account.memory:
        return "memory", account.error
    return ("error", account.error) if account.error is not None else ("ok", None)


def _by_exit(ended: dict[str, Any], limits: Limits) -> tuple[Status, RunError]:
    code = ended.get("exit")
    # The code can send itself the kernel's signal: it counts only with the time that goes with it.
    if code == -signal.SIGXCPU and ended["cpu_s"] >= _ALL_BUT * (limits.cpu_s or limits.wall_s):
        return _by_limit("timeout", f"The code used more than {limits.cpu_s or limits.wall_s:g} s of CPU.")
    if code == -signal.SIGKILL:
        return _by_limit("crashed", "The process gave no account of its run that can be read, or was killed.")
    how = f"by {signal.Signals(-code).name}" if code is not None and code < 0 else f"with exit status {code}"
    return _by_limit("crashed", f"The process ended {how} before the code was through.")


def _by_limit(verdict: str, message: str) -> tuple[Status, RunError]:
    status: Any = verdict
    return status, RunError(type=verdict, message=message, hint=_LIMIT_HINTS[verdict])
