"""`obd-agent doctor`: look whether all is here that the work needs."""

import sys
from importlib.util import find_spec
from typing import NamedTuple

from storage.errors import StorageError
from tools.context import Workshop

EXTRAS = {
    "obd": ("obd", "python-OBD as a second link"),
    "can": ("can", "CAN interfaces"),
    "ble": ("bleak", "Bluetooth LE adapters"),
    "mdf": ("asammdf", "MF4 logs"),
    "postgres": ("psycopg", "PostgreSQL"),
    "parquet": ("pyarrow", "Parquet export"),
}


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    hint: str = ""


def examine(workshop: Workshop) -> list[Check]:
    """Look at Python, the home folder, the database, adapters and optional extras."""
    return [_python(), _storage(workshop), _sandbox(workshop), *(_extra(*item) for item in EXTRAS.items())]


def _python() -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    return Check(
        "python", sys.version_info >= (3, 11), found, "" if sys.version_info >= (3, 11) else "3.11 is needed"
    )


def _storage(workshop: Workshop) -> Check:
    try:
        workshop.store.sessions.list(limit=1)
    except (StorageError, OSError) as error:
        return Check("storage", False, str(error), getattr(error, "hint", "") or "Check OBD_AGENT_HOME.")
    return Check("storage", True, f"files in {workshop.home}")


def _sandbox(workshop: Workshop) -> Check:
    """Start the sandbox and try to get out of it; without it everything but run_python works."""
    report = workshop.sandbox.start()
    if report.tier == "off":
        return Check("sandbox", True, f"off: {report.reason}", "run_python is refused here; all else works.")
    held = sum(probe.contained for probe in report.selftest)
    return Check(
        "sandbox", True, f"{report.tier}: {held} of {len(report.selftest)} attempts to get out were held"
    )


def _extra(extra: str, wanted: tuple[str, str]) -> Check:
    module, purpose = wanted
    if find_spec(module) is not None:
        return Check(extra, True, f"{purpose}: installed")
    return Check(extra, True, f"{purpose}: not installed", f"pip install 'obd-agent[{extra}]' if you want it")
