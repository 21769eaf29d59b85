"""All checks of one live session: hands each signal's readings to the checks that watch it."""

from collections.abc import Iterable, Sequence

from analysis.streaming.changes import Change, Detector, Latest, Readings
from analysis.streaming.losses import LossDetector
from analysis.streaming.registry import new_detectors


class Monitor:
    """The checks of one session; feed it every batch in order of arrival."""

    def __init__(self, detectors: Iterable[Detector] | None = None) -> None:
        self._watchers: dict[str, list[Detector]] = {}
        for detector in new_detectors() if detectors is None else detectors:
            for signal in detector.signals:
                self._watchers.setdefault(signal, []).append(detector)
        self._latest: dict[str, Latest] = {}
        self._losses = LossDetector()

    def watches(self, signal: str) -> bool:
        """Tell whether any check looks at the signal; others need not be fed."""
        return signal in self._watchers

    def feed(
        self,
        batch: Sequence[Readings],
        start_s: float,
        end_s: float,
        gaps: Sequence[tuple[float, float, str]] = (),
    ) -> list[Change]:
        """Return what a batch changes, in order of time; `batch` holds only signals that are watched, non-empty."""
        changes = list(self._losses.feed(start_s, end_s, gaps))
        for readings in batch:
            self._latest[readings.signal] = Latest(float(readings.times_s[-1]), float(readings.values[-1]))
        for readings in batch:
            for detector in self._watchers[readings.signal]:
                changes += detector.feed(readings, self._latest)
        return sorted(changes, key=lambda change: change.at_s)

    def silence(self, silent_s: float) -> list[Change]:
        """Return what a silence changes that has lasted `silent_s` seconds so far."""
        return list(self._losses.silence(silent_s))
