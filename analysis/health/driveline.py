"""Check of the transmission: engine speed holding to the gears."""

import numpy as np

from analysis.driving.gears import gears
from analysis.health.checking import Car, Judge, Judged, Outcome, Rule, Unjudged, between, enough, missing
from analysis.motion import speed_track
from analysis.table import Floats

SLIP = Rule(
    "gear-slip",
    "Engine speed holding to the gear",
    "transmission",
    0.9,
    "own: in a closed driveline ln(rpm/speed) holds within 3 %; slip from 8 %",
    "ten minutes of driving in several gears with rpm and speed",
    "Check transmission fluid and codes; test the lock-up clutch, or the clutch of a manual car.",
)


def slip(car: Car) -> Outcome:
    """Judge how far engine speed strays from the ratios of the gears in steady driving."""
    lost = missing(car, "rpm", "speed")
    if lost is not None:
        return lost
    found, why = gears(car.engine)
    if not found:
        return Unjudged(f"no gear ratios could be told: {why}")
    track = speed_track(car.timeline)
    moments = car.steady & (car.engine.speed_kmh > 40) & np.isfinite(car.engine.rpm)
    seconds = car.seconds(moments)
    if track is None or seconds < 60:
        return Unjudged(f"only {seconds:.0f} s of steady driving; 60 s are needed")
    ratios = np.log(car.engine.rpm[moments] / car.engine.speed_kmh[moments])
    stray = _from_nearest(ratios, np.log([gear.rpm_per_kmh.value or 1.0 for gear in found]))
    share = float(np.mean(stray > 0.08))
    sign = between(share, 0.15, 0.5)
    return Judged(
        sign,
        enough(seconds, 300),
        [
            car.evidence(
                "rpm", "share of steady time off every gear by 8 %", share, "0.15 or less", moments, "ratio"
            )
        ],
        f"In steady driving rpm is off every known gear by 8 % or more for {100 * share:.0f} % of the time.",
        {"gear_slip": sign},
    )


def _from_nearest(ratios: Floats, known: Floats) -> Floats:
    """Return the distance of each ratio from the nearest known one."""
    nearest: Floats = np.abs(ratios[:, None] - known[None, :]).min(axis=1)
    return nearest


CHECKS: tuple[tuple[Rule, Judge], ...] = ((SLIP, slip),)
