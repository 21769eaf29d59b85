"""What cost fuel on the drive, only where the litres follow from the drive itself."""

import numpy as np

from analysis.engine import Engine, lasting
from analysis.findings import Evidence
from analysis.fuel.estimate import Estimate, bounded
from analysis.fuel.mixture import COMMANDED
from analysis.results.fuel import FuelAdvice
from analysis.timeline import Bools, runs

LONG_STOP_S = 60.0
_RESTART_S = 10.0
_RICH = 0.97
_STEADY_MS2 = 0.25
_SLOW_KMH, _FAST_KMH = (85.0, 105.0), 115.0
_LEAST_S = 60.0
_LEAST_SHARE = 0.01


def advice(estimate: Estimate) -> list[FuelAdvice]:
    """Return what cost at least one per cent of the drive's fuel, dearest first."""
    whole = estimate.volume_l()
    if not whole:
        return []
    found = [
        part for part in (_idling(estimate), _enrichment(estimate), _speed(estimate)) if part is not None
    ]
    dear = [part for part in found if (part.litres.value or 0.0) >= _LEAST_SHARE * whole]
    return sorted(dear, key=lambda part: -(part.litres.value or 0.0))


def _evidence(
    engine: Engine, where: Bools, signal: str, unit: str, statistic: str, value: float, expected: str
) -> Evidence:
    spans = runs(where)
    moments = engine.timeline.moments_s
    return Evidence(
        signal=signal,
        unit=unit,
        statistic=statistic,
        value=value,
        expected=expected,
        start_s=float(moments[spans[0, 0]]),
        end_s=float(moments[spans[-1, 1] - 1]),
        samples=int(np.count_nonzero(where)),
    )


def _idling(estimate: Estimate) -> FuelAdvice | None:
    """Tell the litres of long stops: those of a minute and more, less ten seconds for the restart."""
    engine = estimate.engine
    step_s = engine.timeline.step_s
    long = lasting(engine.idle, LONG_STOP_S, step_s)
    saved = long.copy()
    for first, _ in runs(long):
        saved[first : first + round(_RESTART_S / step_s)] = False
    volume = estimate.volume_l(saved)
    if not saved.any() or volume is None:
        return None
    stops = len(runs(long))
    seconds = engine.timeline.seconds(long)
    return FuelAdvice(
        rule="idling",
        title="Idling at long stops",
        litres=estimate.litres(saved, f"in {stops} stops of {LONG_STOP_S:.0f} s or more, less 10 s each"),
        evidence=[
            _evidence(engine, long, "speed", "s", "idle in long stops", seconds, "engine off when parked")
        ],
        explanation=f"The engine idled {seconds:.0f} s in {stops} stops of a minute or more.",
        recommendation="Switch the engine off at stops over a minute; a restart costs about 10 s of idle.",
        source="US Department of Energy: idling over 10 s uses more fuel than a restart; stops of 60 s are our limit",
    )


def _enrichment(estimate: Estimate) -> FuelAdvice | None:
    """Tell the litres injected beyond what the air can burn, when warm: the price of full load."""
    engine = estimate.engine
    if not engine.timeline.has(COMMANDED) or estimate.litres_s is None:
        return None
    lambdas = engine.timeline.held(COMMANDED)
    rich = engine.warm & engine.moving & (lambdas > 0.5) & (lambdas < _RICH)
    if not rich.any():
        return None
    extra = engine.timeline.total(estimate.litres_s * (1 - lambdas), rich)
    method = f"{estimate.said} x (1 - lambda) where commanded lambda is under {_RICH:g}, engine warm"
    lowest = float(np.nanmin(lambdas[rich]))
    return FuelAdvice(
        rule="harsh-acceleration",
        title="Enrichment at full load",
        litres=bounded(extra, "L", method, estimate.relative, int(np.count_nonzero(rich))),
        evidence=[
            _evidence(engine, rich, COMMANDED, "ratio", "smallest", lowest, f"{_RICH:g} or more when warm")
        ],
        explanation=f"For {engine.timeline.seconds(rich):.0f} s the engine got more fuel than its air can burn.",
        recommendation="Accelerate with three quarters of the pedal or less: full load is enriched.",
        source="combustion: fuel beyond lambda 1 leaves unburnt",
    )


def _speed(estimate: Estimate) -> FuelAdvice | None:
    """Tell what steady driving above 115 km/h cost over the same distance at 85 to 105 km/h on this drive."""
    engine = estimate.engine
    steady = np.abs(engine.acceleration_ms2) <= _STEADY_MS2
    slow = steady & (engine.speed_kmh >= _SLOW_KMH[0]) & (engine.speed_kmh <= _SLOW_KMH[1]) & estimate.known
    fast = steady & (engine.speed_kmh > _FAST_KMH) & estimate.known
    total = engine.timeline.total
    if (
        estimate.litres_s is None
        or min(engine.timeline.seconds(slow), engine.timeline.seconds(fast)) < _LEAST_S
    ):
        return None
    slow_rate = total(estimate.litres_s, slow) / total(engine.speed_kmh, slow)
    fast_rate = total(estimate.litres_s, fast) / total(engine.speed_kmh, fast)
    extra = (fast_rate - slow_rate) * total(engine.speed_kmh, fast)
    if extra <= 0:
        return None
    at_fast, at_slow = 360_000 * fast_rate, 360_000 * slow_rate
    rates = f"steady {at_fast:.1f} less {at_slow:.1f} L/100km"
    method = f"{estimate.said}: {rates} over the fast distance; slopes and wind not known"
    mean = float(np.mean(engine.speed_kmh[fast]))
    return FuelAdvice(
        rule="speed",
        title="Driving fast",
        litres=bounded(extra, "L", method, max(0.3, estimate.relative), int(np.count_nonzero(fast))),
        evidence=[_evidence(engine, fast, "speed", "km/h", "mean while steady", mean, "85 to 105 km/h")],
        explanation=f"At {mean:.0f} km/h this drive used {at_fast:.1f} L/100km, at 85 to 105 km/h {at_slow:.1f}.",
        recommendation="Driving 20 km/h slower on the motorway saves the difference.",
        source="this drive's own figures at both speeds; the bands are ours",
    )
