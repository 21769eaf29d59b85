"""What a diagnosis of a car is answered with, always per ECU; imports pydantic only.

A list that is empty was answered empty; what could not be learned stands in `absent` with its reason.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

CodeKind = Literal["stored", "pending", "permanent"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Absence(_Answer):
    """Something asked and not learned; `ecu` is empty where it concerns them all."""

    what: str
    ecu: str = ""
    reason: str


class Monitor(_Answer):
    """One readiness monitor: whether the car has it, and whether it has finished."""

    name: str
    complete: bool


class Readiness(_Answer):
    """The monitors of one ECU (service 01, PIDs 01 and 41).

    `mil_on` and `code_count` are None for this drive, where PID 41 does not carry them. Monitors the ECU does not
    have, or which are disabled for the rest of this drive, are not listed.
    """

    ecu: str
    ignition: Literal["spark", "compression"]
    mil_on: bool | None
    code_count: int | None
    monitors: list[Monitor]


class ReadinessReport(_Answer):
    """Readiness since codes were cleared and during this drive."""

    since_clear: list[Readiness]
    this_drive: list[Readiness]
    absent: list[Absence]


class EcuCodes(_Answer):
    """The codes of one kind that one ECU reported; an empty list means that it said so."""

    ecu: str
    kind: CodeKind
    codes: list[str]


class CodesReport(_Answer):
    """Trouble codes by kind and ECU (services 03, 07 and 0A)."""

    lists: list[EcuCodes]
    absent: list[Absence]

    def codes(self, kind: CodeKind) -> list[str]:
        """Return the codes of one kind over all ECUs."""
        return list(dict.fromkeys(code for found in self.lists if found.kind == kind for code in found.codes))


class FrozenValue(_Answer):
    """One value of a freeze frame."""

    signal: str
    value: float
    unit: str


class FreezeFrame(_Answer):
    """The conditions one ECU kept when a code came (service 02)."""

    ecu: str
    frame: int
    code: str
    values: list[FrozenValue]


class FreezeFrameReport(_Answer):
    """Freeze frames by ECU; an ECU that keeps none is named in `empty`."""

    frames: list[FreezeFrame]
    empty: list[str]
    absent: list[Absence]


class MonitorTest(_Answer):
    """One on-board test result with its limits (service 06).

    `value`, `low` and `high` are scaled to `unit`; None where the scaling is not known or the test has not run since
    codes were cleared (`not_run`: the ECU sends zeros). `raw` always has the numbers sent as (value, low, high).
    """

    ecu: str
    monitor: int
    monitor_name: str
    test: int
    test_name: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    raw: tuple[int, int | None, int | None]
    verdict: Literal["passed", "failed", "not_run"]


class MonitorTestReport(_Answer):
    """On-board test results by ECU."""

    tests: list[MonitorTest]
    absent: list[Absence]


class UseRatio(_Answer):
    """How often a monitor finished, and how often the conditions for it were met (in-use performance)."""

    name: str
    completions: int
    conditions: int


class EcuInfo(_Answer):
    """What one ECU says of itself (service 09); None or empty where it does not say, see `absent` of the report."""

    ecu: str
    vin: str | None = None
    name: str | None = None
    calibration_ids: list[str] = []
    calibration_checks: list[str] = []
    ignition_cycles: int | None = None
    monitoring_conditions: int | None = None
    in_use: list[UseRatio] = []
    engine_serial: str | None = None


class VehicleInfoReport(_Answer):
    """Service 09 by ECU."""

    ecus: list[EcuInfo]
    absent: list[Absence]

    @property
    def vin(self) -> str | None:
        """The VIN the ECUs agree on; None where none says it or they differ."""
        vins = {info.vin for info in self.ecus if info.vin}
        return vins.pop() if len(vins) == 1 else None


class ClearReport(_Answer):
    """What each ECU said to being told to clear codes (service 04)."""

    cleared: list[str]
    absent: list[Absence]
