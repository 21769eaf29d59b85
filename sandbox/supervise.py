"""Watches one job in one child: its time, its output, its files; believes nothing it says about itself."""

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import scratch, usage
from sandbox.output import Output
from sandbox.results import Limits
from sandbox.spawn import Child
from sandbox.worker import wire

Progress = Callable[[float, float | None, str], None]
_TICK_S = 0.05
_CPU_GRACE_S = 1.5  # the kernel counts in whole seconds and comes first
_REPORT_EVERY_S = 1.0
_MAX_ANSWER = 256 * 1024
_CHUNK = 1 << 16


@dataclass
class Watched:
    """How a job went, as seen from outside."""

    verdict: str = ""  # why the supervisor ended it; "" when it did not
    message: str = ""
    armed: bool = False  # the child says that it has set the job's limits on itself
    held: dict[str, int] = field(default_factory=dict)  # the limits the kernel held it to when it said so
    outcome: wire.Message | None = None  # what the child sent: the code's own account
    output: Output = field(default_factory=lambda: Output(1))
    wall_s: float = 0.0


class Watch:
    """Sends one job to a child and follows it to its end."""

    def __init__(
        self,
        child: Child,
        folder: Path,
        limits: Limits,
        cancelled: threading.Event | None,
        progress: Progress | None,
    ) -> None:
        self._child = child
        self._folder = folder
        self._limits = limits
        self._cancelled = cancelled
        self._progress = progress
        self._answer = bytearray()
        self._seen = Watched(output=Output(limits.stdout_kb * 1024))
        self._started = self._reported = self._measured = time.monotonic()
        before = usage.read(child.pid)
        self._cpu_before_s = 0.0 if before is None else before.cpu_s
        self._poll = select.poll()
        os.set_blocking(child.output_fd, False)
        child.control.setblocking(False)

    def follow(self, job: wire.Message, fds: list[int]) -> Watched:
        """Run the job; return how it went. The child may live on: ending it is the caller's business."""
        for fd in (self._child.output_fd, self._child.control.fileno(), self._child.pidfd):
            self._poll.register(fd, select.POLLIN)
        self._child.control.settimeout(self._limits.wall_s)
        with contextlib.suppress(OSError):  # the child has died or does not listen: seen below
            wire.send(self._child.control, job, fds)
        self._child.control.setblocking(False)
        self._started = self._reported = self._measured = time.monotonic()
        while not self._over():
            pass
        self._seen.wall_s = time.monotonic() - self._started
        if self._seen.outcome is not None and self._seen.outcome.get("nonce") != job["nonce"]:
            self._seen.outcome = None
        return self._seen

    def drain(self) -> None:
        """Take what is still in the output pipe, as after the child's end."""
        while self._take_output():
            pass

    def _over(self) -> bool:
        """Wait for the next thing to happen and say whether it was the last."""
        ready = [fd for fd, _ in self._poll.poll(_TICK_S * 1000)]
        if self._child.output_fd in ready and not self._take_output():
            self._poll.unregister(self._child.output_fd)
        dead = self._child.pidfd in ready
        if (dead or self._child.control.fileno() in ready) and self._account_is_complete():
            return True
        return dead or self._past_a_limit()

    def _account_is_complete(self) -> bool:
        while self._take_answer():
            if self._seen.outcome is not None:
                return True
        return self._seen.outcome is not None

    def _take_output(self) -> bool:
        """Read what was printed; False at the end of it."""
        try:
            data = os.read(self._child.output_fd, _CHUNK)
        except BlockingIOError:
            return False
        self._seen.output.take(data)
        return bool(data) and self._seen.output.total <= self._limits.flood_mb << 20

    def _take_answer(self) -> bool:
        """Read from the child's account; False when there is nothing to read now, or ever."""
        try:
            data = self._child.control.recv(_CHUNK)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            data = b""
        if not data:
            with contextlib.suppress(KeyError):
                self._poll.unregister(self._child.control.fileno())
        self._answer += data
        while (message := self._next_message()) is not None:
            if "armed" in message and not self._seen.armed:
                self._seen.armed, self._seen.held = True, usage.limits(self._child.pid)
            else:
                self._seen.outcome = message
        return bool(data)

    def _next_message(self) -> wire.Message | None:
        """Take one whole message off what has been read; None when there is none yet."""
        if len(self._answer) < wire.HEAD:
            return None
        try:
            size = wire.length(bytes(self._answer[: wire.HEAD]), _MAX_ANSWER)
            if len(self._answer) < wire.HEAD + size:
                return None
            body = bytes(self._answer[wire.HEAD : wire.HEAD + size])
            del self._answer[: wire.HEAD + size]
            return wire.decode(body)
        except ValueError:
            self._answer.clear()
            return {}  # garbage instead of an account; the nonce will be missing

    def _past_a_limit(self) -> bool:
        now, limits, seen = time.monotonic(), self._limits, self._seen
        if self._cancelled is not None and self._cancelled.is_set():
            seen.verdict, seen.message = "cancelled", "The run was cancelled."
        elif now - self._started > limits.wall_s:
            seen.verdict, seen.message = "timeout", f"The code was still running after {limits.wall_s:g} s."
        elif seen.output.total > limits.flood_mb << 20:
            seen.verdict, seen.message = "output_flood", f"The code printed more than {limits.flood_mb} MB."
        elif now - self._measured >= _TICK_S:
            self._measured = now
            seen.message = too_much(self._folder, limits, self._child.nameless)
            seen.verdict = "scratch_quota" if seen.message else ""
            if self._past_its_cpu():
                seen.verdict, seen.message = "timeout", f"The code used more than {limits.cpu_s} s of CPU."
        if self._progress is not None and now - self._reported >= _REPORT_EVERY_S:
            self._reported = now
            self._progress(round(now - self._started, 1), limits.wall_s, "running")
        return bool(seen.verdict)

    def _past_its_cpu(self) -> bool:
        """Say whether the job is past its CPU time: a process that is kept may lift the kernel's limit itself."""
        now = usage.read(self._child.pid) if self._limits.cpu_s is not None else None
        past_s = (self._limits.cpu_s or 0) + _CPU_GRACE_S
        return now is not None and now.cpu_s - self._cpu_before_s > past_s


def too_much(folder: Path, limits: Limits, nameless: int = 0) -> str:
    """Say what is over its limit in a scratch folder; "" when nothing is. `nameless` bytes are kept beside it."""
    found = scratch.measure(folder, limits.scratch_mb << 20, limits.files)
    if found.bytes + nameless > limits.scratch_mb << 20:
        return f"The code wrote more than {limits.scratch_mb} MB of files."
    if found.entries > limits.files:
        return f"The code made more than {limits.files} files and folders."
    if found.hidden:
        return "The code made a folder that cannot be looked into: closed, or too deep for a path."
    return ""


def attested(child: Child, timeout_s: float = 10.0) -> dict[str, Any]:
    """Wait for the child's attestation, to its end; return {} when there is none, or half of one."""
    deadline = time.monotonic() + timeout_s
    data = b""
    poll = select.poll()
    poll.register(child.attest_fd, select.POLLIN)
    while time.monotonic() < deadline:
        if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
            break
        chunk = os.read(child.attest_fd, _CHUNK)
        if not chunk:
            with contextlib.suppress(ValueError):
                return wire.decode(data)
            return {}
        data += chunk
    return {}
