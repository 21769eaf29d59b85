"""What a check is made of: its rule, its outcome, and the car as the checks see it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from analysis.engine import Engine, lasting
from analysis.facts import VehicleFacts
from analysis.findings import Evidence
from analysis.fuel.fuels import reported_type
from analysis.results.health import Check, MonitorTest, Readiness, SystemName
from analysis.table import Floats
from analysis.timeline import Bools, Timeline, runs

_SETTLED_AFTER_S, _LEAVING_S, _SHORTEST_IDLE_S = 5.0, 2.0, 6.0


@dataclass(frozen=True)
class Rule:
    """A named check: what it is called, how much it weighs, where its limits come from, what would feed it.

    `prior` is the severity assumed for a car of which nothing is known (a design value).
    """

    rule: str
    title: str
    system: SystemName
    weight: float
    source: str
    record_next: str
    recommendation: str
    safety: bool = False
    prior: float = 0.15


@dataclass(frozen=True)
class Judged:
    """A rule's outcome where the data could tell."""

    severity: float
    quality: float
    evidence: list[Evidence]
    explanation: str
    signs: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Unjudged:
    """A rule's outcome where the data could not tell; `applicable` is False where this car has no such thing."""

    reason: str
    applicable: bool = True


Outcome = Judged | Unjudged


class Car:
    """A session with what is known about its car, as the checks see it."""

    def __init__(
        self,
        timeline: Timeline,
        vehicle: VehicleFacts | None,
        readiness: Readiness | None = None,
        monitor_tests: tuple[MonitorTest, ...] = (),
    ) -> None:
        self.timeline = timeline
        self.engine = Engine(timeline)
        self.vehicle = vehicle or VehicleFacts()
        self.readiness = readiness
        self.monitor_tests = monitor_tests

    def held(self, name: str) -> Floats:
        """Return a signal at every moment."""
        return self.timeline.held(name)

    def has(self, *names: str) -> bool:
        """Say whether the signals were recorded with at least ten readings each."""
        return self.timeline.has(*names, readings=10)

    @cached_property
    def diesel(self) -> bool:
        """Whether the car is known to be a diesel."""
        kind = self.vehicle.fuel_type or reported_type(self.timeline)
        return kind in ("diesel", "hybrid_diesel")

    @cached_property
    def settled_idle(self) -> Bools:
        """Warm idle at least 5 s after coming to rest and 2 s before moving off, in stretches of 6 s or more."""
        kept = np.zeros(self.engine.rpm.size, dtype=bool)
        step_s = self.timeline.step_s
        for first, end in runs(self.engine.idle & self.engine.warm):
            first, end = first + round(_SETTLED_AFTER_S / step_s), end - round(_LEAVING_S / step_s)
            if (end - first) * step_s >= _SHORTEST_IDLE_S:
                kept[first:end] = True
        return kept

    @cached_property
    def steady(self) -> Bools:
        """Warm driving at steady speed above 40 km/h for five seconds or more."""
        slow_change = np.abs(self.engine.acceleration_ms2) < 0.3
        moving = self.engine.warm & (self.engine.speed_kmh > 40) & slow_change & ~self.engine.overrun
        return lasting(moving, 5.0, self.timeline.step_s)

    @cached_property
    def loaded(self) -> Bools:
        """Warm driving with fuel at 1500 rpm or more, the technicians' 2500 rpm on the road."""
        fuelled = self.engine.warm & self.engine.moving & ~self.engine.overrun
        return fuelled & (self.engine.rpm >= 1500) & (self.engine.rpm <= 3800)

    def seconds(self, where: Bools) -> float:
        """Return the seconds of some moments."""
        return self.timeline.seconds(where)

    def smooth(self, name: str, seconds: float = 30.0) -> Floats:
        """Return the mean of a signal over so many seconds around each moment, NaN where less is known."""
        values = self.held(name)
        width = min(max(1, round(seconds / self.timeline.step_s)), values.size)
        known = np.isfinite(values)
        number = np.convolve(known, np.ones(width), "same")
        total = np.convolve(np.where(known, values, 0.0), np.ones(width), "same")
        return np.where(number >= 0.6 * width, total / np.maximum(number, 1), np.nan)

    def evidence(
        self, signal: str, statistic: str, value: float, expected: str, where: Bools, unit: str | None = None
    ) -> Evidence:
        """State what a signal showed over some moments."""
        places = np.flatnonzero(where)
        moments = self.timeline.moments_s
        known = unit if unit is not None else self.timeline[signal].unit
        return Evidence(
            signal=signal,
            unit=known,
            statistic=statistic,
            value=float(value),
            expected=expected,
            start_s=float(moments[places[0]]) if places.size else None,
            end_s=float(moments[places[-1]]) if places.size else None,
            samples=int(places.size),
        )


Judge = Callable[[Car], Outcome]


def between(value: float, normal: float, fault: float) -> float:
    """Return 0 at the normal edge or better, 1 at the fault edge or worse, linear between; either direction."""
    return float(np.clip((value - normal) / (fault - normal), 0.0, 1.0))


def enough(seconds: float, full_s: float) -> float:
    """Return how far so many seconds reach the number that judges fully, 0 to 1."""
    return float(min(1.0, seconds / full_s))


def median(values: Floats, where: Bools) -> float:
    """Return the median of known values at some moments, NaN for none."""
    known = values[where & np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def missing(car: Car, *names: str) -> Unjudged | None:
    """Say which signals are missing, or nothing."""
    lost = [name for name in names if not car.has(name)]
    return Unjudged(f"not recorded: {', '.join(lost)}") if lost else None


def checked(rule: Rule, judge: Judge, car: Car) -> Check:
    """Run a rule over a car."""
    outcome = judge(car)
    if isinstance(outcome, Unjudged):
        return Check(
            rule=rule.rule,
            title=rule.title,
            system=rule.system,
            weight=rule.weight,
            severity=None,
            quality=0.0,
            applicable=outcome.applicable,
            evidence=[],
            explanation="not judged",
            reason=outcome.reason,
            record_next=rule.record_next if outcome.applicable else None,
            recommendation=rule.recommendation,
            source=rule.source,
        )
    return Check(
        rule=rule.rule,
        title=rule.title,
        system=rule.system,
        weight=rule.weight,
        severity=outcome.severity,
        quality=outcome.quality,
        evidence=outcome.evidence,
        explanation=outcome.explanation,
        record_next=rule.record_next if outcome.quality < 0.5 else None,
        recommendation=rule.recommendation,
        source=rule.source,
        signs=outcome.signs,
    )
