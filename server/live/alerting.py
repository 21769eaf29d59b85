"""Runs the streaming checks on live sessions; stores and tells each alert once when it is raised and once cleared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from server.live.events import EventType
from server.live.hub import ALERTS, Hub
from storage.errors import NotFoundError
from tools.cleaning import CODE_RULES
from tools.context import Workshop
from vehicle.runs import Run

if TYPE_CHECKING:
    from analysis.streaming.changes import Change, Readings
    from analysis.streaming.monitor import Monitor
    from storage.alerts import Alert
    from vehicle.poller.batch import Gap

Key = tuple[str, str, str]
_EVENT_TYPES: dict[str, tuple[EventType, EventType]] = {
    "threshold": ("threshold", "threshold"),
    "data_loss": ("data_loss", "data_loss"),
    "anomaly": ("anomaly", "anomaly"),
    "dtc_count": ("dtc.count", "dtc.count"),
    "dtc": ("dtc.new", "dtc.cleared"),
}


class AlertRow(BaseModel):
    """An alert as doors show it; times in seconds since the session's start, open until `cleared_at`."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    session_id: str
    vehicle_id: str | None
    rule: str
    signal: str
    ecu: str | None
    severity: str
    title: str
    value: float | None
    unit: str
    expected: str
    explanation: str
    recommendation: str
    start_s: float
    end_s: float | None
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None

    @classmethod
    def of(cls, alert: Alert) -> AlertRow:
        """Make a row of a stored alert."""
        known = {name: getattr(alert, name) for name in cls.model_fields if hasattr(alert, name)}
        end_s = None if alert.end_us is None else alert.end_us / 1e6
        return cls(**known, start_s=alert.start_us / 1e6, end_s=end_s)


def _watched(runs: Sequence[Run], monitor: Monitor) -> list[Readings]:
    """Return what the checks look at; runs that share their times share one look at them."""
    from analysis.streaming.changes import readings_at

    together: dict[int, list[Run]] = {}
    for run in runs:
        if monitor.watches(run.signal):
            together.setdefault(id(run.times_us), []).append(run)
    found: list[Readings] = []
    for group in together.values():
        names = [(run.signal, run.unit, run.ecu) for run in group]
        found += readings_at(group[0].times_us / 1e6, names, [run.values for run in group])
    return found


class _Watch:
    """The checks of one session and its open alerts."""

    def __init__(self, monitor: Monitor, opened: dict[Key, str], *, replayed: bool) -> None:
        self.monitor = monitor
        self.replayed = replayed
        self.opened = opened
        self.kinds: dict[str, str] = {}
        self.end_us = 0


class Alerting:
    """All alerts of one process."""

    def __init__(self, workshop: Workshop, hub: Hub) -> None:
        self.raised: Counter[str] = Counter()
        self._workshop = workshop
        self._hub = hub
        self._watches: dict[str, _Watch] = {}
        self._lock = Lock()

    def check(
        self, session_id: str, runs: Sequence[Run], gaps: Sequence[Gap], start_us: int, end_us: int
    ) -> None:
        """Run the checks on a batch."""
        watch = self._watch(session_id)
        watched = _watched(runs, watch.monitor)
        told = [(gap.start_us / 1e6, gap.end_us / 1e6, gap.reason) for gap in gaps]
        watch.end_us = max(watch.end_us, end_us)
        for change in watch.monitor.feed(watched, start_us / 1e6, end_us / 1e6, told):
            self._apply(session_id, watch, change)

    def apply(self, session_id: str, change: Change) -> None:
        """Raise or clear what a check found that runs beside the batches."""
        self._apply(session_id, self._watch(session_id), change)

    def silent(self, session_id: str, silent_s: float) -> None:
        """Run the checks on a silence that still lasts."""
        watch = self._watch(session_id)
        for change in watch.monitor.silence(silent_s):
            self._apply(session_id, watch, change)

    def end(self, session_id: str) -> None:
        """Clear what is still open: the session is over."""
        with self._lock:
            watch = self._watches.pop(session_id, None)
        if watch is None:
            return
        for alert_id in watch.opened.values():
            # A deleted session took its alerts with it.
            with suppress(NotFoundError):
                cleared = self._workshop.store.alerts.clear(alert_id, watch.end_us)
                self.tell(cleared, watch.kinds.get(alert_id, "threshold"))

    def name_codes(self, session_id: str, ecus: Collection[str], at_us: int) -> None:
        """Clear the alerts that only count codes of these ECUs: they were read by name, as those alerts ask for."""
        with self._lock:
            watch = self._watches.get(session_id)
        for ecu in ecus:
            alert_id = None if watch is None else watch.opened.pop(("dtc_count", "dtc_count", ecu), None)
            if alert_id is not None:
                cleared = self._workshop.store.alerts.clear(alert_id, at_us)
                self.tell(cleared, "dtc_count", {"reason": "read by name"})

    def _watch(self, session_id: str) -> _Watch:
        from analysis.streaming.monitor import Monitor

        with self._lock:
            if session_id not in self._watches:
                rows = self._workshop.store.alerts.list(session_id=session_id, is_open=True).rows
                # Codes that were read by name are over when a reading says so, not when the session is.
                own = [row for row in rows if not row.rule.startswith(CODE_RULES)]
                opened = {(row.rule, row.signal, row.ecu or ""): row.id for row in own}
                session = self._workshop.store.sessions.get(session_id)
                self._watches[session_id] = _Watch(Monitor(), opened, replayed=session.origin == "replay")
            return self._watches[session_id]

    def _apply(self, session_id: str, watch: _Watch, change: Change) -> None:
        key = change.rule, change.signal, change.ecu
        at_us = round(change.at_s * 1e6)
        said = change.said
        if watch.replayed:
            said = said._replace(title=f"In a replay, not now: {said.title}")
        if change.is_raised and key not in watch.opened:
            alert = self._workshop.store.alerts.add(
                session_id,
                at_us,
                rule=change.rule,
                signal=change.signal,
                ecu=change.ecu or None,
                severity=change.severity,
                value=change.value,
                unit=change.unit,
                **said._asdict(),
            )
            watch.opened[key] = alert.id
            watch.kinds[alert.id] = change.kind
            self.raised[change.severity] += 1
            self.tell(alert, change.kind, change.detail)
        elif not change.is_raised and key in watch.opened:
            cleared = self._workshop.store.alerts.clear(watch.opened.pop(key), at_us)
            self.tell(cleared, change.kind, change.detail)

    def tell(self, alert: Alert, kind: str, detail: Mapping[str, object] | None = None) -> None:
        """Tell an alert that was raised or cleared to all who follow alerts, its session or its vehicle."""
        raised, cleared = _EVENT_TYPES[kind]
        is_open = alert.cleared_at is None
        data = {"state": "raised" if is_open else "cleared", "alert": AlertRow.of(alert), **(detail or {})}
        self._hub.publish(
            raised if is_open else cleared,
            data,
            session=alert.session_id,
            vehicle=alert.vehicle_id,
            severity=alert.severity if is_open else "info",  # type: ignore[arg-type]  # storage keeps plain text
            topics=[ALERTS],
        )
