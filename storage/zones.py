"""Zone maps: what is known of a run of readings without decoding it."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from storage import live
from storage.codec import Floats, Ints


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


def zones_of_heads(blobs: Iterable[bytes]) -> dict[int, Zone]:
    """Return one zone map per channel number from the heads of live batches."""
    rows = live.heads(blobs)
    if not rows.size:
        return {}
    rows = rows[np.argsort(rows[:, live.CHANNEL], kind="stable")]
    numbers, starts = np.unique(rows[:, live.CHANNEL], return_index=True)
    floats = rows.view(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        columns = (
            np.add.reduceat(rows[:, live.N], starts),
            np.minimum.reduceat(rows[:, live.FIRST_US], starts),
            np.maximum.reduceat(rows[:, live.LAST_US], starts),
            np.minimum.reduceat(floats[:, live.VMIN], starts),
            np.maximum.reduceat(floats[:, live.VMAX], starts),
            np.add.reduceat(floats[:, live.VSUM], starts),
        )
    zones = (Zone(*fields) for fields in zip(*(column.tolist() for column in columns), strict=True))
    return dict(zip(numbers.tolist(), zones, strict=True))
