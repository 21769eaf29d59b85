"""The checks that every live session gets; others are added here."""

from collections.abc import Callable

from analysis.streaming.changes import Detector
from analysis.streaming.codes import CodeDetector
from analysis.streaming.limit_rules import LIMITS
from analysis.streaming.limits import LimitDetector
from analysis.streaming.rates import RATES, RateDetector
from analysis.streaming.trends import TRENDS, TrendDetector

_added: list[Callable[[], Detector]] = []


def register(make: Callable[[], Detector]) -> None:
    """Give every session that goes live from now on a detector that `make` makes."""
    _added.append(make)


def new_detectors() -> list[Detector]:
    """Return fresh detectors for one session."""
    return [
        *(LimitDetector(limit) for limit in LIMITS),
        *(RateDetector(rate) for rate in RATES),
        *(TrendDetector(trend) for trend in TRENDS),
        CodeDetector(),
        *(make() for make in _added),
    ]
