"""Alerts that live readings raised: listed, looked at, acknowledged."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from server.errors import REFUSALS
from server.live.alerting import AlertRow
from tools.arguments import Limit, Offset
from tools.context import Workshop

AlertId = Annotated[str, Path(min_length=1, max_length=64)]
Id = Annotated[str | None, Query(min_length=1, max_length=64)]


class AlertPage(BaseModel):
    """A page of alerts, latest first."""

    total: int
    offset: int
    alerts: list[AlertRow]


def alert_routes(workshop: Workshop) -> APIRouter:
    """Return the routes of the alerts."""
    router = APIRouter(prefix="/api/alerts", tags=["alerts"], responses=REFUSALS)

    @router.get("")
    def list_alerts(
        session_id: Id = None,
        vehicle_id: Id = None,
        state: Literal["open", "cleared"] | None = None,
        severity: Annotated[list[Literal["info", "advice", "warning", "critical"]] | None, Query()] = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> AlertPage:
        """List alerts, latest first."""
        rows, total = workshop.store.alerts.list(
            session_id=session_id,
            vehicle_id=vehicle_id,
            severities=severity or (),
            is_open=None if state is None else state == "open",
            limit=limit,
            offset=offset,
        )
        return AlertPage(total=total, offset=offset, alerts=[AlertRow.of(row) for row in rows])

    @router.get("/{alert_id}")
    def read_alert(alert_id: AlertId) -> AlertRow:
        """Return one alert."""
        return AlertRow.of(workshop.store.alerts.get(alert_id))

    return router


def acknowledging_routes(workshop: Workshop) -> APIRouter:
    """Return the route that changes alerts."""
    router = APIRouter(prefix="/api/alerts", tags=["alerts"], responses=REFUSALS)

    @router.post("/{alert_id}/acknowledge")
    def acknowledge_alert(alert_id: AlertId) -> AlertRow:
        """Note that a person has seen the alert; the first time stands."""
        return AlertRow.of(workshop.store.alerts.acknowledge(alert_id))

    return router
