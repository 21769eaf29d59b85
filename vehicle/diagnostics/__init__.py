"""What a car says about its own health: readiness, codes, freeze frames, on-board tests, identity; per ECU."""

from vehicle.diagnostics.freeze_frames import read_freeze_frames
from vehicle.diagnostics.models import (
    Absence,
    ClearReport,
    CodesReport,
    EcuCodes,
    EcuInfo,
    FreezeFrame,
    FreezeFrameReport,
    FrozenValue,
    Monitor,
    MonitorTest,
    MonitorTestReport,
    Readiness,
    ReadinessReport,
    UseRatio,
    VehicleInfoReport,
)
from vehicle.diagnostics.monitor_tests import read_monitor_tests
from vehicle.diagnostics.readiness import read_readiness
from vehicle.diagnostics.trouble_codes import clear_trouble_codes, read_trouble_codes
from vehicle.diagnostics.vehicle_info import read_vehicle_info

__all__ = [
    "Absence", "ClearReport", "CodesReport", "EcuCodes", "EcuInfo", "FreezeFrame", "FreezeFrameReport",
    "FrozenValue", "Monitor", "MonitorTest", "MonitorTestReport", "Readiness", "ReadinessReport", "UseRatio",
    "VehicleInfoReport", "clear_trouble_codes", "read_freeze_frames", "read_monitor_tests", "read_readiness",
    "read_trouble_codes", "read_vehicle_info",
]
