"""Hysteresis: a state that is entered and left once, each only after it has lasted."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from analysis.streaming.changes import Floats

Flags = NDArray[np.bool_]


class Latch:
    """Open after `raise_after_s` of exceeding, closed after `clear_after_s` of being well again."""

    def __init__(self, raise_after_s: float, clear_after_s: float) -> None:
        self.is_open = False
        self._raise_after_s = raise_after_s
        self._clear_after_s = clear_after_s
        self._since_s: float | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is open and nothing has begun to exceed."""
        return not self.is_open and self._since_s is None

    def step(self, times_s: Floats, exceeds: Flags, is_well: Flags) -> Iterator[tuple[int, bool]]:
        """Yield (index, is_raised) at each change of state."""
        if not (is_well if self.is_open else exceeds).any():
            self._since_s = None
            return
        for index, time_s in enumerate(times_s.tolist()):
            if self._lasts(bool((is_well if self.is_open else exceeds)[index]), time_s):
                self.is_open = not self.is_open
                self._since_s = None
                yield index, self.is_open

    def _lasts(self, holds: bool, time_s: float) -> bool:
        if not holds:
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = time_s
        return time_s - self._since_s >= (self._clear_after_s if self.is_open else self._raise_after_s)
