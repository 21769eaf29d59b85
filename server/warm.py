"""Imports the heavy libraries in the background after start, so that the first heavy call does not wait."""

from contextlib import suppress
from importlib import import_module
from threading import Thread

HEAVY = ("storage.store", "pandas", "scipy.stats", "matplotlib.figure", "matplotlib.backends.backend_agg")


def warm_up() -> Thread:
    """Start a daemon thread that imports what the tools will need; return it at once."""
    thread = Thread(target=_import_all, name="warm-up", daemon=True)
    thread.start()
    return thread


def _import_all() -> None:
    for name in HEAVY:
        # A library that cannot be imported will say so in the call that needs it.
        with suppress(ImportError):
            import_module(name)
