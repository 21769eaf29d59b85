"""Run an agent's own Python over sessions, confined to the sandbox."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from sandbox.results import (
    Layers,
    Limits,
    RunError,
    RunResult,
    RunWarning,
    Status,
    Tier,
    Value,
    WorkspaceState,
)
from tools.answer import Answer, ArtifactRef
from tools.context import ToolContext
from tools.errors import ToolError
from tools.recorded import facts_of
from tools.registry import tool

if TYPE_CHECKING:
    from sandbox.frames import Frame, LazyFrame
    from storage.records import Session

RUN = "python_run"
_SESSION_ID = re.compile(r"\bses_[a-z0-9]{6,}\b")
_SHOWN_ROWS = 20


class PythonRun(Answer):
    """What a run printed, returned and left behind, and what confined it."""

    run_id: str
    ok: bool
    status: Status
    stdout: str
    truncated: bool
    result: Value | None
    error: RunError | None
    warnings: list[RunWarning]
    artifacts: list[ArtifactRef]
    notes: list[str]
    limits: Limits
    layers: Layers | None
    tier: Tier
    workspace: WorkspaceState | None
    wall_s: float
    cpu_s: float | None
    peak_mb: float | None

    def say(self) -> str:
        """Say output, value, warnings, or the error with its line and what to do."""
        parts = [self.stdout.rstrip()] if self.stdout.strip() else []
        if self.result is not None:
            parts.append(f"Result: {_say_value(self.result)}")
        if self.error is not None:
            line = f" (line {self.error.line})" if self.error.line else ""
            parts.append(
                f"{self.status}: {self.error.type}: {self.error.message}{line} {self.error.hint}".rstrip()
            )
        parts += [
            f"{warning.category} in line {warning.line}: {warning.message}" for warning in self.warnings
        ]
        parts += [f"Artifact {one.artifact_id}: {one.name} ({one.mime})" for one in self.artifacts]
        return "\n".join(parts + self.notes) or "The code ran to its end and printed nothing."

    def artifacts_to_show(self) -> list[ArtifactRef]:
        """Return the figures."""
        return [one for one in self.artifacts if one.mime == "image/png" and ".thumb." not in one.name]


def _say_value(value: Value) -> str:
    """Say a value: a table by its first rows, anything else as Python prints it."""
    if value.columns is None or value.rows is None:
        return value.text
    names = [f"{column.name} [{column.unit}]" if column.unit else column.name for column in value.columns]
    rows = [" | ".join("" if cell is None else str(cell) for cell in row) for row in value.rows[:_SHOWN_ROWS]]
    rest = (value.total_rows or len(value.rows)) - len(rows)
    more = (
        [f"... and {rest} more rows" + (f", whole in {value.artifact}" if value.artifact else "")]
        if rest > 0
        else []
    )
    return "\n".join([f"{value.type} of {value.total_rows} rows", " | ".join(names), *rows, *more])


@tool("python", "Run Python over sessions", read_only=False, idempotent=False)
def run_python(
    context: ToolContext,
    code: Annotated[
        str, Field(min_length=1, max_length=65536, description="Python source; see the tool's text.")
    ],
    session_ids: Annotated[
        list[str] | None,
        Field(
            max_length=32,
            description="Sessions the code may load; those it names, else the newest, when left out.",
        ),
    ] = None,
    timeout_s: Annotated[
        float, Field(ge=1, le=600, description="Seconds after which the run is ended.")
    ] = 30,
    workspace: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9_-]{1,40}$",
            description="Name of a workspace that keeps variables between runs.",
        ),
    ] = None,
) -> PythonRun:
    """Run Python (pandas 3, numpy 2, scipy, matplotlib) over sessions; no network, no files but its own scratch folder.

    `load_session(id, signals=None, start_s=None, end_s=None)` gives a DataFrame: UTC index, a column per signal, units
    in `.attrs`, NaN where a signal was not read at that time: nothing is filled, but `how="grid", step_s=1.0` gives
    means on a grid. Ready: `sessions` (`sessions[0]["id"]` is the first), `vehicle`, `pd`, `np`, `plt`, `stats` and
    `signal`. The last expression's value, prints, tables and every open figure come back. pandas 3 copies on write:
    `df.loc[...] = x`, never `df[a][b] = x`, no `inplace` on columns; resample with "min", "s", "h".
    """
    wanted = session_ids if session_ids is not None else _sessions_of(context, code)
    sessions = [context.store.sessions.get(session_id) for session_id in wanted]
    result = context.workshop.sandbox.run(
        code,
        {session.id: _frame(context, session) for session in sessions},
        Limits(wall_s=timeout_s),
        info=_facts(context, sessions),
        workspace=workspace and _own(context, workspace),
        cancelled=context.cancelled,
        progress=context.progress,
    )
    if result.status == "refused":
        raise ToolError(
            "unsupported", f"Code cannot be confined here: {result.error and result.error.message}", _WHERE
        )
    if result.workspace is not None:
        result = result.model_copy(
            update={"workspace": result.workspace.model_copy(update={"name": workspace})}
        )
    asked = {"code": code, "session_ids": wanted, "timeout_s": timeout_s, "workspace": workspace}
    return _answer(context, asked, result)


def _own(context: ToolContext, workspace: str) -> str:
    """Return the name the sandbox knows a workspace by: everybody who asks has workspaces of their own."""
    return f"{hashlib.sha256(context.requester.encode()).hexdigest()[:16]}.{workspace}"


_WHERE = (
    "Run the server on Linux with Landlock and seccomp, for example in Docker; `obd-agent doctor` tells more."
)


def _sessions_of(context: ToolContext, code: str) -> list[str]:
    """Return the sessions the code names, or the newest one."""
    named = list(dict.fromkeys(_SESSION_ID.findall(code)))
    return named or [session.id for session in context.store.sessions.list(limit=1).rows]


def _frame(context: ToolContext, session: Session) -> LazyFrame:
    from sandbox.frames import Frame, LazyFrame

    def load() -> Frame:
        columns = context.store.samples.read(session.id)
        return Frame.of_columns(session.id, columns, session.started_at, session.version)

    return LazyFrame(session.id, session.version, load)


def _facts(context: ToolContext, sessions: list[Session]) -> dict[str, Any]:
    """Return what is known about the sessions and the vehicle of the first, as the code finds it."""
    vehicle = facts_of(context, sessions[0].vehicle_id) if sessions else None
    return {
        "vehicle": None if vehicle is None else vehicle.model_dump(exclude_none=True),
        "sessions": {
            one.id: {"name": one.name, "source": one.source, "notes": one.notes} for one in sessions
        },
    }


def _answer(context: ToolContext, asked: dict[str, Any], result: RunResult) -> PythonRun:
    """Keep what was asked, what came out and its files with the first session, to be shown and repeated."""
    session_id = next(iter(asked["session_ids"]), None)
    kept = []
    for one in result.artifacts:
        details = {"run_id": result.run_id, "sha256": one.sha256}
        artifact = context.store.artifacts.save(
            session_id, one.kind, one.name, one.mime, Path(one.path).read_bytes(), details
        )
        ref = ArtifactRef(artifact_id=artifact.id, name=one.name, mime=one.mime, size_bytes=one.bytes)
        kept.append(ref)
    values = dict(result) | {"artifacts": kept}
    answer = PythonRun.model_construct(ok=result.ok, **values)
    told = {**asked, "answer": answer.structured()}
    context.store.snapshots.save(session_id, None, RUN, told, result.run_id)
    return answer
