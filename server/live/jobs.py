"""Tells of calls that last: which tool works, how far it is, how it ended. Quick calls are not worth a word."""

import time
from collections.abc import Mapping
from threading import Lock
from types import TracebackType
from typing import Any

from server.live.events import EventType, Severity
from server.live.hub import JOBS, Hub
from storage.ids import new_id
from tools.context import Progress
from tools.errors import ToolError

SHOWN_AFTER_S = 1.0
PACE_S = 0.5


class Jobs:
    """The long calls of one process, on the hub's topic of jobs."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def watch(self, tool: str, arguments: Mapping[str, Any], progress: Progress) -> "Job":
        """Return a call to watch while a `with` block lasts; it gives the block what to report progress to."""
        return Job(self._hub, tool, _ids(arguments), progress)


class Job:
    """One call: told once it has lasted a second or reports progress, and then to its end."""

    def __init__(self, hub: Hub, tool: str, ids: Mapping[str, Any], progress: Progress) -> None:
        self._hub = hub
        self._progress = progress
        self._known = {"job_id": new_id("job"), "tool": tool, "ids": ids}
        self._began = time.monotonic()
        self._lock = Lock()
        self._share: float | None = None
        self._message = ""
        self._is_shown = self._is_over = False
        self._told = self._began

    def __enter__(self) -> Progress:
        self._hub.later(SHOWN_AFTER_S, self._show)
        return self._report

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        with self._lock:
            self._is_over = True
            if not self._is_shown:
                return
            if error is None:
                self._tell("job.done")
            else:
                # The message would repeat arguments; whoever called has it.
                code = error.code if isinstance(error, ToolError) else "internal_error"
                self._tell("job.failed", "warning", code=code)

    def _report(self, done: float, total: float | None, message: str) -> None:
        with self._lock:
            self._share = min(1.0, max(0.0, done / total)) if total else None
            self._message = message
            self._begin()
            if time.monotonic() - self._told >= PACE_S:
                self._tell("job.progress")
        self._progress(done, total, message)

    def _show(self) -> None:
        with self._lock:
            self._begin()

    def _begin(self) -> None:
        if not self._is_shown and not self._is_over:
            self._is_shown = True
            self._tell("job.started")

    def _tell(self, kind: EventType, severity: Severity = "info", **more: str) -> None:
        self._told = time.monotonic()
        data = {
            **self._known,
            "progress": self._share,
            "message": self._message,
            "duration_s": round(self._told - self._began, 3),
            **more,
        }
        self._hub.publish(kind, data, severity=severity, topics=[JOBS])


def _ids(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that are ids of stored things; others may hold what is not for everybody."""
    return {
        name: value
        for name, value in arguments.items()
        if value is not None and name.endswith(("_id", "_ids")) and name != "approval_id"
    }
