"""A car's own normal, and how a session lies against it."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from analysis.correlations import benjamini_hochberg
from analysis.findings import derived
from analysis.history.series import Series
from analysis.results.history import CarNormal, Deviation, NormalLevel

FEWEST_SESSIONS = 5
_METHOD = (
    "per signal and operating state: mean of the sessions' medians; range by Student's t for one further session, "
    "widened to the engineering minimum where it is narrower"
)


def normal_of(series: Sequence[Series], sessions: int, confidence_level: float) -> CarNormal:
    """Learn what is normal from series of healthy sessions; at least five sessions per signal and state."""
    levels = []
    lost = {}
    for part in series:
        if len(part) < FEWEST_SESSIONS:
            lost[f"{part.signal}, {part.state}"] = f"{len(part)} sessions of {FEWEST_SESSIONS} needed"
        else:
            levels.append(_level(part, confidence_level))
    return CarNormal(
        levels=levels,
        sessions=sessions,
        confidence_level=confidence_level,
        method=_METHOD,
        not_learned=lost,
    )


def _level(part: Series, confidence_level: float) -> NormalLevel:
    middle, spread = float(np.mean(part.values)), float(np.std(part.values, ddof=1))
    half = prediction_half(part.values, confidence_level)
    return NormalLevel(
        signal=part.signal,
        unit=part.unit,
        state=part.state,
        level=middle,
        low=middle - half,
        high=middle + half,
        spread=spread,
        sessions=len(part),
    )


def prediction_half(values: np.ndarray[tuple[int], np.dtype[np.float64]], confidence_level: float) -> float:
    """Return the half width of the interval that holds one further value (normal errors)."""
    from scipy.special import stdtrit

    n = values.size
    quantile = float(stdtrit(n - 1, 0.5 + confidence_level / 2))
    return quantile * float(np.std(values, ddof=1)) * sqrt(1 + 1 / n)


def deviation(part: Series, value: float, session: str, normal: NormalLevel) -> Deviation:
    """Return how a session's level lies against the normal of others; not yet judged among all levels."""
    from scipy.special import stdtr

    difference = value - normal.level
    error = normal.spread * sqrt(1 + 1 / normal.sessions)
    p_value = (
        2 * float(stdtr(normal.sessions - 1, -abs(difference) / error))
        if error > 0
        else float(difference == 0)
    )
    half = (normal.high - normal.low) / 2
    return Deviation(
        signal=part.signal,
        unit=part.unit,
        state=part.state,
        session=session,
        value=value,
        normal=normal,
        difference=derived(
            difference,
            part.unit,
            f"level in {part.state} less the mean of {normal.sessions} earlier sessions",
            low=difference - half,
            high=difference + half,
            samples=normal.sessions,
        ),
        minimum_effect=part.minimum,
        p_value=p_value,
        p_adjusted=p_value,
        outside=False,
    )


def judged(found: list[Deviation], confidence_level: float) -> list[Deviation]:
    """Judge deviations together: among many levels some lie outside their range by chance."""
    adjusted = benjamini_hochberg(np.array([part.p_value for part in found]))
    return [
        part.model_copy(
            update={
                "p_adjusted": float(p),
                "outside": p < 1 - confidence_level
                and abs(part.difference.value or 0.0) >= part.minimum_effect,
            }
        )
        for part, p in zip(found, adjusted, strict=True)
    ]
