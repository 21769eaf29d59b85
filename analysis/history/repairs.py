"""What a repair changed: the sessions before against the sessions after."""

from math import sqrt

import numpy as np

from analysis.findings import derived
from analysis.history.series import Series
from analysis.results.history import Repair, RepairEffect, RepairVerdict
from analysis.table import Floats

FEWEST = 3


def effects(series: list[Series], repairs: list[Repair], level: float) -> list[RepairEffect]:
    """Return what each repair changed in each signal it should, where three sessions lie on either side."""
    found = []
    for number, repair in enumerate(repairs):
        for part in series:
            if repair.signals and part.signal not in repair.signals:
                continue
            effect = _effect(part, repair, repairs[:number], repairs[number + 1 :], level)
            found += [effect] if effect is not None else []
    return found


def place_of(part: Series, repair: Repair) -> int | None:
    """Return how many sessions of a series lie before a repair, None where its session is not in the series."""
    return part.names.index(repair.before_session) if repair.before_session in part.names else None


def _effect(
    part: Series, repair: Repair, earlier: list[Repair], later: list[Repair], level: float
) -> RepairEffect | None:
    place = place_of(part, repair)
    if place is None:
        return None
    first = max((p for other in earlier if (p := place_of(part, other)) is not None), default=0)
    last = min((p for other in later if (p := place_of(part, other)) is not None), default=len(part))
    before, after = part.values[first:place], part.values[place:last]
    if min(before.size, after.size) < FEWEST:
        return None
    difference, half = welch(before, after, level)
    least = part.minimum
    verdict: RepairVerdict = "cannot tell"
    if abs(difference) > half and abs(difference) >= least:
        verdict = "changed"
    elif abs(difference) + half < least or abs(difference) < least:
        verdict = "no relevant change"
    return RepairEffect(
        repair=repair.name,
        signal=part.signal,
        unit=part.unit,
        state=part.state,
        before=float(before.mean()),
        after=float(after.mean()),
        difference=derived(
            difference,
            part.unit,
            "mean level after less before, Welch's interval over sessions",
            low=difference - half,
            high=difference + half,
            samples=before.size + after.size,
        ),
        cliffs_delta=float(np.sign(after[:, None] - before[None, :]).mean()),
        sessions_before=before.size,
        sessions_after=after.size,
        minimum_effect=least,
        verdict=verdict,
        reason=f"{difference:+.3g} {part.unit} (±{half:.2g}), {least:.3g} would matter",
    )


def welch(before: Floats, after: Floats, level: float) -> tuple[float, float]:
    """Return the difference of means and the half width of its interval (Welch 1947)."""
    from scipy.special import stdtrit

    parts = [float(values.var(ddof=1)) / values.size for values in (before, after)]
    difference, total = float(after.mean() - before.mean()), sum(parts)
    if total <= 0:
        return difference, 0.0
    freedom = total**2 / sum(v**2 / (n.size - 1) for v, n in zip(parts, (before, after), strict=True))
    return difference, float(stdtrit(freedom, 0.5 + level / 2)) * sqrt(total)
