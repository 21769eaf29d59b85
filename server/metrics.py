"""Counts and times for Prometheus: base units in the names, labels from fixed lists, nothing that names a car."""

import time
from functools import lru_cache, partial

from fastapi import APIRouter, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.live.live import Live

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "obd_agent_http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "obd_agent_http_request_duration_seconds",
            "Time until a request was answered; streams are left out.",
            ["route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._readings = Counter(
            "obd_agent_intake_readings", "Readings sent and stored durably.", registry=self.registry
        )
        # Looking the labels up costs more than counting does; there are as many as routes, methods and outcomes.
        self._of_route = lru_cache(maxsize=4096)(self._find)
        self._marked = Counter(
            "obd_agent_intake_marked_readings",
            "Stored readings outside their limits.",
            registry=self.registry,
        )

    def took(self, readings: int, marked: int) -> None:
        """Count a stored batch."""
        self._readings.inc(readings)
        if marked:
            self._marked.inc(marked)

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count an answered request under its route's template, never under its address."""
        template = getattr(scope.get("route"), "path", None) or "unknown"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        requests, duration = self._of_route(method, template, status // 100)
        requests.inc()
        if duration is not None:
            duration.observe(seconds)

    def _find(self, method: str, template: str, hundreds: int) -> tuple[Counter, Histogram | None]:
        """Return the counter and, but for endless streams, the histogram of a route's answers."""
        counter = self._requests.labels(method, template, f"{hundreds}xx")
        return counter, None if template.endswith("/stream") else self._seconds.labels(template)

    def watch(self, live: Live) -> None:
        """Show what the live side says of itself."""
        looker = live.anomalies
        gauges = {
            "obd_agent_live_sessions": ("Sessions that readings arrive in.", lambda: live.sessions),
            "obd_agent_live_subscribers": ("Readers of live events.", lambda: live.hub.subscribers),
            "obd_agent_live_kept_bytes": ("Size of the kept events, about.", lambda: live.hub.kept_bytes),
            "obd_agent_live_readings": ("Readings told live since the start.", lambda: live.readings),
            "obd_agent_anomaly_looks": ("Looks for anomalies since the start.", lambda: looker.looks),
            "obd_agent_anomaly_late_looks": ("Looks later than twice their pace.", lambda: looker.late),
            "obd_agent_anomaly_cpu_seconds": ("CPU time of all looks.", lambda: looker.cpu_s),
            "obd_agent_anomaly_skipped_readings": (
                "Readings left out for want of time.",
                lambda: looker.skipped,
            ),
            "obd_agent_anomaly_waiting_seconds": (
                "Most seconds of a session's readings that wait for a look.",
                lambda: looker.waiting_s,
            ),
        }
        for name, (text, read) in gauges.items():
            Gauge(name, text, registry=self.registry).set_function(read)
        alerts = Gauge(
            "obd_agent_alerts_raised", "Alerts raised since the start.", ["severity"], registry=self.registry
        )
        for severity in ("info", "advice", "warning", "critical"):
            alerts.labels(severity).set_function(partial(live.alerting.raised.__getitem__, severity))


class MetricsGuard:
    """ASGI middleware that times each request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        finally:
            self.metrics.answered(scope, status, time.perf_counter() - began)


def metrics_routes(metrics: Metrics) -> APIRouter:
    """Return the route that Prometheus reads."""
    router = APIRouter(tags=["health"])

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    def read_metrics() -> Response:
        """Return the metrics in Prometheus' text format."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
