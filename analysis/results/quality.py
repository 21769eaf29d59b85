"""How good the recording is: rates, gaps, clocks, stuck and impossible values."""

from typing import Literal

from pydantic import Field

from analysis.findings import Finding, Quantity
from analysis.results.model import Result

Verdict = Literal["good", "usable", "poor"]


class TimeGap(Result):
    """A stretch without readings, in seconds since session start."""

    start_s: float
    end_s: float
    reason: str


class ClockStep(Result):
    """A place where the clock of the recording jumped by `step_s` seconds (negative: backwards)."""

    at_s: float
    step_s: float
    signals: list[str]


class StuckRun(Result):
    """A stretch in which a signal repeated one value although the engine's other signals moved."""

    start_s: float
    end_s: float
    value: float
    samples: int
    moved: str = Field(description="which signal moved meanwhile, and by how much")


class SignalQuality(Result):
    """The quality of one signal's readings."""

    signal: str
    unit: str
    readings: int
    missing: int = Field(description="readings without a number")
    duplicates: int = Field(description="readings at a time that another reading already has")
    backward: int = Field(description="readings stamped earlier than the one before")
    unplaced: int = Field(description="readings left out since the clock had stepped back over them")
    repeated: int = Field(description="readings left out since the row only repeated an older value")
    first_s: float | None
    last_s: float | None
    rate_hz: Quantity
    jitter: Quantity = Field(description="interquartile range of the intervals over their median")
    completeness: Quantity = Field(description="readings over those expected at the signal's own rate, in %")
    gap_count: int
    gap_s: float = Field(description="seconds in gaps")
    gaps: list[TimeGap] = Field(description="the longest gaps, in order of time")
    codes: int = Field(description="number of distinct values")
    step: float | None = Field(description="the step all values are multiples of, where there is one")
    longest_unchanged_s: float
    outside_limits: int = Field(description="readings outside the limits the standard allows")
    stuck: list[StuckRun]
    verdict: Verdict
    notes: list[str]


class QualityReport(Result):
    """The quality of a recording, per signal and as a whole."""

    verdict: Verdict
    completeness: Quantity
    signals: list[SignalQuality]
    gaps: list[TimeGap] = Field(description="stretches without a reading of any signal")
    gap_s: float
    clock_steps: list[ClockStep]
    held_values: str | None = Field(
        default=None, description="set when rows repeat older values, so that the real rate is lower"
    )
    notes: list[str] = Field(default=[])
    findings: list[Finding]
