"""What a link or a log hands over: one signal's readings, in time order of their source."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Run(NamedTuple):
    """Readings of one signal from one ECU; `times_us` counts microseconds since the session's start."""

    signal: str
    unit: str
    ecu: str
    times_us: NDArray[np.int64]
    values: NDArray[np.float64]
    source: str
