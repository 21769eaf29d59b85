"""Small changes to libraries so that ordinary code works where there are no threads, no owner and no screen."""

import concurrent.futures
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def apply() -> None:
    """Fit this process's libraries; once per process."""
    executors: Any = concurrent.futures
    executors.ThreadPoolExecutor = executors.ProcessPoolExecutor = SerialExecutor
    for name in ("copymode", "copystat"):
        setattr(shutil, name, _without_permission(getattr(shutil, name)))
    tempfile.tempdir = str(Path.cwd())
    _new_random_numbers()
    _no_screen()


class SerialExecutor(concurrent.futures.Executor):
    """Does the work at once in the only thread there is, with the interface of a pool."""

    def __init__(self, max_workers: int | None = None, *_: object, **__: object) -> None:
        self._max_workers = max_workers

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> "concurrent.futures.Future[Any]":
        """Run `fn` now and return its finished future."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # belongs to whoever asks the future
            future.set_exception(error)
        return future


def _without_permission(copy: Callable[..., None]) -> Callable[..., None]:
    """Return a version of `copy` that leaves mode and times alone where the kernel will not have them set."""

    def tolerant(*arguments: Any, **options: Any) -> None:
        try:
            copy(*arguments, **options)
        except PermissionError:
            return

    return tolerant


def _new_random_numbers() -> None:
    """Forks share the random state of their parent; give this one its own."""
    import numpy as np

    random.seed()
    np.random.seed()


def _no_screen() -> None:
    """Make `plt.show()` and the choice of a window do nothing: open figures are saved at the end of the run."""
    import matplotlib
    import matplotlib.pyplot as plt

    pyplot: Any = plt
    library: Any = matplotlib
    pyplot.show = library.use = pyplot.switch_backend = lambda *_, **__: None
