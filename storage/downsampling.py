"""Fewer readings for a plot: the extremes of equal spans of time, real readings only."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from storage import readout
from storage.checks import in_range
from storage.chunks import ChunkRef, Decoder, references
from storage.codec import Floats, Ints
from storage.errors import InvalidDataError
from storage.readout import Run, in_order
from storage.records import Series


def downsample(
    connection: Connection,
    session_id: str,
    signals: Sequence[str] | None,
    start_us: int | None,
    end_us: int | None,
    points: int,
) -> list[Series]:
    """Return at most `points` readings per channel; see Samples.downsample."""
    if points < 2:
        raise InvalidDataError(f"{points} points cannot show a signal.", "Ask for at least 2 points.")
    named = readout.names(connection, session_id, signals)
    numbers = [name.number for name in named]
    chunks = references(connection, session_id, numbers, start_us, end_us)
    live = readout.live_runs(connection, session_id, numbers, start_us, end_us)
    decoder = Decoder(connection, session_id)
    found = []
    for name in named:
        channel = _Channel(decoder, name.number, points)
        for chunk in chunks[name.number]:
            channel.add_chunk(chunk, start_us, end_us)
        if name.number in live:
            channel.add_run(in_range(*in_order([live[name.number]]), start_us, end_us))
        found.append(readout.series(name, channel.result()))
    return found


class _Channel:
    """One channel's readings in the range: chunks wholly inside stay undecoded until they are needed."""

    def __init__(self, decoder: Decoder, number: int, points: int) -> None:
        self._decoder = decoder
        self._number = number
        self._points = points
        self._parts: list[ChunkRef | Run] = []

    def add_chunk(self, chunk: ChunkRef, start_us: int | None, end_us: int | None) -> None:
        """Add a chunk that touches the range."""
        if chunk.within(start_us, end_us):
            self._parts.append(chunk)
        else:
            self.add_run(in_range(*self._decoder.run(self._number, chunk), start_us, end_us))

    def add_run(self, run: Run) -> None:
        """Add decoded readings of the range, in time order."""
        if run[0].size:
            self._parts.append(run)

    def result(self) -> Run:
        """Return all readings where they are few, else the extremes of each span."""
        zones = [_bounds(part) for part in self._parts]
        if sum(zone[0] for zone in zones) <= self._points:
            return in_order([self._decoded(part) for part in self._parts])
        spans = _Spans(min(zone[1] for zone in zones), max(zone[2] for zone in zones), self._points // 2)
        needed = _needed([part for part in self._parts if isinstance(part, ChunkRef)], spans)
        kept = [part for part in self._parts if not isinstance(part, ChunkRef) or part.part in needed]
        return spans.extremes(in_order([spans.extremes(self._decoded(part)) for part in kept]))

    def _decoded(self, part: ChunkRef | Run) -> Run:
        return self._decoder.run(self._number, part) if isinstance(part, ChunkRef) else part


def _bounds(part: ChunkRef | Run) -> tuple[int, int, int]:
    """Return count, first and last time."""
    if isinstance(part, ChunkRef):
        return part.zone[:3]
    return part[0].size, int(part[0][0]), int(part[0][-1])


class _Spans:
    """A range cut into `count` spans of equal duration."""

    def __init__(self, first_us: int, last_us: int, count: int) -> None:
        self._first_us = first_us
        self._width_us = (last_us - first_us) // count + 1

    def of(self, times: Ints | int) -> NDArray[np.int64]:
        """Return the number of the span that each time lies in."""
        return (np.asarray(times) - self._first_us) // self._width_us

    def extremes(self, run: Run) -> Run:
        """Return the first smallest and first largest reading of each span of a run in time order."""
        times, values = run
        spans = self.of(times)
        starts = np.flatnonzero(np.diff(spans, prepend=spans[0] - 1))
        keep = np.union1d(
            _first_at(values, starts, np.minimum.reduceat(values, starts)),
            _first_at(values, starts, np.maximum.reduceat(values, starts)),
        )
        return times[keep], values[keep]


def _first_at(values: Floats, starts: NDArray[np.intp], wanted: Floats) -> NDArray[np.intp]:
    """Return, for each part of `values`, the index of the first value that equals the wanted one."""
    lengths = np.diff(starts, append=values.size)
    hits = np.flatnonzero(values == np.repeat(wanted, lengths))
    return hits[np.searchsorted(hits, starts)]


def _needed(chunks: Sequence[ChunkRef], spans: _Spans) -> set[int]:
    """Return the parts worth decoding: of several within one span, those with its smallest and largest value."""
    by_span: dict[int, list[ChunkRef]] = {}
    needed = set()
    for chunk in chunks:
        first, last = spans.of(chunk.zone.first_us), spans.of(chunk.zone.last_us)
        if first == last:
            by_span.setdefault(int(first), []).append(chunk)
        else:
            needed.add(chunk.part)
    for alike in by_span.values():
        needed.add(min(alike, key=lambda chunk: chunk.zone.vmin).part)
        needed.add(max(alike, key=lambda chunk: chunk.zone.vmax).part)
    return needed
