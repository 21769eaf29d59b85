"""Statistics of a range from zone maps; only runs that cross a bound are decoded."""

from collections.abc import Sequence

from sqlalchemy import Connection, and_, not_, select, true

from storage import readout
from storage.checks import in_range
from storage.chunks import Decoder, overlapping, references
from storage.readout import Run, in_order
from storage.records import Channel
from storage.tables import live_chunk
from storage.zones import Zone, joined, zone_of, zones_of_heads

Bounds = tuple[int | None, int | None]


def summary(
    connection: Connection,
    session_id: str,
    signals: Sequence[str] | None,
    start_us: int | None,
    end_us: int | None,
) -> list[Channel]:
    """Return the statistics of each channel in a range; see Samples.summary."""
    named = readout.names(connection, session_id, signals)
    bounds = (start_us, end_us)
    zones: dict[int, list[Zone]] = {name.number: [] for name in named}
    if bounds == (None, None):
        zones |= {name.number: [name.compacted] for name in named if name.compacted}
    else:
        _add_chunks(connection, session_id, zones, bounds)
    _add_live(connection, session_id, zones, bounds)
    return [readout.described(name, joined(zones[name.number])) for name in named if zones[name.number]]


def _add_chunks(
    connection: Connection, session_id: str, zones: dict[int, list[Zone]], bounds: Bounds
) -> None:
    decoder = Decoder(connection, session_id)
    for number, chunks in references(connection, session_id, zones, *bounds).items():
        for chunk in chunks:
            if chunk.within(*bounds):
                zones[number].append(chunk.zone)
            else:
                _add_run(zones[number], decoder.run(number, chunk), bounds)


def _add_live(connection: Connection, session_id: str, zones: dict[int, list[Zone]], bounds: Bounds) -> None:
    touching = overlapping(live_chunk, session_id, *bounds)
    start_us, end_us = bounds
    inside = and_(
        true() if start_us is None else live_chunk.c.first_us >= start_us,
        true() if end_us is None else live_chunk.c.last_us <= end_us,
    )
    heads = connection.scalars(select(live_chunk.c.head).where(*touching, inside))
    for number, zone in zones_of_heads(heads).items():
        if number in zones:
            zones[number].append(zone)
    for number, run in readout.live_runs(connection, session_id, zones, *bounds, not_(inside)).items():
        _add_run(zones[number], run, bounds)


def _add_run(zones: list[Zone], run: Run, bounds: Bounds) -> None:
    times, values = in_range(*in_order([run]), *bounds)
    if times.size:
        zones.append(zone_of(times, values))
