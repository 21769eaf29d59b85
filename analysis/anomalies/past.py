"""What a window of a live session has to know of the time before it."""

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.anomalies.warm_up import cold_starts, work_since_start
from analysis.engine import Past

_LEVELS = ("intake_pressure", "engine_load")


def past_at(conditions: Conditions, moment: int) -> Past:
    """Return how the engine stands just before a moment of a window, and the levels it was seen at."""
    engine, before = conditions.engine, max(0, moment - 1)
    tells_work = conditions.timeline.has("coolant_temp", "rpm")
    return Past(
        running_s=float(engine.running_s[before]),
        warm=bool(engine.warm[before]),
        work=float(work_since_start(conditions)[before]) if tells_work else 0.0,
        cold_start_c=float(cold_starts(conditions)[before]) if tells_work else float("nan"),
        idle_rpm=engine.idle_rpm,
        pedal_range=_told(engine.pedal_range),
        idle_levels={name: engine.idle_level(name) for name in _LEVELS},
    )


def _told(pedal_range: tuple[float, float]) -> tuple[float, float]:
    """Return a pedal's range once it was seen to move; before, it is still to be learned."""
    low, high = pedal_range
    return (low, high) if high - low >= 5.0 else (float(np.nan), float(np.nan))
