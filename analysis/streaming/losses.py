"""Stretches in which readings should have come and did not."""

from collections import deque
from collections.abc import Iterator, Sequence
from statistics import median

from analysis.streaming.changes import Change, Said

SHORTEST_S = 10.0
# How long a source may be silent whose pace is not known yet.
_UNKNOWN_S = 60.0
_FEWEST = 3
_TIMES_USUAL = 5.0
_SAID = Said(
    "No readings for a while", "readings at the usual pace",
    "The source was silent much longer than it usually is between two batches.",
    "Check the adapter's plug, its power and the radio link; the gap stays visible in the session.",
)  # fmt: skip


class LossDetector:
    """Compares each silence with the usual one of the same session."""

    def __init__(self) -> None:
        self._usual: deque[float] = deque(maxlen=15)
        self._end_s: float | None = None
        self._is_open = False

    @property
    def patience_s(self) -> float:
        """How long a silence may be."""
        if len(self._usual) < _FEWEST:
            return _UNKNOWN_S
        return max(SHORTEST_S, _TIMES_USUAL * median(self._usual))

    def feed(
        self, start_s: float, end_s: float, gaps: Sequence[tuple[float, float, str]] = ()
    ) -> Iterator[Change]:
        """Look at the silence before a batch from `start_s` to `end_s` and at the gaps its source names."""
        if self._end_s is not None and start_s > self._end_s:
            silence_s = start_s - self._end_s
            is_long = silence_s > self.patience_s or any(end - start > SHORTEST_S for start, end, _ in gaps)
            if is_long and not self._is_open:
                self._is_open = True
                yield _change(self._end_s, is_raised=True)
            self._usual.append(silence_s)
        if self._is_open:
            self._is_open = False
            yield _change(start_s, is_raised=False)
        self._end_s = end_s if self._end_s is None else max(end_s, self._end_s)

    def silence(self, silent_s: float) -> Iterator[Change]:
        """Look at a silence that still lasts."""
        if self._end_s is not None and not self._is_open and silent_s > self.patience_s:
            self._is_open = True
            yield _change(self._end_s, is_raised=True)


def _change(at_s: float, *, is_raised: bool) -> Change:
    return Change("data_loss", "data_loss", "", "", is_raised, at_s, None, "", "warning", _SAID)
