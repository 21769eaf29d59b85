"""`load_session`: a recorded session as a DataFrame, straight from the memory the server shared."""

import json
import mmap
import os
from typing import TYPE_CHECKING, Any, Literal

from sandbox.worker import align, layout

if TYPE_CHECKING:
    import pandas as pd

How = Literal["union", "inner", "grid"]


class Sessions:
    """The sessions handed to this run, by id."""

    def __init__(self) -> None:
        self._headers: dict[str, dict[str, Any]] = {}
        self._fds: dict[str, int] = {}
        self._facts: dict[str, dict[str, Any]] = {}

    def add(self, name: str, fd: int, facts: dict[str, Any]) -> None:
        """Take in one session's memory; a session of the same id is replaced."""
        if name in self._fds:
            os.close(self._fds[name])
        self._fds[name], self._headers[name], self._facts[name] = fd, _header(fd), facts

    def listed(self) -> list[dict[str, Any]]:
        """Return one row per session: id, start, duration, signals, units, and what else is known."""
        return [
            {"id": name, **_summary(header), **self._facts[name]} for name, header in self._headers.items()
        ]

    def load(
        self,
        session_id: str | None = None,
        signals: list[str] | str | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
        *,
        how: How = "union",
        step_s: float = 1.0,
        raw: bool = False,
    ) -> "pd.DataFrame | dict[str, pd.Series]":
        """Return a session as a DataFrame with one column per signal; it is yours to change.

        The index is UTC time where the session's start is known, else seconds since its start (`time_s`).
        `start_s` and `end_s` cut it, in seconds since the session's start, both ends included.
        Signals are read at different moments. `how` says what a row is, and nothing is ever filled in:
        "union": every moment at which any signal was read, NaN where this one was not;
        "inner": only moments at which all of them were read;
        "grid": the mean of what was read within each `step_s` seconds, NaN where nothing was.
        `raw=True` returns a dict of Series instead, each with its own times. Units are in `.attrs["units"]`.
        """
        name = self._name(session_id)
        header = self._headers[name]
        wanted = _wanted(header, [signals] if isinstance(signals, str) else signals)
        axes = align.cut(self._axes(name, wanted), header["started_us"] or 0, start_s, end_s)
        attrs = {
            "session_id": name,
            "started_at": _iso(header["started_us"]),
            "units": {signal: header["units"].get(signal, "") for signal in wanted},
        }
        if raw:
            return align.series(axes, wanted, header["started_us"], attrs)
        return align.table(axes, wanted, header["started_us"], attrs, how, step_s)

    def _name(self, session_id: str | None) -> str:
        if session_id is None and len(self._fds) == 1:
            return next(iter(self._fds))
        if session_id not in self._fds:
            known = ", ".join(self._fds) or "none was given to this run"
            raise KeyError(f"no session {session_id!r}; sessions of this run: {known}")
        return str(session_id)

    def _axes(self, name: str, wanted: list[str]) -> list[align.Axis]:
        """Map the session's memory, privately and writable: changes stay in this process and in this table."""
        import numpy as np

        header, fd = self._headers[name], self._fds[name]
        if not header["axes"]:
            return []
        memory = mmap.mmap(
            fd, os.fstat(fd).st_size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE
        )
        axes = []
        for axis in header["axes"]:
            count, names = axis["count"], axis["names"]
            times = np.frombuffer(memory, np.int64, count, axis["times"])
            values = np.frombuffer(memory, np.float64, count * len(names), axis["values"]).reshape(
                len(names), count
            )
            if set(names) & set(wanted):
                axes.append(align.Axis(times, values, names))
        return axes


def _header(fd: int) -> dict[str, Any]:
    magic, size = layout.HEAD.unpack(os.pread(fd, layout.HEAD.size, 0))
    if magic != layout.MAGIC:
        raise ValueError("not a session's memory")
    header: dict[str, Any] = json.loads(os.pread(fd, size, layout.HEAD.size))
    return header


def _wanted(header: dict[str, Any], signals: list[str] | None) -> list[str]:
    known = header["signals"]
    unknown = [name for name in signals or [] if name not in known]
    if unknown:
        raise KeyError(f"no signal {', '.join(map(repr, unknown))}; this session has {', '.join(known)}")
    return list(known if signals is None else dict.fromkeys(signals))


def _summary(header: dict[str, Any]) -> dict[str, Any]:
    return {
        "started_at": _iso(header["started_us"]),
        "duration_s": header["duration_s"],
        "readings": sum(axis["count"] * len(axis["names"]) for axis in header["axes"]),
        "signals": header["signals"],
        "units": header["units"],
    }


def _iso(started_us: int | None) -> str | None:
    if started_us is None:
        return None
    from datetime import UTC, datetime, timedelta

    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=started_us)).isoformat()
