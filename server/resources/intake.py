"""Live sessions that others send readings to: begun, filled, finished."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from server.errors import REFUSALS
from server.live.live import Live
from server.resources.writer import Writer
from tools.context import Workshop
from tools.errors import ToolError
from tools.intake.arrow import MEDIA_TYPE
from tools.intake.bodies import IntakeAnswer, body_schema
from tools.intake.receiver import Receiver, Sent
from tools.rows import SessionRow

SessionId = Annotated[str, Path(min_length=1, max_length=64)]
_LONGEST_KEY = 200
# Read by hand: what FastAPI does for two parameters costs a tenth of the whole request.
_DATA = {
    "parameters": [
        {
            "name": "session_id",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 64},
        },
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": _LONGEST_KEY},
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": body_schema()},
            MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    },
}


class NewSession(BaseModel):
    """What is known about a session that begins now."""

    model_config = ConfigDict(extra="forbid")

    vehicle_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    name: Annotated[str, Field(max_length=200)] = ""
    metadata: dict[str, Any] = {}


class LiveSessionRow(SessionRow):
    """A session that takes readings."""

    session_id: str
    created_at: datetime


def add_data_route(app: FastAPI, writer: Writer) -> None:
    """Add the route that readings are sent to; on the application itself, for a router in between is tried twice."""
    app.add_api_route(
        "/api/sessions/{session_id}/data",
        _take(writer),
        methods=["POST"],
        summary="Send readings",
        tags=["intake"],
        responses=REFUSALS,
        response_model=IntakeAnswer,
        openapi_extra=_DATA,
    )


def intake_routes(workshop: Workshop, live: Live, receiver: Receiver) -> APIRouter:
    """Return the routes that begin and finish a session others send readings to."""
    router = APIRouter(prefix="/api/sessions", tags=["intake"], responses=REFUSALS)
    router.add_api_route(
        "",
        _begin(workshop, live),
        methods=["POST"],
        summary="Begin a session",
        status_code=201,
        response_model=LiveSessionRow,
    )
    router.add_api_route(
        "/{session_id}/finish",
        _finish(workshop, live, receiver),
        methods=["POST"],
        summary="Finish a session",
        response_model=SessionRow,
    )
    return router


def _begin(workshop: Workshop, live: Live) -> Any:
    def begin(new: NewSession | None = None) -> LiveSessionRow:
        """Make a live session that takes readings until it is finished or idle for too long."""
        new = new or NewSession()
        session = workshop.store.sessions.create(
            origin="intake",
            source="http",
            name=new.name,
            vehicle_id=new.vehicle_id,
            details={"metadata": new.metadata} if new.metadata else {},
        )
        live.open(session.id)
        row = SessionRow.of(session).model_dump()
        return LiveSessionRow(**row, session_id=session.id, created_at=session.created_at)

    return begin


def _finish(workshop: Workshop, live: Live, receiver: Receiver) -> Any:
    def finish(session_id: SessionId) -> SessionRow:
        """Close a session for readings; doing so twice is harmless."""
        recorder = None
        if session_id in workshop.running_captures():
            recorder = workshop.recorders.find(session_id)
        if recorder is not None:
            recorder.stop()
        session = workshop.store.sessions.finish(session_id)
        receiver.forget(session_id)
        live.end(session_id, "finished")
        return SessionRow.of(session)

    return finish


def _take(writer: Writer) -> Any:
    async def take(request: Request) -> Response:
        """Store readings and answer once they are durable; sent again with the same key, they are stored once."""
        session_id, key = request.path_params["session_id"], request.headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= _LONGEST_KEY:
            raise ToolError(
                "bad_arguments", f"An Idempotency-Key has 1 to {_LONGEST_KEY} characters.", "Shorten it."
            )
        is_arrow = request.headers.get("content-type", "").partition(";")[0].strip() == MEDIA_TYPE
        answer = await writer.write(Sent(session_id, await request.body(), is_arrow, key))
        return Response(answer, media_type="application/json")

    return take
