"""What a check of an adapter is answered with; imports pydantic only."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Verdict = Literal["genuine-looking", "clone-looking", "cannot tell"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class AdapterEvidence(_Answer):
    """One thing that speaks for a genuine chip, against it, or for neither, with where the knowledge is from."""

    speaks: Literal["for", "against", "for neither"]
    what: str
    source: str


class CommandTry(_Answer):
    """An adapter command that came with a certain ELM327 version, and what it brought."""

    command: str
    since: str
    known: bool | None
    answer: str


class BatchTry(_Answer):
    """Asking for so many parameters in one request."""

    size: int
    worked: bool
    hung: bool
    waited_s: float
    reason: str


class AdapterIdentity(_Answer):
    """Who the adapter says it is; empty where it does not answer."""

    name: str
    description: str
    stn: str
    device: str
    version: str | None


class Rates(_Answer):
    """Readings per second as measured; None with the reason where they could not be."""

    single_per_s: float | None
    batched_per_s: float | None
    measured_s: float
    reason: str


class AdapterReport(_Answer):
    """Everything a check found out about an adapter."""

    address: str
    identity: AdapterIdentity
    verdict: Verdict
    evidence: list[AdapterEvidence]
    commands: list[CommandTry]
    protocol: str | None
    ecus: list[str]
    no_car_reason: str
    batches: list[BatchTry]
    batch_size: int | None
    rates: Rates
    supply_v: float | None
    supply_reason: str
    baud: int | None
    connect_s: float | None
    advice: list[str]
