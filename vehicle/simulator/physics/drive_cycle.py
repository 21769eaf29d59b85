"""What the driver wants, second by second: stops, pulls, cruises and overruns, drawn from a seed."""

from collections import deque
from dataclasses import dataclass
from random import Random


@dataclass(slots=True)
class Phase:
    """One thing the driver does until `seconds` are over or `speed_kmh` is reached (pulls and brakings)."""

    kind: str
    seconds: float
    speed_kmh: float = 0.0
    accel_ms2: float = 0.0


class DriveCycle:
    """An endless, repeatable sequence of phases: the same kind and seed always drive the same way."""

    def __init__(self, kind: str, seed: int) -> None:
        self._kind = kind
        self._random = Random(f"cycle {seed}")  # noqa: S311  # a repeatable drive, no secret
        self._waiting: deque[Phase] = deque([Phase("stand", 25.0)])
        self._phase = self._waiting.popleft()
        self._elapsed_s = 0.0
        self._part = 0

    @property
    def phase(self) -> Phase:
        """The phase the driver is in."""
        return self._phase

    def step(self, speed_kmh: float, dt_s: float) -> Phase:
        """Advance by dt_s at the given speed and return the phase in force."""
        self._elapsed_s += dt_s
        if self._is_over(speed_kmh):
            if not self._waiting:
                self._plan()
            self._phase = self._waiting.popleft()
            self._elapsed_s = 0.0
        return self._phase

    def _is_over(self, speed_kmh: float) -> bool:
        phase = self._phase
        if self._elapsed_s >= phase.seconds:
            return True
        if phase.kind in ("pull", "full_load"):
            return speed_kmh >= phase.speed_kmh
        return phase.kind in ("brake", "coast") and speed_kmh <= phase.speed_kmh

    def _plan(self) -> None:
        kind = self._kind
        if kind == "mixed":
            kind = ("city", "city", "highway")[self._part % 3]
            self._part += 1
        plan = {"idle": self._plan_idle, "city": self._plan_city, "highway": self._plan_highway}[kind]
        plan()

    def _plan_idle(self) -> None:
        self._waiting.append(Phase("stand", 60.0))

    def _plan_city(self) -> None:
        """Plan about five minutes: micro-trips between stops, one of them out on an arterial road."""
        between = self._random.uniform
        for top_kmh in (between(28, 36), between(44, 53), between(48, 58), between(30, 45), between(60, 72)):
            self._waiting += [
                Phase("pull", 40.0, top_kmh, between(0.9, 1.7)),
                Phase("cruise", between(12.0, 40.0), top_kmh),
                Phase("coast", between(3.0, 9.0), top_kmh * 0.7),
                Phase("brake", 30.0, 0.5, between(1.1, 1.9)),
                Phase("stand", between(6.0, 26.0)),
            ]

    def _plan_highway(self) -> None:
        """Plan about eight minutes: ramp with a full-load pull, cruises, a slower stretch, off the ramp."""
        between = self._random.uniform
        fast, slow = between(105, 122), between(78, 92)
        self._waiting += [
            Phase("pull", 30.0, 45.0, 1.4),
            Phase("full_load", 25.0, fast - 4.0),
            Phase("cruise", between(90.0, 160.0), fast),
            Phase("coast", 14.0, slow),
            Phase("cruise", between(60.0, 110.0), slow),
            Phase("pull", 40.0, fast, 0.8),
            Phase("cruise", between(70.0, 130.0), fast),
            Phase("coast", between(8.0, 14.0), 70.0),
            Phase("brake", 40.0, 0.5, 1.3),
            Phase("stand", between(8.0, 20.0)),
        ]
