"""What each car is like when it is healthy, for judging its live sessions; learned once and kept."""

from __future__ import annotations

import logging
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from storage.errors import StorageError
from tools.context import ToolContext, Workshop
from tools.errors import ToolError

if TYPE_CHECKING:
    from analysis.results.anomalies import Baseline

log = logging.getLogger(__name__)

_MOST = 256
Key = tuple[str, ...]


class Baselines:
    """Baselines by the healthy sessions they were learned from; finished sessions do not change."""

    def __init__(self, workshop: Workshop) -> None:
        self._context = ToolContext(workshop, requester="live")
        self._lock = Lock()
        self._kept: OrderedDict[Key, Baseline | None] = OrderedDict()

    def of(self, session_id: str) -> Baseline | None:
        """Return the baseline that `detect_anomalies` would judge the session by; None where there is none.

        It may take seconds: the healthy sessions are read from storage.
        """
        from analysis.errors import AnalysisError
        from tools.anomalies import baseline_ids

        try:
            session = self._context.store.sessions.get(session_id)
            return self._of(tuple(baseline_ids(self._context, session)))
        except (AnalysisError, StorageError, ToolError) as error:
            log.warning("%s is judged by rules alone, for its baseline failed: %s", session_id, error)
            return None

    def _of(self, healthy: Key) -> Baseline | None:
        from tools.anomalies import learned

        with self._lock:
            if healthy not in self._kept:
                self._kept[healthy] = learned(self._context, list(healthy))
                if len(self._kept) > _MOST:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(healthy)
            return self._kept[healthy]
