"""What a guided test is made of: steps with the conditions that show they were done; no numpy here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bound:
    """A signal that shall lie between low and high, or be one of `codes`; one the car does not have is passed over."""

    signal: str
    unit: str
    low: float | None = None
    high: float | None = None
    codes: tuple[float, ...] = ()

    def met(self, value: float) -> bool:
        """Say whether a value satisfies the bound."""
        if self.codes:
            return value in self.codes
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def wanted(self) -> str:
        """The bound in words."""
        if self.codes:
            return f"{self.signal} in closed loop"
        if self.low is None:
            return f"{self.signal} at most {self.high:,g} {self.unit}"
        if self.high is None:
            return f"{self.signal} at least {self.low:,g} {self.unit}"
        return f"{self.signal} {self.low:,g} to {self.high:,g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Change:
    """A signal that shall have moved by at least `by` (negative: fallen) since the step before."""

    signal: str
    unit: str
    by: float

    def met(self, before: float, value: float) -> bool:
        """Say whether the change was seen."""
        return value - before >= self.by if self.by > 0 else value - before <= self.by


@dataclass(frozen=True, slots=True)
class Step:
    """One thing asked: held for `hold_s` after `settle_s`, within `limit_s` of being asked; 0 to hold: seen once.

    Any of `changes` must be seen as well. With `may_fail`, running out of time is an outcome to be judged.
    """

    key: str
    ask: str
    bounds: tuple[Bound, ...]
    hold_s: float = 0.0
    settle_s: float = 0.0
    limit_s: float = 120.0
    changes: tuple[Change, ...] = ()
    may_fail: bool = False


@dataclass(frozen=True, slots=True)
class Procedure:
    """A guided test; of each group in `needs` the car must have one signal, `wants` sharpen the verdict.

    `writes` says what the test would change in the car; empty: it only reads.
    """

    title: str
    prepare: str
    needs: tuple[tuple[str, ...], ...]
    wants: tuple[str, ...]
    steps: tuple[Step, ...]
    writes: str = ""
