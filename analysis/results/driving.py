"""How the car was driven, and how fast it was where the data carry it."""

from pydantic import Field

from analysis.findings import Quantity
from analysis.results.model import Result


class Gear(Result):
    """One overall gear ratio seen in the drive, as engine speed over road speed."""

    number: int = Field(description="counted from the shortest ratio seen; a gear never used is not counted")
    rpm_per_kmh: Quantity
    usage: Quantity = Field(description="share of the time in a recognised gear, in %")


class DrivingSummary(Result):
    """The drive in numbers; what the signals cannot tell is absent with its reason."""

    duration_s: Quantity
    engine_running_s: Quantity
    distance_km: Quantity
    odometer_km: Quantity = Field(description="distance by the car's own odometer, where it was recorded")
    idle_s: Quantity
    idle_share: Quantity = Field(description="idle time over engine running time, 0 to 1")
    moving_s: Quantity
    stopped_s: Quantity
    stops: Quantity
    max_speed_kmh: Quantity
    mean_speed_kmh: Quantity
    mean_moving_speed_kmh: Quantity
    max_rpm: Quantity
    harsh_accelerations: Quantity
    harsh_brakings: Quantity
    max_acceleration_ms2: Quantity
    max_braking_ms2: Quantity
    overrun_share: Quantity = Field(description="overrun time over moving time, 0 to 1")
    warm_up_s: Quantity
    engine_starts: Quantity
    gears: list[Gear]
    gears_reason: str | None = Field(default=None, description="why no gear ratios could be told")


class SpeedRun(Result):
    """One acceleration from `from_kmh` to `to_kmh`."""

    from_kmh: float
    to_kmh: float
    duration_s: Quantity
    start_s: float
    end_s: float


class Performance(Result):
    """Measured accelerations; absent with a reason where the drive holds none."""

    zero_to_100_s: Quantity
    eighty_to_120_s: Quantity
    peak_acceleration_ms2: Quantity
    peak_power_kw: Quantity
    pulls: list[SpeedRun]
