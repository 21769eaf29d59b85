"""Anomalies of a live session as alerts: what `detect` finds afterwards, raised once and cleared once."""

from collections.abc import Mapping, Sequence

from analysis.anomalies import StreamingDetector
from analysis.findings import Severity
from analysis.results.anomalies import Baseline, LiveAnomaly
from analysis.streaming.changes import Change, Said
from analysis.table import SignalTable
from analysis.tracks import Gap

WINDOW_S = 600.0
"""The simulated faults get the verdict of the whole drive with it (bench/live_faults.py), in two thirds of the memory
and time that 900 s take."""
# Odd readings speak of the sensor or the recording first, as in the health report; the others of the car.
_OF_READINGS = frozenset({"spike", "step", "stuck", "silent", "impossible"})
_TODO = (
    "Look at this stretch with plot_signals; detect_anomalies judges the session with all that came since."
)

Key = tuple[str, str]


class AnomalyWatch:
    """The anomalies of one live session; slower than the other checks, so that it is asked now and then.

    Anomalies of one kind and signal are one alert: it stays open until all of them are over. It is raised with the
    strongest, at its start, and cleared at the end of the last.
    """

    def __init__(self) -> None:
        self._units: dict[str, str] = {}
        self._limits: dict[str, tuple[float | None, float | None]] = {}
        self._detector = StreamingDetector(units=self._units, limits=self._limits, window_s=WINDOW_S)
        self._open: dict[Key, LiveAnomaly] = {}

    @property
    def readings(self) -> int:
        """How many readings are held in memory."""
        return self._detector.readings

    def judge_by(self, baseline: Baseline | None) -> None:
        """Judge from now on by what this car is like when it is healthy; by rules alone where that is not known."""
        self._detector.baseline = baseline

    def look(self, fresh: SignalTable, gaps: Sequence[Gap] = ()) -> list[Change]:
        """Take in what was read since the last look, and return the alerts that it raises or clears."""
        for name, series in fresh.items():
            self._units[name], self._limits[name] = series.unit, (series.low, series.high)
        batch = {name: (series.times_s, series.values) for name, series in fresh.items()}
        self._detector.keep(batch, gaps)
        return self._settled(self._detector.judge())

    def _settled(self, changed: Sequence[LiveAnomaly]) -> list[Change]:
        """Compare what is open with what was."""
        if not changed:
            return []
        told_s = self._detector.latest_s
        standing = _strongest([one for one in self._detector.anomalies if one.state != "cleared"])
        changes = [
            _change(one, told_s, is_raised=True) for key, one in standing.items() if key not in self._open
        ]
        by_end = sorted(changed, key=lambda one: one.end_s)
        last: dict[Key, LiveAnomaly] = {(one.kind, one.signal): one for one in by_end}
        for key, before in self._open.items():
            if key not in standing:
                changes.append(_change(last.get(key, before), told_s, is_raised=False))
        self._open = standing
        return changes


def _strongest(anomalies: Sequence[LiveAnomaly]) -> dict[Key, LiveAnomaly]:
    """Return the strongest of each kind and signal; they come strongest first."""
    found: dict[Key, LiveAnomaly] = {}
    for one in anomalies:
        found.setdefault((one.kind, one.signal), one)
    return found


def _change(anomaly: LiveAnomaly, told_s: float, *, is_raised: bool) -> Change:
    signal, _, ecu = anomaly.signal.partition("@")
    severity: Severity = "advice" if anomaly.kind in _OF_READINGS else "warning"
    said = Said(f"{signal}: {anomaly.channel}", anomaly.expected, anomaly.explanation, _TODO)
    at_s = anomaly.start_s if is_raised else anomaly.end_s
    detail: Mapping[str, object] = {"anomaly": anomaly, "told_s": told_s}
    return Change(
        f"anomaly_{anomaly.kind}", "anomaly", signal, ecu, is_raised, at_s, anomaly.value, anomaly.unit,
        severity, said, detail,
    )  # fmt: skip
