"""When a drift reaches a limit: inverse prediction from a straight line (Fieller), or why it cannot be told."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from analysis.findings import Quantity, absent, derived
from analysis.history.series import Series
from analysis.results.history import AxisName, Limit, Projection
from analysis.table import Floats

FARTHEST = 3.0
"""A projection reaches no farther than this many times the span that was seen."""

LIMITS: tuple[Limit, ...] = (
    *(
        Limit(
            signal=f"long_fuel_trim_{bank}",
            state=state,
            value=sign * 20.0,
            direction="above" if sign > 0 else "below",
            meaning="mixture codes are usually set from about 20 to 25 % of trim",
            source="makers' P0171 and P0172 thresholds; ours within them",
        )
        for bank in (1, 2)
        for state in ("warm idle", "steady cruise")
        for sign in (1, -1)
    ),
    Limit(
        signal="control_module_voltage",
        state="steady cruise",
        value=13.0,
        direction="below",
        meaning="under 13 V while driving the battery is not charged",
        source="ASE L1 guide",
    ),
    Limit(
        signal="coolant_temp",
        state="steady cruise",
        value=75.0,
        direction="below",
        meaning="thermostat code territory",
        source="Kia and Toyota P0128",
    ),
    Limit(
        signal="coolant_temp",
        state="warm idle",
        value=110.0,
        direction="above",
        meaning="overheating",
        source="makers' warnings at 112 to 120 °C; ours below them",
    ),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A least-squares line through a series, with what its uncertainty needs."""

    slope: float
    middle: float
    centre: float
    residual_sd: float
    spread: float
    count: int


def fit(places: Floats, values: Floats) -> Line:
    """Fit a straight line by least squares; at least three values at two places."""
    centre, middle = float(places.mean()), float(values.mean())
    spread = float(((places - centre) ** 2).sum())
    slope = float(((places - centre) * (values - middle)).sum() / spread)
    rest = values - middle - slope * (places - centre)
    return Line(slope, middle, centre, sqrt(float(rest @ rest) / (values.size - 2)), spread, values.size)


def crossing(line: Line, limit: float, confidence_level: float) -> tuple[float, float, float] | None:
    """Return where a line reaches a level with its interval, None where the slope may be zero (Fieller 1954)."""
    from scipy.special import stdtrit

    quantile = float(stdtrit(line.count - 2, 0.5 + confidence_level / 2))
    noise = quantile**2 * line.residual_sd**2
    squared = line.slope**2 - noise / line.spread
    if squared <= 0:
        return None
    gap = limit - line.middle
    # Solve (slope u - gap)^2 = noise (1/n + u^2 / spread) for u, the distance from the centre.
    root = sqrt(max(0.0, noise * (squared / line.count + gap**2 / line.spread)))
    ends = sorted(((line.slope * gap - root) / squared, (line.slope * gap + root) / squared))
    at = gap / line.slope
    return line.centre + at, line.centre + ends[0], line.centre + ends[1]


def projection(part: Series, limit: Limit, axis: AxisName, drifting: bool, level: float) -> Projection:
    """State when a series reaches a limit, or why no projection can be made."""
    return Projection(
        signal=part.signal,
        state=part.state,
        limit=limit,
        axis=axis,
        reached_in=_reached(part, limit, axis, drifting, level),
    )


def _reached(part: Series, limit: Limit, axis: AxisName, drifting: bool, level: float) -> Quantity:
    if not drifting:
        return absent(axis, "no projection: the signal does not drift, as far as the sessions tell")
    line = fit(part.places, part.values)
    now = float(part.places[-1])
    current = line.middle + line.slope * (now - line.centre)
    beyond = current >= limit.value if limit.direction == "above" else current <= limit.value
    if beyond:
        return absent(
            axis, f"the limit of {limit.value:g} {part.unit} is reached already (level {current:.3g})"
        )
    if (line.slope > 0) != (limit.direction == "above"):
        return absent(axis, "no projection: the drift leads away from the limit")
    found = crossing(line, limit.value, level)
    if found is None:
        return absent(axis, "no projection: the slope is not known well enough to exclude none at all")
    at, low, high = (value - now for value in found)
    span = float(part.places[-1] - part.places[0])
    if at > FARTHEST * span:
        return absent(axis, f"no projection: the limit lies more than {FARTHEST:g} times the time seen ahead")
    method = f"straight line through {len(part)} sessions, interval by Fieller; holds if the drift goes on as before"
    return derived(at, axis, method, low=max(0.0, low), high=high, samples=len(part))


def limits_for(part: Series, limits: tuple[Limit, ...]) -> list[Limit]:
    """Return the limits that concern a series."""
    return [limit for limit in limits if limit.signal == part.signal and limit.state == part.state]


def finite(values: Floats) -> bool:
    """Say whether a series has a place and a spread to fit a line to."""
    return bool(values.size >= 3 and np.ptp(values) > 0)
