"""Healthy drives to inject faults into: simulated ones, and the real recordings of one petrol car."""

from dataclasses import dataclass, field

import numpy as np

from analysis.table import SignalSeries, SignalTable
from vehicle.simulator import UNITS, SimulatorOptions, drive

SECONDS = 900.0
GRID_S = 0.5
SIGNALS = (
    "rpm", "speed", "coolant_temp", "engine_load", "maf", "intake_pressure", "intake_temp", "ambiant_air_temp",
    "throttle_pos", "accelerator_pos_d", "short_fuel_trim_1", "long_fuel_trim_1", "fuel_status",
    "control_module_voltage", "fuel_pressure", "o2_b1s1", "o2_b1s2", "timing_advance", "commanded_equiv_ratio",
    "barometric_pressure",
)  # fmt: skip
_CYCLES = ("mixed", "city", "highway")
_AMBIENTS = (20, -3, 29, 11, 5, 25)


@dataclass(frozen=True)
class Drive:
    """One drive: where its fault is (None: healthy), and which drives of its car a baseline may learn from."""

    name: str
    kind: str
    table: SignalTable
    fault: tuple[float, float] | None = None
    others: tuple[str, ...] = field(default=())

    @property
    def span_s(self) -> tuple[float, float]:
        return self.table.span_s

    def truth(self) -> np.ndarray:
        """Mark the moments of the benchmark's grid that the fault covers."""
        start, end = self.span_s
        grid = start + GRID_S * np.arange(max(1, round((end - start) / GRID_S)))
        if self.fault is None:
            return np.zeros(grid.size, bool)
        return (grid >= self.fault[0] - GRID_S) & (grid <= self.fault[1])


def simulated(seed: int, fault: str = "", severity: float = 1.0, fault_at: float = 0.0) -> Drive:
    """Drive the simulated car: three cycles, six temperatures, every fourth drive a warm start."""
    options = SimulatorOptions(
        seed=seed,
        cycle=_CYCLES[seed % 3],
        ambient=float(_AMBIENTS[seed % 6]),
        warm=seed % 4 == 3,
        fault=fault,
        severity=severity,
        fault_at=fault_at,
    )
    driven = drive(SECONDS, options=options)
    table = SignalTable({name: SignalSeries(name, UNITS[name], *driven[name]) for name in SIGNALS})
    return Drive(f"{fault or 'healthy'} {seed}", fault, table, (fault_at, SECONDS) if fault else None)


def real(car: str) -> list[Drive]:
    """Read the real drives of the petrol or the diesel car, each to be judged by its others; empty where absent."""
    import drives  # the readers of the tests
    from recordings import FOLDER

    folder, read, names = {
        "petrol": ("carobd_toyota_etios", drives.etios, (*drives.ETIOS_DRIVES, *drives.ETIOS_IDLES)),
        "diesel": ("kit_seat_leon_diesel", drives.leon, drives.LEON_DRIVES),
    }[car]
    if not (FOLDER / folder).exists():
        return []
    return [Drive(name, "", read(name), None, tuple(n for n in names if n != name)) for name in names]
