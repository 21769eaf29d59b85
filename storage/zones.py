"""Zone maps: what is known of a run of readings without decoding it."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from storage.codec import Floats, Ints
from storage.live import HEAD


class Zone(NamedTuple):
    """Count, time span (µs), smallest and largest value and sum of a run of readings."""

    n: int
    first_us: int
    last_us: int
    vmin: float
    vmax: float
    vsum: float

    @property
    def mean(self) -> float | None:
        """Arithmetic mean; None where the sum has left the range of floats."""
        return self.vsum / self.n if math.isfinite(self.vsum) else None


def zone_of(times: Ints, values: Floats) -> Zone:
    """Return the zone map of at least one reading."""
    with np.errstate(over="ignore", invalid="ignore"):
        vsum = float(values.sum())
    return Zone(
        int(times.size), int(times.min()), int(times.max()), float(values.min()), float(values.max()), vsum
    )


def joined(zones: Iterable[Zone]) -> Zone:
    """Return the zone map of several runs together; at least one."""
    n, first, last, vmin, vmax, vsum = zip(*zones, strict=True)
    return Zone(sum(n), min(first), max(last), min(vmin), max(vmax), sum(vsum))


def zones_of_heads(heads: Iterable[bytes]) -> dict[int, Zone]:
    """Return one zone map per channel number from the heads of live batches."""
    rows = np.frombuffer(b"".join(heads), HEAD)
    if not rows.size:
        return {}
    rows = rows[np.argsort(rows["channel"], kind="stable")]
    numbers, starts = np.unique(rows["channel"], return_index=True)
    with np.errstate(over="ignore", invalid="ignore"):
        columns = (
            np.add.reduceat(rows["n"], starts, dtype=np.int64),
            np.minimum.reduceat(rows["first_us"], starts),
            np.maximum.reduceat(rows["last_us"], starts),
            np.minimum.reduceat(rows["vmin"], starts),
            np.maximum.reduceat(rows["vmax"], starts),
            np.add.reduceat(rows["vsum"], starts),
        )
    zones = (Zone(*fields) for fields in zip(*(column.tolist() for column in columns), strict=True))
    return dict(zip(numbers.tolist(), zones, strict=True))
