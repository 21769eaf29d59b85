"""Ranks the methods, describes each, and says how far they agree."""

import numpy as np

from analysis.findings import Evidence, Finding, Quantity, absent, derived
from analysis.fuel.air import Refusal
from analysis.fuel.estimate import Estimate
from analysis.fuel.fuels import Burned
from analysis.results.fuel import FuelMethod, MethodAgreement, MethodInput
from analysis.table import Floats

TRIM_WORTH_SHOWING = 5.0
_LEAST_COVERAGE = 0.3
_LEAST_S = 10.0
_TRIMS = (("short_fuel_trim_1", "long_fuel_trim_1"), ("short_fuel_trim_2", "long_fuel_trim_2"))
_UNUSED_TRIM = 99.0


def usable(estimates: list[Estimate]) -> tuple[list[Estimate], list[Refusal]]:
    """Return the estimates that cover enough of the drive, narrowest interval first, and refuse the rest."""
    kept, poor = [], []
    for estimate in estimates:
        share = _coverage(estimate)
        seconds = estimate.engine.timeline.seconds(estimate.known)
        if share < _LEAST_COVERAGE or seconds < _LEAST_S:
            said = f"its signals cover only {100 * share:.0f} % of the running time together"
            poor.append(Refusal(estimate.flow.method, said))
        else:
            kept.append(estimate)
    return sorted(kept, key=lambda estimate: estimate.relative), poor


def _coverage(estimate: Estimate) -> float:
    """Return the share of the running time the estimate covers; of all time where running is not known."""
    engine = estimate.engine
    asked = engine.running if engine.running.any() else np.ones(estimate.known.size, dtype=bool)
    return float(np.mean(estimate.known[asked])) if asked.any() else 0.0


def described(estimate: Estimate) -> FuelMethod:
    """Describe what one method says."""
    trim = _trim(estimate)
    share = _coverage(estimate)
    return FuelMethod(
        method=estimate.flow.method,
        usable=True,
        fuel_l=estimate.litres(),
        fuel_kg=estimate.kilograms(),
        fuel_l_with_trims=_with_trims(estimate, trim),
        trim=trim,
        coverage=derived(share, "ratio", "moments with all inputs / moments with the engine running"),
        uncertainty_percent=100 * estimate.relative,
        inputs=[_input(estimate, name) for name in estimate.flow.inputs],
        assumptions=list(estimate.flow.assumptions),
        calibration=estimate.calibration,
        source=estimate.flow.source,
    )


def _input(estimate: Estimate, name: str) -> MethodInput:
    track = estimate.engine.timeline[name]
    return MethodInput(signal=name, unit=track.unit, samples=len(track))


def refused(refusal: Refusal) -> FuelMethod:
    """Describe a method that gives nothing."""
    return FuelMethod(
        method=refusal.method,
        usable=False,
        reason=refusal.reason,
        fuel_l=absent("L", refusal.reason),
        fuel_kg=absent("kg", refusal.reason),
        coverage=absent("ratio", refusal.reason),
        inputs=[],
        assumptions=[],
        source="not used",
    )


