"""Drives recorded without a clock: what a logger would have read, as numpy arrays, many times faster than real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vehicle.errors import BadAddressError
from vehicle.simulator.ecus.encode import SCALARS
from vehicle.simulator.model import STEP_S, Model
from vehicle.simulator.options import SimulatorOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

UNITS = {scalar.signal: scalar.unit for scalar in SCALARS}


def drive(
    duration_s: float,
    hz: float = 10.0,
    *,
    seed: int = 1,
    fault: str = "",
    severity: float = 1.0,
    fault_at: float = 0.0,
    cycle: str = "mixed",
    options: SimulatorOptions | None = None,
    truth: Sequence[str] = (),
) -> dict[str, tuple[Floats, Floats]]:
    """Return the quantised signals of a drive as `{signal: (times_s, values)}`, `hz` (at most 10) per second.

    Units are in `UNITS`. `options` replaces the other arguments where more than they say is wanted. `truth` names
    fields of `State` (such as gear or fuel_used_l) to be added as `true_NAME`, not quantised.
    """
    import numpy as np

    if not 0.0 < hz <= 1.0 / STEP_S:
        raise BadAddressError(
            f"hz={hz} is outside 0 to {1.0 / STEP_S:g}.", "The model steps ten times a second."
        )
    chosen = options or SimulatorOptions(
        seed=seed, fault=fault, severity=severity, fault_at=fault_at, cycle=cycle
    )
    times, rows = _run(Model(chosen), duration_s, hz, truth)
    grid = np.array(times)
    table = np.array(rows, dtype=np.float64).reshape(len(times), len(SCALARS) + len(truth))
    recorded = {
        scalar.signal: (grid, np.round(table[:, column] * scalar.scale + scalar.offset, 9))
        for column, scalar in enumerate(SCALARS)
    }
    for column, name in enumerate(truth, start=len(SCALARS)):
        recorded[f"true_{name}"] = (grid, table[:, column])
    return recorded


def _run(
    model: Model, duration_s: float, hz: float, truth: Sequence[str]
) -> tuple[list[float], list[list[float]]]:
    """Drive, and return the times of reading with a row of raw signal values and true ones for each."""
    times: list[float] = []
    rows: list[list[float]] = []
    due = 1.0 / hz
    for _ in range(round(duration_s / STEP_S)):
        model.step()
        s, m = model.state, model.memory
        if s.time_s >= due - 1e-9:
            due += 1.0 / hz
            times.append(s.time_s)
            rows.append([scalar.raw(s, m) for scalar in SCALARS] + [getattr(s, name) for name in truth])
    return times, rows
