"""Every analysis from the store to its answer, beside such work in plain pandas over ORM rows; and its growth."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import pandas as pd
from scipy import stats
from sqlmodel import Field, Session, SQLModel, create_engine, select

from storage.records import Column
from tools.analysis import analyze_session
from tools.anomalies import detect_anomalies
from tools.comparing import compare_sessions
from tools.context import ToolContext, Workshop
from tools.fuel import analyze_fuel
from tools.health import health_report
from vehicle.simulator import UNITS, drive

HZ = 10.0
MINUTES = (10, 20, 40)
SIGNALS = 20
ROUNDS = 3


class Reading(SQLModel, table=True):
    """One reading as an ORM row, as an application without a plan would keep it."""

    id: int | None = Field(default=None, primary_key=True)
    session_id: str = Field(index=True)
    signal: str
    time_s: float
    value: float


def best(work: Callable[[], Any]) -> float:
    """Return the seconds of the fastest of some runs, the first of which warms up."""
    work()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def keep(context: ToolContext, minutes: int, seed: int) -> tuple[str, dict[str, Any]]:
    """Store a simulated drive; return its id and its readings."""
    whole = drive(60 * minutes, HZ, seed=seed)
    readings = {name: whole[name] for name in [*list(whole)[:SIGNALS], "fuel_type"] if name in whole}
    session = context.store.sessions.create(origin="import", source="bench")
    for name, (times_s, values) in readings.items():
        column = Column(name, UNITS[name], "7E8", (times_s * 1e6).astype(np.int64), values)
        context.store.samples.append(session.id, [column])
    context.store.sessions.finish(session.id)
    return session.id, readings


def keep_rows(engine: Any, session_id: str, readings: dict[str, Any]) -> None:
    """Store the same readings as rows; written in bulk, since only reading is measured."""
    rows = [
        {"session_id": session_id, "signal": name, "time_s": time_s, "value": value}
        for name, (times_s, values) in readings.items()
        for time_s, value in zip(times_s.tolist(), values.tolist(), strict=True)
    ]
    with engine.begin() as connection:
        connection.execute(Reading.__table__.insert(), rows)  # type: ignore[attr-defined]


def frame(engine: Any, session_id: str) -> pd.DataFrame:
    """Load a session through the ORM into a wide frame."""
    with Session(engine) as session:
        rows = session.exec(select(Reading).where(Reading.session_id == session_id)).all()
    long = pd.DataFrame(
        [(row.signal, row.time_s, row.value) for row in rows], columns=["signal", "t", "value"]
    )
    return long.pivot_table(index="t", columns="signal", values="value").ffill()


def plain(engine: Any, first: str, second: str) -> dict[str, Callable[[], Any]]:
    """Return the textbook form of each analysis."""

    def analyze() -> Any:
        wide = frame(engine, first)
        return wide.describe(), wide.corr(), np.trapezoid(wide["speed"] / 3600, wide.index)

    def anomalies() -> Any:
        wide = frame(engine, first)
        return ((wide - wide.rolling(600).mean()) / wide.rolling(600).std()).abs() > 3

    def compare() -> Any:
        one, other = frame(engine, first), frame(engine, second)
        return [stats.mannwhitneyu(one[name], other[name]) for name in one if name in other]

    def fuel() -> Any:
        wide = frame(engine, first)
        return np.trapezoid(wide["maf"] / 14.7 / 745, wide.index)

    def health() -> Any:
        wide = frame(engine, first)
        return wide.describe(), wide.groupby(wide["speed"] > 0).agg(["mean", "std"])

    return {
        "analyze_session": analyze,
        "detect_anomalies": anomalies,
        "compare_sessions": compare,
        "analyze_fuel": fuel,
        "health_report": health,
    }


def ours(context: ToolContext, first: str, second: str) -> dict[str, Callable[[], Any]]:
    """Return each analysis as a tool call."""
    return {
        "analyze_session": lambda: analyze_session(context, first),
        "detect_anomalies": lambda: detect_anomalies(context, first),
        "compare_sessions": lambda: compare_sessions(context, [first, second]),
        "analyze_fuel": lambda: analyze_fuel(context, first, fuel_type="gasoline"),
        "health_report": lambda: health_report(context, first),
    }


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder), f"sqlite:///{folder}/ours.db")
        context = ToolContext(workshop)
        engine = create_engine(f"sqlite:///{folder}/rows.db")
        SQLModel.metadata.create_all(engine, tables=[Reading.__table__])  # type: ignore[attr-defined]
        kept = {minutes: [keep(context, minutes, seed) for seed in (1, 2)] for minutes in MINUTES}
        (first, readings), (second, others) = kept[MINUTES[0]]
        keep_rows(engine, first, readings)
        keep_rows(engine, second, others)
        textbook = plain(engine, first, second)
        times = {
            minutes: {name: best(call) for name, call in ours(context, pair[0][0], pair[1][0]).items()}
            for minutes, pair in kept.items()
        }
        count = sum(len(values) for _, values in readings.values())
        print(
            f"{count:,} readings in {MINUTES[0]} min, {len(readings)} signals; health_report draws its plot\n"
        )
        print(
            "| tool, store to answer | ours | pandas over ORM rows | ratio | "
            + " | ".join(f"{minutes} min / {MINUTES[0]} min" for minutes in MINUTES[1:])
            + " |"
        )
        print("|---|---|---|---|" + "---|" * len(MINUTES[1:]))
        for name, work in textbook.items():
            began = time.perf_counter()
            work()
            rows_s, mine_s = time.perf_counter() - began, times[MINUTES[0]][name]
            growth = " | ".join(f"{times[minutes][name] / mine_s:.1f}" for minutes in MINUTES[1:])
            print(
                f"| {name} | {1000 * mine_s:.0f} ms | {1000 * rows_s:.0f} ms | {rows_s / mine_s:.0f}x | {growth} |"
            )
        print(f"\nlinear growth would be {' and '.join(f'{m / MINUTES[0]:g}' for m in MINUTES[1:])}")
        workshop.close()


if __name__ == "__main__":
    main()
