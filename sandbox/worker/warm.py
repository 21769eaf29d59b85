"""Does in a waiting child what most code does first, so that the pages it writes to are copied before the code comes.

A fork shares its memory with the zygote until it writes, and Python writes to every object it looks at. Nothing
done here leaves a trace that code could see.
"""

import contextlib
import io
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

from sandbox.worker import namespace, notices, tables, values
from sandbox.worker.align import Axis, table


def steps() -> Generator[None, None, None]:
    """Do a little more at every step; whoever waits for the process may stop in between."""
    import numpy as np

    times = np.arange(64, dtype=np.int64) * 1_000_000
    axis = Axis(times, np.arange(128.0).reshape(2, 64), ["rpm", "speed"])
    namespace.fill({}, [], {"sessions": []})
    yield
    frame: Any = table([axis], ["rpm", "speed"], 0, {"units": {}}, "union", 1.0)
    for do in (_columns, _groups, _times, _numbers, _report):
        yield
        with notices.Notices():
            do(frame)
    yield from _drawing(frame)


def _columns(frame: Any) -> None:
    frame["band"] = (frame["speed"] // 20).astype(int)
    frame.loc[frame["rpm"] > 10, "speed"] *= 1.0
    frame[frame["speed"].between(1, 5) & frame["rpm"].notna()].copy().sort_values("rpm").iloc[:3].mean()


def _groups(frame: Any) -> None:
    frame.groupby("band")["rpm"].agg(["mean", "max"]).round(1)
    frame.groupby(frame["band"] > 1).size().to_dict()


def _times(frame: Any) -> None:
    frame.resample("10s").mean().interpolate()
    frame.index.to_series().diff().dt.total_seconds().max()
    frame.rolling(5).mean()


def _numbers(frame: Any) -> None:
    frame.describe().to_string()
    frame.corr()


def _report(frame: Any) -> None:
    values.describe({"a": 1.0, "b": [1, 2.5, "c"]})
    tables.describe(frame, 1000, keep=False)
    path = Path(".warm")
    frame.to_csv(path)
    path.unlink()
    f"{frame}"


def _drawing(frame: Any) -> Iterator[None]:
    import matplotlib.pyplot as plt

    yield
    figure, axes = plt.subplots(figsize=(2, 2))
    try:
        yield
        axes.plot(frame.index, frame["speed"], label="speed")
        axes.set_title("speed")
        yield
        figure.savefig(io.BytesIO(), format="png")
    finally:
        plt.close(figure)  # also when a job comes in between: the figure would be taken for the job's


def until(ready: Callable[[], bool]) -> None:
    """Warm up until there is nothing left to do or `ready` says that a job has come."""
    with contextlib.closing(steps()) as doing:
        for _ in doing:
            if ready():
                return
