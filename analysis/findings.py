"""Findings and quantities: every number says where it comes from."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

Severity = Literal["info", "advice", "warning", "critical"]


class Quantity(BaseModel):
    """A number that says where it comes from: measured, derived by a named method, or absent and why."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    value: float | None
    unit: str
    kind: Literal["measured", "derived", "absent"]
    method: str | None = None
    reason: str | None = None
    low: float | None = None
    high: float | None = None
    samples: int | None = None

    @model_validator(mode="after")
    def _says_where_it_comes_from(self) -> Self:
        if self.kind == "absent" and (self.value is not None or not self.reason):
            raise ValueError("an absent quantity has a reason and no value")
        if self.kind != "absent" and self.value is None:
            raise ValueError(f"a {self.kind} quantity has a value")
        if self.kind == "derived" and not self.method:
            raise ValueError("a derived quantity names its method and inputs")
        return self


def measured(value: float, unit: str, *, samples: int | None = None) -> Quantity:
    """State a number as the car reported it."""
    return Quantity(value=value, unit=unit, kind="measured", samples=samples)


def derived(
    value: float,
    unit: str,
    method: str,
    *,
    low: float | None = None,
    high: float | None = None,
    samples: int | None = None,
) -> Quantity:
    """State a computed number with the method and inputs that gave it."""
    return Quantity(
        value=value, unit=unit, kind="derived", method=method, low=low, high=high, samples=samples
    )


def absent(unit: str, reason: str) -> Quantity:
    """State that there is no number, and why."""
    return Quantity(value=None, unit=unit, kind="absent", reason=reason)


class Evidence(BaseModel):
    """One observation behind a finding: a statistic of a signal over a time window."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    signal: str
    unit: str
    statistic: str
    value: float | None
    expected: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    samples: int | None = None


class Finding(BaseModel):
    """What was seen, with the evidence for it."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    rule: str
    title: str
    system: str
    severity: Severity
    confidence: float
    evidence: list[Evidence]
    explanation: str
    recommendation: str
    source: str

    @model_validator(mode="after")
    def _confidence_is_a_share(self) -> Self:
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError("confidence lies between 0 and 1")
        return self
