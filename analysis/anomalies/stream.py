"""The checks of `detect` on a session that still goes on: the same code over a window that moves along."""

from collections.abc import Mapping

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.anomalies.detect import level_of
from analysis.anomalies.judgement import Judgement, merged
from analysis.anomalies.past import past_at
from analysis.anomalies.standing import Standing
from analysis.engine import Engine, Past
from analysis.errors import UnknownChoiceError
from analysis.results.anomalies import Baseline, LiveAnomaly
from analysis.table import Floats, SignalSeries, SignalTable
from analysis.timeline import Timeline

Limits = tuple[float | None, float | None]
_KEPT = 2 / 3
_SHORTEST_WINDOW_S = 300.0


class StreamingDetector:
    """Finds anomalies while readings come in; judges every `every_s` seconds, over the last `window_s` at most.

    Up to `window_s` its anomalies are those of `detect` on the same readings. A longer session loses its oldest third
    again and again; how the engine stood then, and its levels of idle and pedal, are carried along. Memory holds the
    readings of one window and the latest 500 anomalies. `units` and `limits` (low, high; None: open) are those of
    the signals. Raises UnknownChoiceError for a sensitivity or window that does not exist.
    """

    def __init__(
        self,
        baseline: Baseline | None = None,
        *,
        sensitivity: str | float = "normal",
        units: Mapping[str, str] | None = None,
        limits: Mapping[str, Limits] | None = None,
        every_s: float = 5.0,
        window_s: float = 900.0,
    ) -> None:
        if window_s < _SHORTEST_WINDOW_S or not 0 < every_s <= window_s / 10:
            raise UnknownChoiceError(
                f"A window of {window_s:g} s judged every {every_s:g} s cannot be had.",
                f"Give a window of at least {_SHORTEST_WINDOW_S:g} s, judged at least ten times.",
            )
        self._baseline = baseline
        self._factor = 2.0 ** (1 - 2 * level_of(sensitivity))
        self._units, self._limits = dict(units or {}), dict(limits or {})
        self._every_s, self._window_s = every_s, window_s
        self._readings: dict[str, list[tuple[Floats, Floats]]] = {}
        self._standing = Standing()
        self._past = Past()
        self._since_s, self._latest_s, self._judged_s = -np.inf, -np.inf, -np.inf

    @property
    def anomalies(self) -> list[LiveAnomaly]:
        """All anomalies of the session so far that were not withdrawn, strongest first."""
        return self._standing.anomalies

    @property
    def readings(self) -> int:
        """How many readings are held in memory."""
        return sum(times_s.size for kept in self._readings.values() for times_s, _ in kept)

    def add(self, batch: Mapping[str, tuple[Floats, Floats]]) -> list[LiveAnomaly]:
        """Take in readings, (times_s, values) by signal, and return the anomalies that changed, if judged now.

        Readings may come late or out of order, as long as they lie within the window.
        """
        for signal, (times_s, values) in batch.items():
            recent = np.asarray(times_s) >= self._since_s
            if recent.any():
                kept = np.asarray(times_s, float)[recent], np.asarray(values, float)[recent]
                self._readings.setdefault(signal, []).append(kept)
                self._latest_s = max(self._latest_s, float(kept[0].max()))
        if self._judged_s == -np.inf:
            self._judged_s = self._latest_s
        return self.judge() if self._latest_s - self._judged_s >= self._every_s else []

    def judge(self) -> list[LiveAnomaly]:
        """Judge what has come in since, now rather than when it is due; at the end of a session, for one."""
        self._judged_s = self._latest_s
        timeline = Timeline(self._table())
        if not any(len(track) for track in timeline.values()) or timeline.untimed:
            return []
        judged = Judgement(Conditions(Engine(timeline, self._past)), self._baseline)
        found = merged(judged.anomalies(self._factor))
        changed = list(self._standing.settle(found, self._since_s, judged.kept_s))
        if timeline.end_s - timeline.start_s > self._window_s:
            self._move_on(judged.conditions)
        return changed

    def _table(self) -> SignalTable:
        """Return the readings of the window; the parts they came in become one."""
        series = {}
        for signal, parts in self._readings.items():
            if len(parts) > 1:
                times, held = [one for one, _ in parts], [one for _, one in parts]
                self._readings[signal] = [(np.concatenate(times), np.concatenate(held))]
            times_s, values = self._readings[signal][0]
            low, high = self._limits.get(signal, (None, None))
            series[signal] = SignalSeries(signal, self._units.get(signal, ""), times_s, values, low, high)
        return SignalTable(series)

    def _move_on(self, conditions: Conditions) -> None:
        """Let go of the oldest third of the window, and note how the engine stood at its end."""
        timeline = conditions.timeline
        place = int(timeline.place(np.array([timeline.end_s - _KEPT * self._window_s]))[0])
        self._past = past_at(conditions, place)
        self._since_s = float(timeline.moments_s[place])
        for signal, ((times_s, values), *_) in list(self._readings.items()):
            keep = times_s >= self._since_s
            if keep.any():
                self._readings[signal] = [(times_s[keep], values[keep])]
            else:
                del self._readings[signal]
