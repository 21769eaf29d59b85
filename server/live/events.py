"""One thing that happened, in the one envelope that every live door sends."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel
from pydantic_core import to_json

from vehicle.runs import Run

Severity = Literal["info", "advice", "warning", "critical"]
EventType = Literal[
    "session.live", "session.finished", "sample", "gap", "adapter",
    "threshold", "data_loss", "anomaly", "dtc.new", "dtc.cleared", "dtc.count",
    "job.started", "job.progress", "job.done", "job.failed",
    "coalesced", "missed",
]  # fmt: skip
"""What is told; the README says what each means."""
_OVERHEAD_BYTES = 400
_BYTES_PER_READING = 12


class Envelope(BaseModel):
    """An event as live doors send it; ids grow, also over restarts of the server."""

    v: Literal[1] = 1
    id: str
    ts: datetime
    type: str
    severity: Severity
    vehicle: str | None
    session: str | None
    data: dict[str, Any]


class Event:
    """An event; readings become JSON only when somebody asks, and then once for all who do."""

    __slots__ = (
        "_json",
        "_runs",
        "_sse",
        "at",
        "data",
        "id",
        "session",
        "severity",
        "size",
        "type",
        "vehicle",
    )

    def __init__(
        self,
        number: int,
        kind: EventType,
        data: Mapping[str, Any],
        *,
        session: str | None = None,
        vehicle: str | None = None,
        severity: Severity = "info",
        runs: Sequence[Run] = (),
    ) -> None:
        self.id = number
        self.type = kind
        self.severity = severity
        self.session = session
        self.vehicle = vehicle
        self.at = datetime.now(UTC)
        self.data = data
        self.size = _OVERHEAD_BYTES + _BYTES_PER_READING * sum(run.values.size for run in runs)
        self._runs = runs
        self._json: bytes | None = None
        self._sse: bytes | None = None

    @property
    def json(self) -> bytes:
        """The envelope as JSON."""
        if self._json is None:
            data = {**self.data, "groups": groups(self._runs)} if self._runs else self.data
            self._json = to_json(
                {
                    "v": 1,
                    "id": str(self.id),
                    "ts": self.at,
                    "type": self.type,
                    "severity": self.severity,
                    "vehicle": self.vehicle,
                    "session": self.session,
                    "data": data,
                },
                inf_nan_mode="null",
            )
            self._runs = ()
        return self._json

    @property
    def sse(self) -> bytes:
        """The event as a server-sent event."""
        if self._sse is None:
            self._sse = b"id: %d\r\nevent: %b\r\ndata: %b\r\n\r\n" % (self.id, self.type.encode(), self.json)
        return self._sse


def groups(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return runs as groups of signals read at the same times: times once, then one list of values each."""
    found: dict[int, dict[str, Any]] = {}
    for run in runs:
        group = found.get(id(run.times_us))
        if group is None:
            times_s = np.round(run.times_us / 1e6, 6).tolist()
            group = found[id(run.times_us)] = {
                "t_s": times_s,
                "signals": [],
                "units": [],
                "ecus": [],
                "values": [],
            }
        group["signals"].append(run.signal)
        group["units"].append(run.unit)
        group["ecus"].append(run.ecu or None)
        group["values"].append(run.values.tolist())
    return list(found.values())
