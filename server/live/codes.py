"""Alerts of trouble codes by name: raised when a reading shows them first, cleared when one shows them gone."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from server.live.alerting import Alerting
from tools.cleaning import CODE_RULES
from tools.context import Workshop

if TYPE_CHECKING:
    from analysis.streaming.code_lists import CodeChange, Codes
    from storage.alerts import Alert
    from storage.records import Session
    from tools.trouble_codes import TroubleCodesNow
    from vehicle.codes.models import CodeAnswer

log = logging.getLogger(__name__)

_TODO = "lookup_trouble_code says what may cause it, recommend_diagnosis what to test first. Clear nothing before."
_MOST = 500
Key = tuple[str, str]


class CodeAlerts:
    """The named trouble codes of all cars, as alerts of the sessions in which they were read."""

    def __init__(self, workshop: Workshop, alerting: Alerting) -> None:
        self._workshop = workshop
        self._alerting = alerting

    def read(self, session_id: str, now: TroubleCodesNow, before: TroubleCodesNow | None) -> None:
        """Tell what a reading changed; never fails, for the reading itself is kept. A replay's codes are no news."""
        try:
            session = self._workshop.store.sessions.get(session_id)
            if session.origin != "replay":
                self._compare(session, now, before)
        except Exception:
            log.exception("the codes read for %s were kept, but not told live", session_id)

    def _compare(self, session: Session, now: TroubleCodesNow, before: TroubleCodesNow | None) -> None:
        from analysis.streaming.code_lists import code_changes

        alerts = self._alerts(session)
        at_us = session.last_us or 0
        for change in code_changes(_told_before(before, alerts), _codes(now)):
            opened = [one for one in alerts.get((change.ecu, change.code), ()) if one.cleared_at is None]
            own = [alert for alert in opened if alert.rule == CODE_RULES + change.kind]
            # What was pending and is stored now is told as stored alone.
            for alert in [one for one in opened if one not in own] if change.is_new else own:
                self._clear(alert, change, at_us)
            if change.is_new and not own:
                self._raise(session, change, at_us)
        self._alerting.name_codes(session.id, [one.ecu for one in now.lists if one.kind == "stored"], at_us)

    def _alerts(self, session: Session) -> dict[Key, list[Alert]]:
        """Return all alerts of codes of this car, or of this session where the car is not known."""
        of = {"session_id": session.id} if session.vehicle_id is None else {"vehicle_id": session.vehicle_id}
        rows = self._workshop.store.alerts.list(**of, rules=CODE_RULES, limit=_MOST).rows  # type: ignore[arg-type]  # one of two ids
        found: dict[Key, list[Alert]] = {}
        for alert in rows:
            found.setdefault((alert.ecu or "", alert.signal), []).append(alert)
        return found

    def _raise(self, session: Session, change: CodeChange, at_us: int) -> None:
        from vehicle.codes.lookup import lookup_code

        known = lookup_code(change.code)
        meaning = known.meaning.text if known.meaning else f"meaning unknown: {known.reason}"
        alert = self._workshop.store.alerts.add(
            session.id,
            at_us,
            rule=CODE_RULES + change.kind,
            signal=change.code,
            ecu=change.ecu or None,
            severity="warning" if known.severity.value == "unknown" else known.severity.value,
            title=f"{change.code} {change.kind}: {meaning}",
            value=None,
            unit="",
            expected="no trouble code",
            explanation=f"{change.ecu or 'An ECU'} lists {change.code} as {change.kind}; {known.severity.reason}",
            recommendation=_TODO,
        )
        self._alerting.tell(alert, "dtc", {"code": _told(change, known)})

    def _clear(self, alert: Alert, change: CodeChange, at_us: int) -> None:
        from vehicle.codes.lookup import lookup_code

        cleared = self._workshop.store.alerts.clear(alert.id, at_us)
        told = {**_told(change, lookup_code(change.code)), "kind": alert.rule.removeprefix(CODE_RULES)}
        self._alerting.tell(cleared, "dtc", {"code": told})


def _codes(now: TroubleCodesNow | None) -> Codes:
    from analysis.streaming.code_lists import codes_of

    lists: Iterable[Any] = () if now is None else now.lists
    return codes_of((one.ecu, one.kind, one.codes) for one in lists)


def _told_before(before: TroubleCodesNow | None, alerts: Mapping[Key, object]) -> Codes:
    """Return the codes read before that were told too: a process without a live side may have read others."""
    return {
        (ecu, kind): frozenset(code for code in codes if (ecu, code) in alerts)
        for (ecu, kind), codes in _codes(before).items()
    }


def _told(change: CodeChange, known: CodeAnswer) -> dict[str, Any]:
    return {
        "code": change.code,
        "ecu": change.ecu,
        "kind": change.kind,
        "still": change.still,
        "meaning": known.meaning.text if known.meaning else None,
        "provenance": known.provenance,
        "severity": known.severity.value,
    }
