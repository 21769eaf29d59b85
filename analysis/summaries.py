"""Statistics of every signal, over the window and per operating state."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.quality.signals import quantiles
from analysis.results.values import SignalStatistics, StateStatistics
from analysis.states import STATE_NAMES, States
from analysis.table import Floats
from analysis.timeline import Timeline
from analysis.tracks import Track

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_UNEVEN = 0.5
_FEWEST = 5


def signal_statistics(timeline: Timeline, states: States) -> list[SignalStatistics]:
    """Return the statistics of every signal, and per operating state where at least five readings fall in."""
    return [_signal(name, track, timeline, states) for name, track in timeline.items() if len(track)]


def _signal(name: str, track: Track, timeline: Timeline, states: States) -> SignalStatistics:
    uneven = _uneven(track)
    codes = states.codes[timeline.place(track.times_s)]
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(STATE_NAMES) + 1))
    parts = []
    for place, state in enumerate(STATE_NAMES):
        chosen = order[edges[place] : edges[place + 1]]
        if chosen.size >= _FEWEST:
            parts.append(StateStatistics(state=state, **_summary(track, uneven, chosen)))
    return SignalStatistics(signal=name, unit=track.unit, states=parts, **_summary(track, uneven, None))


def _uneven(track: Track) -> bool:
    """Say whether intervals vary so much that quantiles must weight readings by time."""
    if len(track) < 5:
        return False
    low, high = quantiles(np.sort(track.intervals_s), (0.05, 0.95))
    return high - low > _UNEVEN * track.period_s


def _summary(track: Track, uneven: bool, chosen: NDArray[np.intp] | None) -> dict[str, Any]:
    """Compute the statistics of chosen readings (indices ascending; None for all)."""
    values = track.values if chosen is None else track.values[chosen]
    weights = track.weights_s if chosen is None else track.weights_s[chosen]
    seconds = float(weights.sum())
    if seconds <= 0:
        weights = np.ones(values.size)
    mean = float(weights @ values / weights.sum())
    variance = float(weights @ np.square(values - mean) / weights.sum())
    ordered, cuts = _quantiles(values, weights, uneven and seconds > 0)
    return {
        "count": int(values.size),
        "seconds": seconds,
        "mean": mean,
        "sd": variance**0.5 if values.size > 1 else None,
        "minimum": float(ordered[0]),
        "maximum": float(ordered[-1]),
        "p05": cuts[0],
        "p25": cuts[1],
        "median": cuts[2],
        "p75": cuts[3],
        "p95": cuts[4],
        "first": float(values[0]),
        "last": float(values[-1]),
        "weighting": "time" if seconds > 0 else "readings",
    }


def _quantiles(values: Floats, weights: Floats, weighted: bool) -> tuple[Floats, list[float]]:
    """Return the sorted values and their quantiles, by time where the intervals are uneven."""
    if not weighted:
        ordered = np.sort(values)
        return ordered, quantiles(ordered, SHARES)
    order = np.argsort(values)
    ordered = values[order]
    reached = np.cumsum(weights[order])
    places = np.searchsorted(reached, np.asarray(SHARES) * reached[-1])
    return ordered, [float(ordered[min(place, ordered.size - 1)]) for place in places]
