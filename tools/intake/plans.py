"""What the names of a body mean all together; worked out once for every shape of body that is sent again and again."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from storage.records import ChannelKey
from tools.intake.naming import Meaning, meaning_of

Floats = NDArray[np.float64]
Texts = tuple[str | None, ...]
# Room for rounding in a conversion.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The meanings of columns side by side, and their limits and scales as columns of numbers; `odd` need a word."""

    meanings: tuple[Meaning, ...]
    ecus: tuple[str, ...]
    lows: Floats
    highs: Floats
    factors: Floats
    offsets: Floats
    converts: bool
    odd: tuple[Meaning, ...]
    keys: tuple[ChannelKey, ...]

    def converted(self, values: Floats) -> Floats:
        """Return values, a row per meaning, in the units of their signals."""
        return values * self.factors + self.offsets if self.converts else values

    def marked(self, values: Floats) -> int:
        """Count the values outside their signal's limits; NaN is neither inside nor outside."""
        return int(np.count_nonzero((values < self.lows) | (values > self.highs)))


@lru_cache(maxsize=512)
def plan_of(names: Texts, units: Texts, requests: Texts = (), ecus: tuple[str, ...] = ()) -> Plan:
    """Return what names with their units, and requests and ECUs where there are some, stand for."""
    asked = requests or (None,) * len(names)
    return _plan([meaning_of(*one) for one in zip(names, units, asked, strict=True)], ecus)


def _plan(meanings: Sequence[Meaning], ecus: tuple[str, ...]) -> Plan:
    ecus = ecus or ("",) * len(meanings)
    factors = _column([meaning.factor for meaning in meanings])
    offsets = _column([meaning.offset for meaning in meanings])
    return Plan(
        tuple(meanings),
        ecus,
        lows=_column([meaning.low - _ROUNDING * abs(meaning.low) for meaning in meanings]),
        highs=_column([meaning.high + _ROUNDING * abs(meaning.high) for meaning in meanings]),
        factors=factors,
        offsets=offsets,
        converts=bool((factors != 1).any() or (offsets != 0).any()),
        odd=tuple(meaning for meaning in meanings if meaning.note or not meaning.known),
        keys=tuple(
            (one.signal, one.unit, ecu, one.source or "") for one, ecu in zip(meanings, ecus, strict=True)
        ),
    )


def _column(numbers: Sequence[float]) -> Floats:
    return np.array(numbers, np.float64).reshape(-1, 1)
