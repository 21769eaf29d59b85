"""What comes back from the sandbox: models only, light to import."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Tier = Literal["full", "reduced", "off"]
Status = Literal[
    "ok",
    "error",
    "timeout",
    "cancelled",
    "memory",
    "output_flood",
    "scratch_quota",
    "crashed",
    "refused",
    "rejected",
]
Kind = Literal["scalar", "text", "table", "array", "data", "figure", "object"]
ArtifactKind = Literal["figure", "thumbnail", "table", "data", "text", "page"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Limits(_Model):
    """What one run may use at most."""

    wall_s: float = Field(default=30.0, ge=0.1, le=3600, description="Seconds from start to end.")
    cpu_s: int | None = Field(
        default=None, ge=1, description="Seconds of CPU; as long as wall_s when not given."
    )
    memory_mb: int = Field(
        default=1024, ge=16, le=65536, description="Memory beyond the interpreter and the sessions."
    )
    stdout_kb: int = Field(default=64, ge=1, le=1024, description="Printed text that is kept.")
    flood_mb: int = Field(default=8, ge=1, le=64, description="Printed text after which the run is ended.")
    scratch_mb: int = Field(default=128, ge=1, le=4096, description="Files, all together.")
    file_mb: int = Field(default=64, ge=1, le=4096, description="One file.")
    files: int = Field(default=1000, ge=1, le=10000, description="Files and folders.")


class Column(_Model):
    """One column of a table."""

    name: str
    dtype: str = ""
    unit: str = ""


class Value(_Model):
    """The value of the code's last expression (or of its variable `result`), as data."""

    kind: Kind
    type: str = Field(default="", description="The Python type's name.")
    value: Any = Field(
        default=None, description="Numbers, text, lists, dicts; null where Python has nan, inf or NaT."
    )
    text: str = Field(default="", description="As Python would print it.")
    dtype: str = ""
    shape: list[int] | None = None
    columns: list[Column] | None = None
    rows: list[list[Any]] | None = Field(
        default=None, description="The first rows of a table; its index comes first."
    )
    total_rows: int | None = None
    total_columns: int | None = None
    complete: bool = Field(default=True, description="False when something was left out here.")
    artifact: str | None = Field(default=None, description="Name of the artifact that holds the whole table.")


class RunError(_Model):
    """An error in the code, or the reason why it was ended or not run."""

    type: str
    message: str = ""
    line: int | None = Field(default=None, description="Line of the code, counted from 1.")
    hint: str = Field(default="", description="What to do about it.")
    traceback: str = Field(default="", description="The code's own frames, outermost first.")


class RunWarning(_Model):
    """A warning Python gave while the code ran."""

    category: str
    message: str
    line: int | None = None
    count: int = 1


class Artifact(_Model):
    """A file the run left behind, checked and copied out of its scratch folder."""

    name: str
    mime: str
    bytes: int
    sha256: str
    kind: ArtifactKind
    path: str = Field(description="Where the copy lies on the server.")


class Layers(_Model):
    """What confined the run, as the run's process attested it before any code reached it."""

    gate: bool = Field(description="The code was read before it was run.")
    uid: int | None = None
    uid_separated: bool = Field(default=False, description="A user of its own, not the server's.")
    own_root: bool = Field(default=False, description="A file system and network of its own.")
    no_new_privs: bool = False
    landlock_abi: int | None = None
    seccomp: bool = False
    rlimits: dict[str, int] = Field(default_factory=dict)
    audit: bool = Field(
        default=False, description="Python's audit events are refused too: reduced tier only."
    )


class WorkspaceState(_Model):
    """The named workspace a run used."""

    name: str
    fresh: bool = Field(description="It was empty when this run began.")
    alive: bool = Field(description="Its variables are still there for the next run.")
    expires_in_s: float


class RunResult(_Model):
    """What one run did."""

    run_id: str
    status: Status
    stdout: str = ""
    truncated: bool = False
    result: Value | None = None
    error: RunError | None = None
    warnings: list[RunWarning] = Field(default_factory=list)
    artifacts: list[Artifact] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list, description="What was left out, and why.")
    limits: Limits
    layers: Layers | None = None
    tier: Tier
    workspace: WorkspaceState | None = None
    wall_s: float = 0.0
    cpu_s: float | None = None
    peak_mb: float | None = Field(
        default=None, description="Most memory held, beyond what the process began with."
    )

    @property
    def ok(self) -> bool:
        """Say whether the code ran to its end without an error."""
        return self.status == "ok"


class Probe(_Model):
    """One forbidden thing that was tried in a real child at start-up."""

    name: str
    contained: bool
    detail: str = ""


class HostReport(_Model):
    """What this machine can do to confine code, and how busy it is."""

    tier: Tier
    reason: str = ""
    layers: Layers | None = None
    missing: list[str] = Field(default_factory=list, description="Layers this machine does not have.")
    selftest: list[Probe] = Field(default_factory=list)
    versions: dict[str, str] = Field(default_factory=dict)
    platform: str = ""
    threads: int | None = Field(
        default=None, description="Threads in the process that forks the runs; must be 1."
    )
    zygote_pid: int | None = None
    respawns: int = 0
    runs: int = 0
    running: int = 0
    waiting: int = 0
    places: int = 0
    workspaces: list[str] = Field(default_factory=list)
