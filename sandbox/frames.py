"""Sessions on their way into a run: encoded once into sealed shared memory, then only mapped."""

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sandbox.errors import BadRequestError
from sandbox.worker import layout

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Times = NDArray[np.int64]
_Values = NDArray[np.float64]


class Column(Protocol):
    """One signal's readings, as storage hands them over."""

    @property
    def signal(self) -> str: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def ecu(self) -> str | None: ...  # noqa: D102
    @property
    def times_us(self) -> Any: ...  # noqa: D102
    @property
    def values(self) -> Any: ...  # noqa: D102


@dataclass(frozen=True)
class Frame:
    """One session's signals.

    `times_us` are microseconds since the session's start, int64: one array for all columns, or one per column.
    `columns` are float64, NaN where a reading failed. `started_at` is None where a log does not say.
    `version` must change whenever the session's samples do: (session_id, version) is what the cache goes by. Without
    one nothing is cached.
    """

    session_id: str
    times_us: _Times | Mapping[str, _Times]
    columns: Mapping[str, _Values]
    units: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    version: str | int | None = None

    @classmethod
    def of_columns(
        cls,
        session_id: str,
        columns: Iterable[Column],
        started_at: datetime | None = None,
        version: str | int | None = None,
    ) -> "Frame":
        """Return a frame of signals with their own times; a signal of a second ECU is called `signal@ecu`."""
        times: dict[str, _Times] = {}
        values: dict[str, _Values] = {}
        units: dict[str, str] = {}
        for column in columns:
            name = (
                column.signal if column.signal not in values else f"{column.signal}@{column.ecu or 'unknown'}"
            )
            times[name], values[name], units[name] = column.times_us, column.values, column.unit
        return cls(session_id, times, values, units, started_at, version)


@dataclass(frozen=True)
class LazyFrame:
    """A frame that is fetched only when the cache does not have it."""

    session_id: str
    version: str | int
    load: Callable[[], Frame]


@dataclass(frozen=True)
class Shared:
    """A session in sealed memory: nobody can change it, whoever maps it gets a private copy page by page."""

    fd: int
    size: int


def encode(frame: Frame) -> Shared:
    """Lay a frame out in a sealed memfd; raise BadRequestError for arrays that do not fit together."""
    axes = _axes(frame)
    started_us = (
        None if frame.started_at is None else (frame.started_at - _EPOCH) // timedelta(microseconds=1)
    )
    ends = [int(times[place]) for times, _ in axes for place in (0, -1) if len(times)]
    header: dict[str, Any] = {
        "session_id": frame.session_id,
        "started_us": started_us,
        "signals": list(frame.columns),
        "units": {name: frame.units.get(name, "") for name in frame.columns},
        "duration_s": (max(ends) - min(ends)) / 1e6 if ends else 0.0,
        "axes": [],
    }
    position = layout.aligned(layout.HEAD.size + _header_room(header, axes))
    for times, names in axes:
        values_at = layout.aligned(position + 8 * len(times))
        header["axes"].append({"times": position, "values": values_at, "count": len(times), "names": names})
        position = layout.aligned(values_at + 8 * len(times) * len(names))
    return _write(frame, header, axes, position, started_us or 0)


def _header_room(header: dict[str, Any], axes: list[tuple[_Times, list[str]]]) -> int:
    """Return enough bytes for the header with its positions filled in (each has at most 16 digits)."""
    return len(json.dumps(header)) + sum(120 + len(json.dumps(names)) for _, names in axes)


def _axes(frame: Frame) -> list[tuple[_Times, list[str]]]:
    """Return the different time axes and which columns lie on each, times ascending."""
    axes: list[tuple[_Times, list[str]]] = []
    for name in frame.columns:
        times = frame.times_us if isinstance(frame.times_us, np.ndarray) else frame.times_us[name]
        if len(times) != len(frame.columns[name]):
            raise BadRequestError(
                f"signal {name!r} of session {frame.session_id!r} has {len(times)} times and "
                f"{len(frame.columns[name])} values",
                "Give one time per value.",
            )
        for known, names in axes:
            if known is times or (len(known) == len(times) and np.array_equal(known, times)):
                names.append(name)
                break
        else:
            axes.append((times, [name]))
    return axes


def _write(
    frame: Frame, header: dict[str, Any], axes: list[tuple[_Times, list[str]]], size: int, started_us: int
) -> Shared:
    fd = os.memfd_create("session", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, max(size, 1))
    text = json.dumps(header).encode()
    os.pwrite(fd, layout.HEAD.pack(layout.MAGIC, len(text)) + text, 0)
    for (times, names), place in zip(axes, header["axes"], strict=True):
        order = None if np.all(times[1:] >= times[:-1]) else np.argsort(times, kind="stable")
        _put(fd, place["times"], (times if order is None else times[order]).astype("<i8") + started_us)
        for row, name in enumerate(names):
            values = np.asarray(frame.columns[name], "<f8")
            _put(fd, place["values"] + 8 * row * len(times), values if order is None else values[order])
    _seal(fd)
    return Shared(fd, size)


def _seal(fd: int) -> None:
    """Take away, for good, every way to change the memory; mapping it privately stays possible."""
    import fcntl

    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)


def _put(fd: int, position: int, array: NDArray[Any]) -> None:
    if not array.size:
        return
    data = memoryview(np.ascontiguousarray(array).view(np.uint8))  # type: ignore[arg-type] # numpy has Buffer
    while data:
        written = os.pwrite(fd, data, position)
        data, position = data[written:], position + written


class FrameStore:
    """Encoded sessions, most recently used last, up to a number of bytes."""

    def __init__(self, max_bytes: int = 512 << 20) -> None:
        self._max_bytes = max_bytes
        self._shared: OrderedDict[tuple[str, str | int], Shared] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, frame: Frame | LazyFrame) -> Shared:
        """Return a session's memory under a descriptor of the caller's own, who closes it."""
        if frame.version is None:
            return encode(frame)
        key = frame.session_id, frame.version
        with self._lock:
            if key not in self._shared:
                self._forget(frame.session_id)
                self._shared[key] = encode(frame.load() if isinstance(frame, LazyFrame) else frame)
            self._shared.move_to_end(key)
            shared = self._shared[key]
            own = Shared(os.dup(shared.fd), shared.size)
            self._make_room()
        return own

    def forget(self, session_id: str) -> None:
        """Let go of every version of a session, as when it was deleted."""
        with self._lock:
            self._forget(session_id)

    def _forget(self, session_id: str) -> None:
        for key in [key for key in self._shared if key[0] == session_id]:
            os.close(self._shared.pop(key).fd)

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            while self._shared:
                os.close(self._shared.popitem()[1].fd)

    def _make_room(self) -> None:
        while (
            len(self._shared) > 1 and sum(shared.size for shared in self._shared.values()) > self._max_bytes
        ):
            os.close(self._shared.popitem(last=False)[1].fd)
