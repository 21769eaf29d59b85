"""The names the agent's code finds ready."""

import builtins
from typing import Any

from sandbox.worker.sessions import Sessions

_SESSIONS = Sessions()


def fill(names: dict[str, Any], fds: list[int], job: dict[str, Any]) -> None:
    """Put libraries, sessions and facts into `names`; what the user's code defined itself stays."""
    import matplotlib.pyplot as plt
    import numpy as np
    import pandas as pd
    from scipy import signal, stats

    info: Any = job.get("info") or {}
    facts = info.get("sessions") or {}
    for name, fd in zip(job["sessions"], fds, strict=True):
        _SESSIONS.add(name, fd, facts.get(name) or {})
    ready = {
        "pd": pd,
        "np": np,
        "plt": plt,
        "stats": stats,
        "signal": signal,
        "load_session": _SESSIONS.load,
        "load_obd2_session": _SESSIONS.load,
        "sessions": _SESSIONS.listed(),
        "vehicle": info.get("vehicle") or {},
        "info": info,
        "display": _display,
        "__builtins__": builtins,
    }
    fresh = "__builtins__" not in names
    for name, value in ready.items():
        if fresh or name in ("sessions", "vehicle", "info"):
            names[name] = value


def _display(*things: object, **_: object) -> None:
    """Print things as a notebook would show them; figures are saved at the end anyway."""
    import pandas as pd

    for thing in things:
        print(thing.to_string(max_rows=20) if isinstance(thing, (pd.DataFrame, pd.Series)) else thing)  # noqa: T201
