"""Sessions for tests: a short drive stored the way a capture stores it."""

from datetime import UTC, datetime

import numpy as np

from storage.records import Column
from storage.store import Store
from vehicle.simulator import UNITS, drive

START = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
DURATION_S = 120


def store_drive(store: Store, *, name: str = "Test drive", vehicle_id: str | None = None) -> str:
    """Store two minutes at 2 Hz, 60 s idle and 60 s at 72 km/h: 1.205 km by the trapezoid rule; return its id."""
    session = store.sessions.create(
        origin="capture", source="sim:petrol", name=name, started_at=START, vehicle_id=vehicle_id
    )
    times_us = np.arange(0, DURATION_S * 1_000_000 + 1, 500_000, dtype=np.int64)
    driving = times_us >= 60_000_000
    rpm = np.where(driving, 2200.0, 800.0) + 10 * np.sin(times_us / 3e6)
    speed = np.where(driving, 72.0, 0.0)
    coolant = 90.0 + np.zeros(times_us.size)
    columns = [
        Column("rpm", "rpm", "7E8", times_us, rpm),
        Column("speed", "km/h", "7E8", times_us, speed),
        Column("coolant_temp", "°C", "7E8", times_us[::2], coolant[::2]),
        Column("rpm", "rpm", "7E9", times_us[::4], rpm[::4] + 1),
    ]
    store.samples.append(session.id, columns)
    store.sessions.finish(session.id)
    return session.id


def store_simulated(
    store: Store, *, fault: str = "", vehicle_id: str | None = None, seed: int = 1, duration_s: float = 1200
) -> str:
    """Store mixed driving of the simulated car at 2 Hz, twenty minutes if not said; return the session's id."""
    session = store.sessions.create(
        origin="capture", source=f"sim:petrol?fault={fault}", started_at=START, vehicle_id=vehicle_id
    )
    readings = drive(duration_s, 2.0, seed=seed, fault=fault)
    columns = [
        Column(name, UNITS[name], "7E8", (times_s * 1e6).astype(np.int64), values)
        for name, (times_s, values) in readings.items()
    ]
    store.samples.append(session.id, columns)
    store.sessions.finish(session.id)
    return session.id
