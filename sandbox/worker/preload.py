"""Imports the scientific stack before the first run, so that a fork has it for nothing."""

import importlib
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

# One thread: a process that forks must have one, and a child may not start any.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "JOBLIB_MULTIPROCESSING": "0",
    "LOKY_MAX_CPU_COUNT": "1",
    "MPLBACKEND": "Agg",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "PATH": "",
}
_NEEDED = (
    "numpy",
    "pandas",
    "matplotlib.pyplot",
    "scipy.stats",
    "scipy.signal",
    "scipy.optimize",
    "scipy.interpolate",
    "scipy.integrate",
    "scipy.fft",
    "scipy.ndimage",
    "scipy.cluster.hierarchy",
    "scipy.spatial",
    "sqlite3",
    "zoneinfo",
    "dataclasses",
    "difflib",
    "PIL.Image",
)
_WELCOME = ("pyarrow", "pyarrow.parquet", "pyarrow.csv")  # part of the first run when installed
_EXTRAS = (
    "seaborn",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.cluster",
    "sklearn.preprocessing",
    "sklearn.decomposition",
    "sklearn.model_selection",
    "sklearn.pipeline",
    "statsmodels.api",
    "statsmodels.formula.api",
    "plotly.express",
    "plotly.graph_objects",
)


def set_environment() -> None:
    """Set the variables the libraries read when they are imported, and no other."""
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    time.tzset()


def load(scratch: Path) -> dict[str, str]:
    """Import what every run may use and return the versions; raise ImportError when a needed one is missing."""
    os.environ.update(HOME=str(scratch), TMPDIR=str(scratch), MPLCONFIGDIR=str(scratch))
    for name in _NEEDED:
        importlib.import_module(name)
    for name in _WELCOME:
        _try(name)
    _warm_up()
    modules = [_try(name) for name in ("numpy", "pandas", "scipy", "matplotlib", "pyarrow")]
    return {module.__name__: str(module.__version__) for module in modules if module is not None}


def extras() -> Iterator[str]:
    """Import one more optional module at every step, and yield its name."""
    for name in _EXTRAS:
        _try(name)
        yield name


def _try(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _warm_up() -> None:
    """Do once what pandas and matplotlib do lazily the first time."""
    import matplotlib.pyplot as plt
    import pandas as pd

    index = pd.date_range("2026-01-01", periods=4, freq="s", tz="UTC", unit="us")
    frame = pd.DataFrame({"speed": [0.0, 1.0, 2.0, 3.0], "gear": ["a", "b", "a", "b"]}, index=index)
    frame.groupby("gear")["speed"].agg(["mean", "max"]).round(1).to_csv()
    frame[["speed"]].resample("2s").mean().describe().to_json()
    pd.read_csv(io.StringIO("a,b\n1,x\n"))
    figure, axes = plt.subplots()
    axes.plot(frame.index, frame["speed"], label="speed")
    axes.legend()
    frame["speed"].plot(ax=axes)
    for kind in ("png", "svg"):
        figure.savefig(io.BytesIO(), format=kind)
    plt.close(figure)
