"""Compacted chunks of a session: their zone maps at once, their readings one by one on demand."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, select

from storage import codec
from storage.codec import Floats, Ints
from storage.tables import chunk, time_base
from storage.zones import Zone


@dataclass(frozen=True, slots=True)
class ChunkRef:
    """A stored chunk, not yet decoded."""

    part: int
    base: int
    zone: Zone

    def within(self, start_us: int | None, end_us: int | None) -> bool:
        """Tell whether every reading satisfies start <= time <= end."""
        return (start_us is None or self.zone.first_us >= start_us) and (
            end_us is None or self.zone.last_us <= end_us
        )


def overlapping(
    table: Table, session_id: str, start_us: int | None, end_us: int | None
) -> list[ColumnElement[bool]]:
    """Return the conditions for the rows of a session that touch start <= time <= end."""
    conditions = [table.c.session_id == session_id]
    if start_us is not None:
        conditions.append(table.c.last_us >= start_us)
    if end_us is not None:
        conditions.append(table.c.first_us <= end_us)
    return conditions


def references(
    connection: Connection,
    session_id: str,
    numbers: Collection[int],
    start_us: int | None,
    end_us: int | None,
) -> dict[int, list[ChunkRef]]:
    """Return the chunks of each channel number that touch a range, in order of arrival."""
    c = chunk.c
    rows = connection.execute(
        select(c.channel, c.part, c.time_base, c.n, c.first_us, c.last_us, c.vmin, c.vmax, c.vsum)
        .where(*overlapping(chunk, session_id, start_us, end_us), c.channel.in_(numbers))
        .order_by(c.channel, c.part)
    )
    found: dict[int, list[ChunkRef]] = {number: [] for number in numbers}
    for row in rows:
        found[row.channel].append(ChunkRef(row.part, row.time_base, Zone(*row[3:])))
    return found


class Decoder:
    """Decodes chunks of one session; each time base once."""

    def __init__(self, connection: Connection, session_id: str) -> None:
        self._connection = connection
        self._session_id = session_id
        self._times: dict[int, Ints] = {}

    def run(self, number: int, reference: ChunkRef) -> tuple[Ints, Floats]:
        """Return times and values of one chunk of a channel."""
        c = chunk.c
        data = self._connection.execute(
            select(c.data).where(
                c.session_id == self._session_id, c.channel == number, c.part == reference.part
            )
        ).scalar_one()
        return self._base(reference), codec.unpack_values(data, reference.zone.n)

    def _base(self, reference: ChunkRef) -> Ints:
        if reference.base not in self._times:
            data = self._connection.execute(
                select(time_base.c.data).where(
                    time_base.c.session_id == self._session_id, time_base.c.number == reference.base
                )
            ).scalar_one()
            self._times[reference.base] = codec.unpack_times(data, reference.zone.n)
        return self._times[reference.base]
