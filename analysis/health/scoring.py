"""The score of a system and of the car: a formula of our own, since none is published."""

from math import prod

from analysis.findings import Quantity, absent, derived
from analysis.results.health import Check, SystemHealth, SystemName, TroubleCode

FORMULA = (
    "Ours; no published formula exists. Each check gives a severity s from 0 (normal edge) to 1 (fault edge), a "
    "weight w and a quality q. System score = 50 (1 - max w s) + 50 prod(1 - w s)^0.5, so that one hard failure is "
    "not averaged away. The upper bound takes the measured checks alone; the lower one puts a typical severity "
    "(0.15) for whatever was not or poorly measured, and takes no check for more than 90 % sure; the score lies "
    "midway. Coverage = sum w q / sum w; below 40 % there is no number. A stored trouble code caps its system at 40, "
    "a pending one at 70. The car's score is the worst system's, each weighed by how much it matters for safety and "
    "for going on; it needs three systems with a number, or one that is clearly bad. Data quality is not part of it."
)
LEAST_COVERAGE = 0.4
FEWEST_SYSTEMS = 3
_CLEARLY_BAD = 70.0
_SUREST = 0.9
CAPS = {"stored": 40.0, "permanent": 40.0, "pending": 70.0}
IMPORTANCE: dict[SystemName, float] = {
    "engine mechanical": 1.0,
    "fuel and air": 0.9,
    "ignition": 1.0,
    "cooling": 1.0,
    "emissions": 0.7,
    "charging and battery": 1.0,
    "intake and boost": 0.8,
    "transmission": 1.0,
    "data quality": 0.0,
}


def score(parts: list[tuple[float, float]]) -> float:
    """Return the score of (weight, severity) pairs, 0 to 100."""
    if not parts:
        return 100.0
    worst = max(weight * severity for weight, severity in parts)
    together = prod(1 - weight * severity for weight, severity in parts)
    return 50 * (1 - worst) + 50 * together**0.5


def system_health(
    system: SystemName, checks: list[Check], priors: dict[str, float], codes: list[TroubleCode]
) -> SystemHealth:
    """Score one system from its checks and the trouble codes that belong to it."""
    mine = [check for check in checks if check.applicable]
    whole = sum(check.weight for check in mine)
    coverage = sum(check.weight * check.quality for check in mine) / whole if whole else 0.0
    unknown = list(dict.fromkeys(check.record_next for check in mine if check.record_next))
    return SystemHealth(
        system=system,
        score=_score(mine, coverage, priors, codes),
        coverage=coverage,
        capped_by=[code.code for code in codes],
        checks=checks,
        missing=unknown,
    )


def _score(
    mine: list[Check], coverage: float, priors: dict[str, float], codes: list[TroubleCode]
) -> Quantity:
    """Return the score with its interval, or why there is none."""
    cap = min((CAPS[code.status] for code in codes), default=100.0)
    judged = [check for check in mine if check.severity is not None]
    if coverage < LEAST_COVERAGE:
        if codes:
            names = ", ".join(code.code for code in codes)
            return derived(cap / 2, "points", f"insufficient data; capped by {names}", low=0.0, high=cap)
        share = (
            f"{100 * coverage:.1f} % of the checks could be judged, {100 * LEAST_COVERAGE:.0f} % are needed"
        )
        return absent("points", f"insufficient data: {share}")
    best = score([(check.weight, check.severity or 0.0) for check in judged])
    worst = score([(check.weight, _expected(check, priors)) for check in mine])
    low, high = sorted((min(cap, worst), min(cap, best)))
    samples = sum(item.samples or 0 for check in judged for item in check.evidence)
    return derived((low + high) / 2, "points", "see formula", low=low, high=high, samples=samples)


def _expected(check: Check, priors: dict[str, float]) -> float:
    """Return the severity to expect: as measured where well measured, the prior where not."""
    prior = priors.get(check.rule, 0.15)
    severity = check.severity if check.severity is not None else prior
    sure = _SUREST * check.quality
    return sure * severity + (1 - sure) * max(prior, severity)


def overall(systems: list[SystemHealth]) -> Quantity:
    """Return the car's score: that of the worst system, weighed by its importance."""
    known = [part for part in systems if part.score.value is not None and IMPORTANCE[part.system] > 0]
    if not known:
        return absent("points", "no system has enough data for a score; see record_next")
    value, low, high = (
        min(100 - IMPORTANCE[part.system] * (100 - bound) for part, bound in zip(known, bounds, strict=True))
        for bounds in (
            [part.score.value or 0.0 for part in known],
            [part.score.low or 0.0 for part in known],
            [part.score.high or 0.0 for part in known],
        )
    )
    if len(known) < FEWEST_SYSTEMS and value > _CLEARLY_BAD:
        names = ", ".join(f"{part.system} {part.score.value:.0f}" for part in known)
        return absent(
            "points", f"only {len(known)} of {len(IMPORTANCE) - 1} systems could be judged ({names})"
        )
    unseen = [part.system for part in systems if part.score.value is None and IMPORTANCE[part.system] > 0]
    tail = f"; not judged: {', '.join(unseen)}" if unseen else ""
    return derived(value, "points", f"worst system weighed by importance{tail}", low=low, high=high)
