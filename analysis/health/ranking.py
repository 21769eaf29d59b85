"""Ranks causes by the evidence for them and names the test that separates the first two."""

import re
from collections.abc import Sequence

from analysis.facts import VehicleFacts
from analysis.health.causes import CANDIDATES, Candidate
from analysis.health.maintenance import maintenance
from analysis.health.workshop import confirming, separating
from analysis.results.health import (
    Cause,
    Check,
    HealthReport,
    Priority,
    Recommendation,
    TroubleCode,
    WorkshopTest,
)

LEAST_SUPPORT = 0.1
_MODERATE, _STRONG = 0.5, 1.0
_CODE_WEIGHT = {"stored": 1.2, "permanent": 0.5, "pending": 0.8}
_WORDS = {
    "lean_idle": "lean at idle",
    "lean_load": "lean under load",
    "rich_idle": "rich at idle",
    "rich_load": "rich under load",
    "worse_at_idle": "leaner at idle than under load",
    "same_at_idle_and_load": "the same at idle and under load",
    "fuel_pressure_low": "fuel pressure low or falling under load",
    "fuel_pressure_good": "fuel pressure holds",
    "air_low": "air mass reads low against speed-density",
    "air_high": "air mass reads high against speed-density",
    "idle_high": "idle speed raised",
    "idle_low": "idle speed low",
    "slow_warm_up": "warm-up takes too much heat",
    "cool_regulation": "coolant held too cool",
    "coolant_stuck": "coolant reading does not move",
    "hot": "coolant hot",
    "volts_low_driving": "voltage low while driving",
    "volts_low_idle": "voltage low at idle",
    "volts_high": "voltage high",
    "crank_low": "voltage falls far while cranking",
    "rest_low": "voltage low before the start",
    "slow_crank": "starter turns slowly",
    "rough_idle": "idle rough",
    "misfire_counts": "misfires counted",
    "catalyst_spent": "rear oxygen sensor follows the front one",
    "front_sensor_slow": "front oxygen sensor slow",
    "boost_low": "boost under its command",
    "gear_slip": "engine speed strays from the gears",
    "idle_pressure_high": "little vacuum at idle",
}


def recommend(
    report: HealthReport | None = None,
    *,
    trouble_codes: Sequence[TroubleCode] = (),
    vehicle: VehicleFacts | None = None,
    odometer_km: float | None = None,
    limit: int = 5,
) -> Recommendation:
    """Rank causes by a health report, by trouble codes alone, or by both; name the next test.

    `odometer_km` makes maintenance due. With nothing to go on the list of causes is empty and says so.
    """
    checks = [check for part in report.systems for check in part.checks] if report else []
    codes = list(report.trouble_codes if report and not trouble_codes else trouble_codes)
    found = ranked_causes(checks, codes, vehicle, odometer_km, limit)
    if report is not None and vehicle is None and odometer_km is None:
        return found.model_copy(update={"maintenance": report.recommendation.maintenance})
    return found


def ranked_causes(
    checks: list[Check],
    codes: list[TroubleCode],
    vehicle: VehicleFacts | None,
    odometer_km: float | None,
    limit: int = 5,
) -> Recommendation:
    """Return the causes that checks and codes support, most supported first."""
    signs = _signs(checks)
    causes = [cause for candidate in CANDIDATES if (cause := _cause(candidate, signs, codes)) is not None]
    causes = sorted(causes, key=lambda cause: -cause.support)[:limit]
    whole = sum(cause.support for cause in causes)
    causes = [cause.model_copy(update={"share": cause.support / whole}) for cause in causes]
    test, why = _next(causes)
    return Recommendation(
        causes=causes,
        next_test=test,
        why=why,
        priorities=_priorities(causes),
        maintenance=maintenance(vehicle, odometer_km),
        not_linked=[code.code for code in codes if not any(code.code in cause.codes for cause in causes)],
    )


def _signs(checks: list[Check]) -> dict[str, float]:
    """Return the strength of every sign, weighed by the quality of the check that saw it."""
    signs: dict[str, float] = {}
    for check in checks:
        for sign, strength in check.signs.items():
            value = strength * min(1.0, 0.4 + check.quality)
            signs[sign] = max(signs.get(sign, 0.0), value)
    return signs


def _cause(candidate: Candidate, signs: dict[str, float], codes: list[TroubleCode]) -> Cause | None:
    """Return a candidate with its evidence, None where nothing much speaks for it.

    Signs against a cause weigh only as far as something else speaks for it.
    """
    seen = {sign: signs[sign] for sign in candidate.signs if signs.get(sign, 0.0) > 0.02}
    helping = {
        sign: candidate.signs[sign] * value for sign, value in seen.items() if candidate.signs[sign] > 0
    }
    against = {
        sign: -candidate.signs[sign] * value for sign, value in seen.items() if candidate.signs[sign] < 0
    }
    linked = [code for code in codes if any(re.fullmatch(p, code.code.upper()[:5]) for p in candidate.codes)]
    positive = sum(value for sign, value in helping.items() if sign != "fuel_pressure_good")
    positive += sum(_CODE_WEIGHT[code.status] for code in linked)
    if positive < LEAST_SUPPORT:
        return None
    bonus = helping.get("fuel_pressure_good", 0.0)
    support = positive + min(positive, 1.0) * (bonus - sum(against.values()))
    if support < LEAST_SUPPORT:
        return None
    return Cause(
        cause=candidate.cause,
        title=candidate.title,
        system=candidate.system,
        support=support,
        share=0.0,
        strength="weak" if support < _MODERATE else "moderate" if support < _STRONG else "strong",
        supporting=[_said(sign, seen[sign]) for sign in sorted(helping, key=lambda s: -helping[s])],
        contradicting=[_said(sign, seen[sign]) for sign in sorted(against, key=lambda s: -against[s])],
        codes=[code.code for code in linked],
        priority=candidate.priority,
        repair=candidate.repair,
        confirm=confirming(candidate.cause),
    )


def _said(sign: str, strength: float) -> str:
    return f"{_WORDS.get(sign, sign)} ({strength:.2f} of 1)"


def _next(causes: list[Cause]) -> tuple[WorkshopTest | None, str]:
    """Return the test to do next, and why that one."""
    if not causes:
        return None, "Nothing in the checks or codes points to a fault; there is no test to recommend."
    if causes[0].strength == "weak":
        return causes[
            0
        ].confirm, f"Support is weak: repeat the drive first. This test is for {causes[0].cause}."
    if len(causes) == 1 or causes[1].support < 0.25 * causes[0].support:
        test = causes[0].confirm
        return test, f"It confirms or rules out the one cause with much support: {causes[0].cause}."
    test = separating(causes[0].cause, causes[1].cause)
    return test, f"It is the quickest test that separates {causes[0].cause} from {causes[1].cause}."


def _priorities(causes: list[Cause]) -> dict[str, list[str]]:
    """Sort what to do by when; weak support is looked into at the next service only."""
    order: dict[Priority, list[str]] = {"now": [], "soon": [], "next service": []}
    for cause in causes:
        when: Priority = cause.priority if cause.strength != "weak" else "next service"
        order[when].append(f"{cause.title}: {cause.repair}")
    return {str(name): entries for name, entries in order.items()}
