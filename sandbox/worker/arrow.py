"""Starts the few threads pyarrow cannot do without, before the filter that forbids every further one."""

import io
import sys
from typing import Any


def start_threads() -> None:
    """Make pyarrow start its two pools, one thread each; nothing happens where pyarrow is not loaded."""
    arrow: Any = sys.modules.get("pyarrow")
    csv: Any = sys.modules.get("pyarrow.csv")
    if arrow is None or csv is None:
        return
    arrow.set_cpu_count(1)
    arrow.set_io_thread_count(1)
    csv.read_csv(io.BytesIO(b"a,b\n1,2\n"))
