"""Durable intake, reload and size of stored readings, against ORM rows and raw sqlite3 rows.

Run: .venv/bin/python bench/storage.py
"""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from sqlalchemy import BigInteger, Double, Engine, create_engine, event
from sqlmodel import Field, Session, SQLModel, select

sys.path.insert(0, str(Path(__file__).parents[1]))

from storage.records import Column
from storage.store import open_store

HOURS, RATE_HZ, GROUPS, PER_GROUP = 1, 10, 4, 5
SIGNALS = GROUPS * PER_GROUP
GRID_US = np.arange(0, HOURS * 3_600_000_000, 1_000_000 // RATE_HZ)
STEPS = (0.25, 1.0, 100 / 255, 0.01, 1.0, 100 / 128, 0.005, 1.0, 0.1, 1.0)
Batch = list[Column]


class Reading(SQLModel, table=True):
    """One reading as an ORM row, as it is usually done."""

    id: int | None = Field(default=None, primary_key=True)
    session: int = Field(index=True)
    signal: int
    t_us: int = Field(sa_type=BigInteger)
    value: float = Field(sa_type=Double)


def drive(seed: int = 7) -> list[Batch]:
    """Return an hour of 20 quantised signals in 4 requests of 5, with microsecond jitter, as 1-s batches."""
    random = np.random.default_rng(seed)
    columns = []
    for group in range(GROUPS):
        times = GRID_US + group * 20_000 + random.normal(0, 1_500, GRID_US.size).astype(np.int64)
        for one in range(PER_GROUP):
            number = group * PER_GROUP + one
            walk = np.cumsum(random.normal(0, 1.0, GRID_US.size))
            step = STEPS[number % len(STEPS)]
            values = np.round((50 + walk / 4) / step) * step
            columns.append(Column(f"signal_{number:02d}", "unit", "7E8", times, values))
    slices = [slice(start, start + RATE_HZ) for start in range(0, GRID_US.size, RATE_HZ)]
    batches = []
    for part in slices:
        shared = {id(column.times_us): column.times_us[part] for column in columns}
        batches.append(
            [
                column._replace(times_us=shared[id(column.times_us)], values=column.values[part])
                for column in columns
            ]
        )
    return batches


def rows(batch: Batch) -> list[tuple[int, int, int, float]]:
    """Return a batch as one tuple per reading: session, signal, time, value."""
    return [
        (1, signal, t_us, value)
        for signal, column in enumerate(batch)
        for t_us, value in zip(column.times_us.tolist(), column.values.tolist(), strict=True)
    ]


def wide(series: dict[int, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Return one column per signal on the common grid, the last value held."""
    held = {}
    for signal, (times, values) in series.items():
        index = np.searchsorted(times, GRID_US, "right") - 1
        held[signal] = np.where(index >= 0, values[index], np.nan)
    return pd.DataFrame(held, index=GRID_US)


def by_signal(
    labels: np.ndarray, times: np.ndarray, values: np.ndarray
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Split a long table into one series per signal."""
    order = np.argsort(labels, kind="stable")
    names, starts = np.unique(labels[order], return_index=True)
    return dict(
        zip(
            names.tolist(),
            zip(np.split(times[order], starts[1:]), np.split(values[order], starts[1:]), strict=True),
            strict=True,
        )
    )


def timed(action: Callable[[], pd.DataFrame], repeats: int) -> tuple[float, pd.DataFrame]:
    """Return the best wall time of several runs, and the frame that the last one made."""
    taken = []
    for _ in range(repeats):
        frame = None
        start = time.perf_counter()
        frame = action()
        taken.append(time.perf_counter() - start)
    return min(taken), frame


def orm_engine(path: Path) -> Engine:
    """Return an engine with the same durability as ours."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    SQLModel.metadata.create_all(engine)
    return engine


def orm_append(engine: Engine, batch: Batch) -> None:
    """Store one batch as ORM rows in one commit."""
    with Session(engine) as session:
        session.add_all(
            [
                Reading(session=s, signal=signal, t_us=t_us, value=value)
                for s, signal, t_us, value in rows(batch)
            ]
        )
        session.commit()


def raw_connection(path: Path) -> sqlite3.Connection:
    """Return a connection with the same durability as ours and a clustered row table."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE reading (session INTEGER, signal INTEGER, t_us INTEGER, value REAL,"
        " PRIMARY KEY (session, signal, t_us)) WITHOUT ROWID"
    )
    return connection


def raw_append(connection: sqlite3.Connection, batch: Batch) -> None:
    """Store one batch as rows in one commit."""
    with connection:
        connection.executemany("INSERT INTO reading VALUES (?, ?, ?, ?)", rows(batch))


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder on a real disk: /var/tmp where there is one, since /tmp is often memory."""
    disk = Path("/var/tmp")
    with tempfile.TemporaryDirectory(prefix="bench-storage-", dir=disk if disk.is_dir() else None) as name:
        yield Path(name)


def intake(home: Path, batches: list[Batch]) -> dict[str, float]:
    """Return the median seconds of one durable 200-reading append, in turns of 100 appends."""
    engine, connection = orm_engine(home / "orm_intake.db"), raw_connection(home / "raw_intake.db")
    taken: dict[str, list[float]] = {"ours": [], "orm": [], "raw": []}
    with open_store(str(home / "ours_intake.db")) as store:
        session = store.sessions.create(origin="capture")
        actions: dict[str, Callable[[Batch], object]] = {
            "ours": lambda batch: store.samples.append(session.id, batch),
            "orm": lambda batch: orm_append(engine, batch),
            "raw": lambda batch: raw_append(connection, batch),
        }
        for turn in range(0, len(batches), 100):
            for name, action in actions.items():
                for batch in batches[turn : turn + 100]:
                    start = time.perf_counter()
                    action(batch)
                    taken[name].append(time.perf_counter() - start)
    engine.dispose()
    connection.close()
    return {name: median(times) for name, times in taken.items()}


def fill(home: Path, batches: list[Batch]) -> str:
    """Store the whole hour in each of the three ways; return the id of our session."""
    whole = [reading for batch in batches for reading in rows(batch)]
    engine = orm_engine(home / "orm.db")
    with engine.begin() as connection:
        table = SQLModel.metadata.tables["reading"]
        named = [dict(zip(("session", "signal", "t_us", "value"), row, strict=True)) for row in whole]
        connection.execute(table.insert(), named)
    engine.dispose()
    raw = raw_connection(home / "raw.db")
    with raw:
        raw.executemany("INSERT INTO reading VALUES (?, ?, ?, ?)", whole)
    raw.close()
    with open_store(str(home / "ours.db")) as store:
        session = store.sessions.create(origin="capture")
        for batch in batches:
            store.samples.append(session.id, batch)
        start = time.perf_counter()
        store.sessions.finish(session.id)
        print(f"(compaction of the hour: {time.perf_counter() - start:.2f} s)\n")
    return session.id


def reload_ours(home: Path, session_id: str) -> pd.DataFrame:
    """Read our session into a wide frame."""
    with open_store(str(home / "ours.db")) as store:
        return wide(
            {
                int(series.signal.removeprefix("signal_")): (series.times_us, series.values)
                for series in store.samples.read(session_id)
            }
        )


def reload_orm(home: Path) -> pd.DataFrame:
    """Read ORM rows into a wide frame."""
    engine = create_engine(f"sqlite:///{home / 'orm.db'}")
    with Session(engine) as session:
        found = session.exec(select(Reading).where(Reading.session == 1).order_by(Reading.t_us)).all()
        labels = np.array([row.signal for row in found])
        times = np.array([row.t_us for row in found])
        frame = wide(by_signal(labels, times, np.array([row.value for row in found])))
    engine.dispose()
    return frame


def reload_raw(home: Path) -> pd.DataFrame:
    """Read raw rows, clustered by signal and time, into a wide frame."""
    connection = sqlite3.connect(home / "raw.db")
    found = connection.execute("SELECT signal, t_us, value FROM reading WHERE session = 1").fetchall()
    connection.close()
    labels, times, values = zip(*found, strict=True)
    return wide(by_signal(np.array(labels), np.array(times), np.array(values)))


def stored_bytes(path: Path) -> int:
    """Return the size of a database without free pages."""
    connection = sqlite3.connect(path)
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.stat().st_size


def row(name: str, figures: dict[str, float], scale: float, unit: str, goals: tuple[str, str]) -> str:
    """Return one table line: figures, and how many times better ours is."""
    cells = [f"{figures[who] * scale:,.2f} {unit}" for who in ("ours", "orm", "raw")]
    ratios = [f"{figures[who] / figures['ours']:.1f}x" for who in ("orm", "raw")]
    return f"| {name} | " + " | ".join([*cells, *ratios, *goals]) + " |"


def main() -> None:
    """Print the table."""
    batches = drive()
    readings = SIGNALS * GRID_US.size
    with folder() as home:
        appended = intake(home, batches[:600])
        session_id = fill(home, batches)
        loaded, frames = {}, []
        for who, action, repeats in (
            ("ours", lambda: reload_ours(home, session_id), 10),
            ("raw", lambda: reload_raw(home), 3),
            ("orm", lambda: reload_orm(home), 1),
        ):
            loaded[who], frame = timed(action, repeats)
            frames.append(frame)
        assert all(frame.equals(frames[0]) for frame in frames), "the three must hold the same"
        size = {who: stored_bytes(home / f"{who}.db") / readings for who in ("ours", "orm", "raw")}
    print(f"{readings:,} readings: {SIGNALS} signals, {RATE_HZ} Hz, {HOURS} h\n")
    print("| | ours | SQLModel ORM rows | raw sqlite3 rows | vs ORM | vs raw | goal vs ORM | goal vs raw |")
    print("|---|---|---|---|---|---|---|---|")
    print(row("durable append of 200 readings (median)", appended, 1e3, "ms", (">= 10x", ">= 1.5x")))
    print(row("reload the hour to a DataFrame (best)", loaded, 1e3, "ms", (">= 200x", ">= 25x")))
    print(row("bytes per reading on disk", size, 1, "B", ("<= 3 B", "")))


if __name__ == "__main__":
    main()
