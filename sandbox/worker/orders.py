"""What the server asks of the zygote, and what a child attests; both sides read these shapes."""

from dataclasses import asdict, dataclass, field
from typing import Any

CONTROL_FD = 3  # in the child: its jobs come in here and its results go out
OWN_FOLDER = "zygote"  # of the zygote itself, beside the runs' scratch folders
ATTEST_FD = 4  # in the child: closed before any code arrives
LAYERS = ("landlock", "seccomp", "rlimits")


@dataclass(frozen=True)
class House:
    """How one zygote is set up, for its whole life."""

    scratch: str  # the folder that holds every run's scratch folder
    uid: int | None = None  # the user to become; None when the server is not root
    without: tuple[str, ...] = ()  # layers left out: reduced tier and tests only
    audit: bool = False  # refuse by Python's audit events too: reduced tier only
    warm: bool = True  # do in a waiting child what most code does first
    extras: bool = True  # load seaborn, scikit-learn, statsmodels, plotly while idle


@dataclass(frozen=True)
class Order:
    """One child to fork."""

    run: str
    scratch: str


@dataclass(frozen=True)
class Rlimits:
    """How much one job may take: memory above what the process began with, CPU seconds, the size of a file."""

    memory_bytes: int
    cpu_s: int
    file_bytes: int


@dataclass(frozen=True)
class Attestation:
    """What a child found in force on itself, by trying, before any code reached it."""

    uid: int
    no_new_privs: bool
    landlock_abi: int | None = None
    seccomp: bool = False
    rlimits: dict[str, int] = field(default_factory=dict)

    def message(self) -> dict[str, Any]:
        """Return the attestation as plain data."""
        return asdict(self)
