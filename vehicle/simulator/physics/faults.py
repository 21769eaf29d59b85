"""What each fault does to the physics: numbers the model multiplies with, never signals painted over."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effects:
    """The car's weak points; the defaults are a healthy car."""

    leak_area: float = 0.0  # g/s per unit of the orifice flow function (0.685 when choked)
    maf_loss: float = 0.0  # share of the air flow the sensor misses at idle
    maf_loss_at_flow: float = 0.0  # further share missed at 60 g/s
    thermostat_least: float = 0.0  # smallest opening
    radiator: float = 1.0  # share of the heat rejection left
    fan_works: bool = True
    alternator: float = 1.0  # share of the output current left
    misfires: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)  # share of each cylinder's firings
    catalyst: float = 1.0  # share of the oxygen storage left
    rail_pressure: float = 1.0  # share of the fuel pressure left
    rail_droop: float = 0.0  # further share lost at 5 g/s of fuel
    o2_lag_s: float = 0.07  # time constant of the front oxygen sensor
    coolant_stuck: bool = False  # the sensor keeps the value it had when the fault came


HEALTHY = Effects()


def _misfire(severity: float) -> Effects:
    # one coil failing; a bad one takes its neighbour on the same driver along
    neighbour = 0.04 * max(0.0, severity - 0.7) / 0.3
    return Effects(misfires=(0.20 * severity, 0.0, 0.0, neighbour))


_KINDS: Mapping[str, Callable[[float], Effects]] = {
    "vacuum_leak": lambda severity: Effects(leak_area=1.15 * severity),
    "maf_under_reading": lambda severity: Effects(maf_loss=0.17 * severity, maf_loss_at_flow=0.10 * severity),
    "thermostat_stuck_open": lambda severity: Effects(thermostat_least=0.75 * severity),
    "overheating": lambda severity: Effects(radiator=1.0 - 0.88 * severity, fan_works=severity < 0.3),
    "weak_alternator": lambda severity: Effects(alternator=1.0 - severity),
    "misfire": _misfire,
    "worn_catalyst": lambda severity: Effects(catalyst=0.003**severity),
    "fuel_pressure_low": lambda severity: Effects(
        rail_pressure=1.0 - 0.38 * severity, rail_droop=0.2 * severity
    ),
    "coolant_sensor_stuck": lambda severity: Effects(coolant_stuck=severity > 0.0),
    "o2_lazy": lambda severity: Effects(o2_lag_s=0.07 + 1.1 * severity),
}


def effects_of(fault: str, severity: float) -> Effects:
    """Return what a fault of severity 0 to 1 does; the empty name is a healthy car."""
    return _KINDS[fault](severity) if fault else HEALTHY
