"""Tells watchdogs whether the process is alive and each part of it ready."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response

from server.live.hub import Hub
from storage.errors import StorageError
from tools.context import Workshop

Check = Callable[[], str]


def health_routes(workshop: Workshop, hub: Hub) -> APIRouter:
    """Return the routes that watchdogs ask; both need no token and no database to answer."""
    router = APIRouter(tags=["health"])
    checks: dict[str, Check] = {"storage": lambda: _storage(workshop), "live": lambda: _live(hub)}

    @router.get("/healthz", summary="Is the process alive?")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz", summary="Is each component ready?", responses={503: {"model": dict[str, Any]}})
    def readyz(response: Response) -> dict[str, Any]:
        components = {name: check() for name, check in checks.items()}
        is_ready = all(state == "ok" for state in components.values())
        response.status_code = 200 if is_ready else 503
        told = {"status": "ok" if is_ready else "not ready", "components": components}
        return told | {"sandbox": _sandbox(workshop)}

    return router


def _storage(workshop: Workshop) -> str:
    try:
        workshop.store.sessions.list(limit=1)
    except (StorageError, OSError) as error:
        return f"failed: {error}"
    return "ok"


def _sandbox(workshop: Workshop) -> dict[str, Any]:
    """Tell what confines code here; a process without it is ready all the same, and refuses to run code."""
    told = workshop.sandbox.status()
    return told.model_dump(include={"tier", "reason", "layers", "missing"}, mode="json")


def _live(hub: Hub) -> str:
    return "ok" if hub.is_open else "not running"
