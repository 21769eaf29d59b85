"""The checks of `detect` on a session that still goes on: the same code over a window that moves along."""

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.anomalies.detect import level_of
from analysis.anomalies.judgement import Judgement, merged
from analysis.anomalies.past import past_at
from analysis.anomalies.standing import Standing
from analysis.anomalies.window import Limits, Part, Window
from analysis.engine import Engine, Past
from analysis.errors import UnknownChoiceError
from analysis.results.anomalies import Baseline, LiveAnomaly
from analysis.timeline import Timeline
from analysis.tracks import Gap

_KEPT = 2 / 3
_SHORTEST_WINDOW_S = 300.0


class StreamingDetector:
    """Finds anomalies while readings come in; judges every `every_s` seconds, over the last `window_s` at most.

    Up to `window_s` its anomalies are those of `detect` on the same readings. A longer session loses its oldest third
    again and again; how the engine stood then, and its levels of idle and pedal, are carried along. Memory holds the
    readings of one window and the latest 500 anomalies. `units` and `limits` (low, high; None: open) are those of
    the signals, and may grow as signals come. `baseline` may be set later: the next judgement uses it.
    Raises UnknownChoiceError for a sensitivity or window that does not exist.
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
        self.baseline = baseline
        self._factor = 2.0 ** (1 - 2 * level_of(sensitivity))
        self._every_s, self._window_s = every_s, window_s
        self._window = Window({} if units is None else units, {} if limits is None else limits)
        self._gaps: list[Gap] = []
        self._standing = Standing()
        self._past = Past()
        self._judged_s = -np.inf

    @property
    def anomalies(self) -> list[LiveAnomaly]:
        """All anomalies of the session so far that were not withdrawn, strongest first."""
        return self._standing.anomalies

    @property
    def readings(self) -> int:
        """How many readings are held in memory."""
        return self._window.readings

    @property
    def latest_s(self) -> float:
        """The time of the latest reading, minus infinity before the first."""
        return self._window.latest_s

    def add(self, batch: Mapping[str, Part], gaps: Sequence[Gap] = ()) -> list[LiveAnomaly]:
        """Take in readings, (times_s, values) by signal, and return the anomalies that changed, if judged now.

        Readings may come late or out of order, as long as they lie within the window. `gaps` are those the recorder
        noted meanwhile: (start_s, end_s, reason).
        """
        self.keep(batch, gaps)
        latest_s = self._window.latest_s
        if self._judged_s == -np.inf:
            self._judged_s = latest_s
        return self.judge() if latest_s - self._judged_s >= self._every_s else []

    def keep(self, batch: Mapping[str, Part], gaps: Sequence[Gap] = ()) -> None:
        """Take in readings as `add` does, and judge them another time."""
        self._window.add(batch)
        self._gaps += gaps

    def judge(self) -> list[LiveAnomaly]:
        """Judge what has come in since, now rather than when it is due; at the end of a session, for one."""
        self._judged_s = self._window.latest_s
        timeline = Timeline(self._window.table(), gaps=self._gaps)
        if not any(len(track) for track in timeline.values()) or timeline.untimed:
            return []
        judged = Judgement(Conditions(Engine(timeline, self._past)), self.baseline)
        found = merged(judged.anomalies(self._factor))
        changed = list(self._standing.settle(found, self._window.since_s, judged.kept_s))
        if timeline.end_s - timeline.start_s > self._window_s:
            self._move_on(judged.conditions)
        return changed

    def _move_on(self, conditions: Conditions) -> None:
        """Let go of the oldest third of the window, and note how the engine stood at its end."""
        timeline = conditions.timeline
        place = int(timeline.place(np.array([timeline.end_s - _KEPT * self._window_s]))[0])
        self._past = past_at(conditions, place)
        self._window.move_to(float(timeline.moments_s[place]))
        self._gaps = [gap for gap in self._gaps if gap[1] > self._window.since_s]