def trims_percent(estimate: Estimate) -> Floats:
    """Return short plus long trim in % at every moment, the mean of the banks that have them, NaN for none."""
    timeline = estimate.engine.timeline
    banks = []
    for short, long in _TRIMS:
        both = timeline.held(short) + timeline.held(long)
        fitted = (timeline.held(short) < _UNUSED_TRIM) & (timeline.held(long) < _UNUSED_TRIM)
        banks.append(np.where(fitted, both, np.nan))
    known = np.isfinite(banks)
    total = np.where(known, banks, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def _trim(estimate: Estimate) -> Quantity | None:
    """Return the fuel-weighted mean trim of an air-based method, None without trims."""
    if not estimate.flow.from_air:
        return None
    trims = trims_percent(estimate)
    where = estimate.engine.running & estimate.known & np.isfinite(trims)
    weight = float(estimate.flow.per_s[where].sum())
    if not weight > 0:
        return None
    mean = float((estimate.flow.per_s[where] * trims[where]).sum() / weight)
    method = "short plus long trim, weighted by fuel"
    return derived(mean, "%", method, samples=int(np.count_nonzero(where)))


def _with_trims(estimate: Estimate, trim: Quantity | None) -> Quantity | None:
    """State the litres with trims applied where they are large."""
    if trim is None or trim.value is None or abs(trim.value) <= TRIM_WORTH_SHOWING:
        return None
    plain = estimate.litres()
    if plain.value is None or plain.low is None or plain.high is None:
        return None
    scale = 1 + trim.value / 100
    method = f"{estimate.said} x (1 {trim.value:+.1f} % trim): right if the air is measured wrongly"
    return derived(
        plain.value * scale,
        "L",
        method,
        low=plain.low * scale,
        high=plain.high * scale,
        samples=plain.samples,
    )


def agreement(estimates: list[Estimate]) -> list[MethodAgreement]:
    """Compare every other method with the best over the moments both cover."""
    return [found for other in estimates[1:] if (found := _agreement(estimates[0], other)) is not None]


def _agreement(best: Estimate, other: Estimate) -> MethodAgreement | None:
    both = best.known & other.known
    first, second = best.volume_l(both), other.volume_l(both)
    if not first or second is None:
        return None
    difference = 100 * (second - first) / first
    overlap = abs(second - first) <= best.relative * first + other.relative * second
    quantity = derived(
        difference,
        "%",
        f"{other.flow.method} less {best.flow.method}, over the latter, on the moments both cover",
        samples=int(np.count_nonzero(both)),
    )
    return MethodAgreement(method=other.flow.method, difference=quantity, agrees=overlap)


def findings(burns: Burned, agreed: list[MethodAgreement], estimates: list[Estimate]) -> list[Finding]:
    """Return findings about fuel types and methods that contradict each other."""
    found = [_apart(part, estimates[0]) for part in agreed if not part.agrees]
    return found + ([_conflict(burns)] if _conflicts(burns) else [])


def _apart(part: MethodAgreement, best: Estimate) -> Finding:
    return Finding(
        rule="fuel-methods-disagree",
        title=f"{part.method} and {best.flow.method} disagree about the fuel",
        system="fuel and air",
        severity="advice",
        confidence=0.6,
        evidence=[
            Evidence(
                signal=part.method,
                unit="%",
                statistic=f"litres against {best.flow.method}",
                value=part.difference.value,
                expected="within both intervals",
                samples=part.difference.samples,
            )
        ],
        explanation="The two methods' intervals do not overlap: a sensor, displacement, or the fuel type is wrong.",
        recommendation="Check displacement and fuel type first, then the air mass sensor and the fuel trims.",
        source="own rule: intervals of the methods",
    )


def _conflicts(burns: Burned) -> bool:
    """Say whether the car reports another kind of fuel than the one named; blends of petrol are one kind."""
    return _kind(burns.reported) != _kind(burns.fuel_type) and None not in (burns.reported, burns.fuel_type)


def _kind(fuel_type: str | None) -> str | None:
    if fuel_type in ("gasoline", "e10", "e85", "ethanol", "flex", "hybrid_gasoline", "hybrid"):
        return "petrol"
    return "diesel" if fuel_type == "hybrid_diesel" else fuel_type


def _conflict(burns: Burned) -> Finding:
    return Finding(
        rule="fuel-type-differs",
        title="The car reports another fuel than the one named",
        system="fuel and air",
        severity="advice",
        confidence=0.7,
        evidence=[
            Evidence(
                signal="fuel_type",
                unit="code",
                statistic=f"reported: {burns.reported}",
                value=None,
                expected=f"{burns.fuel_type} ({burns.said_by})",
            )
        ],
        explanation=f"The numbers use {burns.fuel_type}, {burns.said_by}; PID 51 says {burns.reported}.",
        recommendation="Correct the fuel type saved with the vehicle if the car is right.",
        source="SAE J1979 PID 51",
    )
