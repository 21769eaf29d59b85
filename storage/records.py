"""What storage hands out and takes in: plain frozen values, free of any database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SessionState = Literal["recording", "importing", "finished", "interrupted"]
SessionOrigin = Literal["capture", "import", "intake", "replay"]
Row = TypeVar("Row")


class Page(NamedTuple, Generic[Row]):
    """Some rows of a longer list, and how many the whole list has."""

    rows: list[Row]
    total: int


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A car, as its owner describes it; None where nobody said."""

    id: str
    created_at: datetime
    updated_at: datetime
    name: str | None = None
    vin: str | None = None
    make: str | None = None
    model: str | None = None
    year: int | None = None
    fuel_type: str | None = None
    displacement_l: float | None = None
    mass_kg: float | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One recorded drive or workshop capture of one vehicle, live or imported.

    `started_at` is UTC, or None where a log does not say. `first_us` and `last_us` are the times of the
    first and last reading, None without readings; `duration_s` is the span between them, 0.0 without.
    `appended_us` is when it last took readings, in µs since 1970; None where it took none, or nobody knows.
    `version` grows with every change, so results can be cached by (id, version).
    """

    id: str
    vehicle_id: str | None
    name: str
    state: SessionState
    origin: SessionOrigin
    source: str
    format: str | None
    started_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    duration_s: float
    first_us: int | None
    last_us: int | None
    readings: int
    notes: str | None
    version: int
    appended_us: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


class Column(NamedTuple):
    """Readings of one signal from one ECU, to be stored: times in µs since session start, finite values."""

    signal: str
    unit: str
    ecu: str | None
    times_us: "NDArray[np.int64]"
    values: "NDArray[np.float64]"
    source: str | None = None


ChannelKey = tuple[str, str, str, str]
"""Signal, unit, ECU and source of a channel; the last two are empty where there is none."""


class Block(NamedTuple):
    """Readings of several channels at the same times, to be stored: a row of `values` for each of `keys`.

    A sequence of columns in a form that is cheaper to store.
    """

    keys: tuple[ChannelKey, ...]
    times_us: "NDArray[np.int64]"
    values: "NDArray[np.float64]"

    def columns(self) -> list[Column]:
        """Return the readings column by column."""
        return [
            Column(signal, unit, ecu or None, self.times_us, values, source or None)
            for (signal, unit, ecu, source), values in zip(self.keys, self.values, strict=True)
        ]


Readings = Block | Sequence[Column]


@dataclass(frozen=True, slots=True)
class Channel:
    """What a session holds of one signal from one ECU; `mean` is None where the sum leaves float range."""

    signal: str
    unit: str
    ecu: str | None
    source: str | None
    readings: int
    first_us: int
    last_us: int
    minimum: float
    maximum: float
    mean: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """Stored readings of one channel in time order; the arrays are read-only and may be shared."""

    signal: str
    unit: str
    ecu: str | None
    times_us: "NDArray[np.int64]"
    values: "NDArray[np.float64]"
    source: str | None = None

    def __len__(self) -> int:
        return int(self.times_us.size)


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a session in which nothing could be read, and why."""

    start_us: int
    end_us: int
    reason: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """A plot, table or report file; `data` is None in lists."""

    id: str
    session_id: str | None
    kind: str
    name: str
    mime: str
    size: int
    created_at: datetime
    details: dict[str, Any] = field(default_factory=dict)
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a car reported at one moment, such as its trouble codes."""

    id: str
    session_id: str | None
    vehicle_id: str | None
    kind: str
    created_at: datetime
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Approval:
    """A write that waits for a person; `decision` is approved, refused or None, `used_at` when it ran."""

    id: str
    tool: str
    arguments: str
    requester: str
    what: str
    created_at: datetime
    expires_at: datetime
    decision: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What was done or refused on somebody's behalf."""

    id: str
    at: datetime
    actor: str
    action: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A chat: what it is called, which car and session it is about, how many messages it has."""

    id: str
    title: str
    vehicle_id: str | None
    session_id: str | None
    messages: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat, as a model is shown it."""

    number: int
    content: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Research:
    """A finding of research with its sources."""

    id: str
    title: str
    text: str
    sources: list[str]
    tags: list[str]
    vehicle_id: str | None
    trouble_code: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Manual:
    """A manual that was added; `unreadable` are the pages (from 1) without text, such as scans."""

    id: str
    name: str
    title: str | None
    digest: str
    pages: int
    unreadable: list[int]
    created_at: datetime


class ManualPage(NamedTuple):
    """The text of one page (from 1); `label` is the number printed on it, where the file says."""

    page: int
    label: str | None
    text: str


class PageHit(NamedTuple):
    """A page that answers a search."""

    manual: Manual
    page: int
    label: str | None
    text: str
    score: float
    matched: list[str]


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion removed: rows by noun."""

    counts: Mapping[str, int]
