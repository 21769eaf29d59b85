"""Runs of code that were kept with their sessions: list them, look at one, and so repeat it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sandbox.results import Status
from tools.answer import Answer
from tools.arguments import Limit, Offset, SessionId
from tools.context import ToolContext
from tools.errors import ToolError
from tools.python import RUN, PythonRun
from tools.registry import tool

if TYPE_CHECKING:
    from storage.records import Snapshot

_BEGINNING = 200


class PythonRunRow(BaseModel):
    """A run in a list; `begins` is the beginning of its code."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    run_id: str
    ran_at: datetime
    session_ids: list[str]
    status: Status
    begins: str

    @classmethod
    def of(cls, kept: Snapshot) -> PythonRunRow:
        """Make a row of a kept run."""
        return cls(
            run_id=kept.id,
            ran_at=kept.created_at,
            session_ids=kept.data["session_ids"],
            status=kept.data["answer"]["status"],
            begins=kept.data["code"].strip()[:_BEGINNING],
        )


class PythonRuns(Answer):
    """A page of runs, newest first."""

    total: int
    offset: int
    runs: list[PythonRunRow]

    def say(self) -> str:
        """Say the page, one run a line."""
        rows = [f"{one.run_id}  {one.status}  {one.begins.partition(chr(10))[0]}" for one in self.runs]
        return "\n".join([f"{len(rows)} of {self.total} runs", *rows])


class KeptRun(Answer):
    """A run as it was asked for and what came of it; the same arguments repeat it."""

    ran_at: datetime
    code: str
    session_ids: list[str]
    timeout_s: float
    workspace: str | None
    run: dict[str, Any] = Field(description="The answer `run_python` gave.")

    def say(self) -> str:
        """Say the code, and what it said."""
        answer = PythonRun.model_validate(self.run)
        sessions = ", ".join(self.session_ids) or "no session"
        return f"Ran {self.ran_at:%Y-%m-%d %H:%M} UTC over {sessions}:\n{self.code}\n---\n{answer.say()}"


@tool("python", "List runs of Python")
def list_python_runs(
    context: ToolContext, session_id: SessionId | None = None, limit: Limit = 20, offset: Offset = 0
) -> PythonRuns:
    """List runs of `run_python`, newest first: of one session where it is named. Next: `get_python_run`."""
    if session_id is not None:
        context.store.sessions.get(session_id)
    rows, total = context.store.snapshots.list(session_id=session_id, kind=RUN, limit=limit, offset=offset)
    return PythonRuns(total=total, offset=offset, runs=[PythonRunRow.of(row) for row in rows])


@tool("python", "Look at a run of Python")
def get_python_run(
    context: ToolContext,
    run_id: Annotated[
        str, Field(min_length=1, max_length=64, description="Id of a run, from `run_python` or the list.")
    ],
) -> KeptRun:
    """Return a run: its code, the sessions it was given, and what came out. `run_python` with the same repeats it."""
    kept = context.store.snapshots.get(run_id)
    if kept.kind != RUN:
        raise ToolError("not_found", f"{run_id} is no run of Python.", "list_python_runs lists them.")
    asked = {name: kept.data[name] for name in ("code", "session_ids", "timeout_s", "workspace")}
    return KeptRun(ran_at=kept.created_at, run=kept.data["answer"], **asked)
