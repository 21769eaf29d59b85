"""The levels of a signal in a state over sessions, along days, kilometres or their order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.compare.limits import RULES
from analysis.results.history import AxisName, SessionSummary
from analysis.results.states import StateName
from analysis.table import Floats


@dataclass(frozen=True)
class Series:
    """One level per session that has it: places on the axis (ascending), values, and the sessions' names."""

    signal: str
    unit: str
    state: StateName
    places: Floats
    values: Floats
    names: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.values.size)

    def part(self, first: int, end: int | None = None) -> "Series":
        """Return the sessions from `first` up to but without `end`."""
        chosen = slice(first, end)
        return Series(
            self.signal,
            self.unit,
            self.state,
            self.places[chosen],
            self.values[chosen],
            self.names[chosen],
        )

    @property
    def minimum(self) -> float:
        """The smallest change that matters to an engineer."""
        rule = RULES.get(self.signal)
        level = abs(float(np.median(self.values))) if len(self) else 0.0
        if rule is None:
            return max(0.1 * level, 1e-9)
        return rule.minimum * (level if rule.relative else 1.0)


def axis_of(summaries: Sequence[SessionSummary]) -> tuple[AxisName, Floats]:
    """Return the axis all sessions have a place on: days, else kilometres, else their order."""
    days = [summary.day for summary in summaries]
    if all(day is not None for day in days) and len(set(days)) > 1:
        return "days", np.array(days, dtype=np.float64)
    distances = [summary.odometer_km for summary in summaries]
    if all(km is not None for km in distances) and len(set(distances)) > 1:
        return "km", np.array(distances, dtype=np.float64)
    return "sessions", np.arange(len(summaries), dtype=np.float64)


def series_of(summaries: Sequence[SessionSummary], places: Floats) -> list[Series]:
    """Return the series of every signal and state, sessions in the order of their places."""
    order = np.argsort(places, kind="stable")
    found: dict[tuple[str, StateName, str], list[tuple[float, float, str]]] = {}
    for index in order:
        for level in summaries[index].levels:
            key = (level.signal, level.state, level.unit)
            found.setdefault(key, []).append((float(places[index]), level.median, summaries[index].name))
    return [
        Series(
            signal,
            unit,
            state,
            np.array([row[0] for row in rows]),
            np.array([row[1] for row in rows]),
            tuple(row[2] for row in rows),
        )
        for (signal, state, unit), rows in found.items()
    ]
