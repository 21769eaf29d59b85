"""What streaming checks take in and give out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.findings import Severity

Floats = NDArray[np.float64]
Kind = Literal["threshold", "anomaly", "dtc_count", "data_loss"]


class Readings(NamedTuple):
    """New readings of one signal from one ECU, at least one; times in seconds since the session's start.

    `low` and `high` are their extremes, found once so that most checks need not look further.
    """

    signal: str
    unit: str
    ecu: str
    times_s: Floats
    values: Floats
    low: float
    high: float


def readings_of(signal: str, unit: str, ecu: str, times_s: Floats, values: Floats) -> Readings:
    """Make readings with their extremes."""
    return readings_at(times_s, [(signal, unit, ecu)], [values])[0]


def readings_at(
    times_s: Floats, names: Sequence[tuple[str, str, str]], values: Sequence[Floats]
) -> list[Readings]:
    """Make readings of several (signal, unit, ECU) at the same times, with all their extremes found at once."""
    rows = np.array(values)
    extremes = zip(rows.min(axis=1).tolist(), rows.max(axis=1).tolist(), strict=True)
    return [
        Readings(*name, times_s, row, low, high)
        for name, row, (low, high) in zip(names, values, extremes, strict=True)
    ]


class Said(NamedTuple):
    """What a rule says to people whenever it is raised."""

    title: str
    expected: str
    explanation: str
    recommendation: str


class Change(NamedTuple):
    """An alert that a rule raises or clears; `value` is the reading that decided, None where none did.

    `detail` is what there is to tell beyond the alert, for those who hear of the change.
    """

    rule: str
    kind: Kind
    signal: str
    ecu: str
    is_raised: bool
    at_s: float
    value: float | None
    unit: str
    severity: Severity
    said: Said
    detail: Mapping[str, object] | None = None


class Latest(NamedTuple):
    """The newest reading of a signal."""

    time_s: float
    value: float


class Detector(Protocol):
    """A check of one session; it remembers what it needs between batches."""

    signals: frozenset[str]

    def feed(self, readings: Readings, latest: Mapping[str, Latest]) -> Iterable[Change]:
        """Look at new readings of one of `signals`; `latest` has the newest of every watched signal."""
